"""Our scores against those of the independent scorer, and of the figures measured with it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"
CASES = SHARED / "data" / "dev_cases.json"
WALK = SHARED / "data" / "video" / "sports2d_demo.mp4"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CASES.is_file(), reason="the development clips (../shared/data) are not here"),
]


def run(folder: Path, *overrides: str) -> dict[str, Any]:
    from rib.benchmark.run import run_benchmark
    from rib.config.compose import compose

    case = json.loads(CASES.read_text("utf-8"))["walk"]
    return run_benchmark(
        compose(
            "benchmark",
            f"input={WALK}",
            f"output={folder}",
            f"cache.dir={folder / 'cache'}",
            "device=cpu",
            f"first={case['first']}",
            f"crop_xywh={case['crop_xywh']}",
            f"size_wh={case['size_wh']}",
            *overrides,
        )
    )


def tool() -> Any:
    spec = importlib.util.spec_from_file_location("score_frames", SHARED / "tools" / "score_frames.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_scores_agree_with_the_independent_scorer(tmp_path: Path) -> None:
    result = run(tmp_path, "stride=4", "count=9", "methods=[blend]", "frames=true")
    summary, rows = tool().score(tmp_path / "frames" / "blend", tmp_path / "frames" / "true", 4)
    ours = result["methods"]["blend"]
    assert summary["keyframes_changed"] == 0
    assert [row["frame"] for row in ours["frames"]] == [row["frame"] for row in rows] == [1, 2, 3, 5, 6, 7]
    for mine, theirs in [(ours["summary"], summary), *zip(ours["frames"], rows, strict=True)]:
        for score, value in theirs.items():
            if score.startswith("psnr"):
                assert mine[score] == pytest.approx(value, abs=0.01)
            elif score.startswith(("lpips", "joint")):
                assert mine[score] == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize("method", ["blend", "rife"])
def test_the_walk_gives_the_figures_measured_before(tmp_path: Path, method: str) -> None:
    expected = json.loads((SHARED / "data" / "dev_baseline.json").read_text("utf-8"))["walk_8"][method]
    summary = run(tmp_path, "stride=8", "count=65", f"methods=[{method}]")["methods"][method]["summary"]
    for score in ("psnr_full", "psnr_person"):
        assert summary[score] == pytest.approx(expected[score], abs=0.1)
    for score in ("lpips_full", "lpips_person"):
        assert summary[score] == pytest.approx(expected[score], abs=0.003)
    assert summary["frames"] == expected["frames"]
