"""`rib interpolate render=gan` as it is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from small_clips import SIZE, person, write_masks

from rib.keypoint_files import write_openpose_json
from rib.render.nets.checkpoint import load_renderer_net
from rib.video import open_frame_source


def interpolate(clip: Path, folder: Path, *overrides: str) -> dict[str, Any]:
    """Run the command on nine frames with their poses and mattes in files; the summary it wrote."""
    write_openpose_json(person(9), folder / "poses")
    write_masks(folder / "masks")
    given = (
        f"input={clip}", "output=out", "rate=2", "pose=files", "poses=poses", "keypoints=body25",
        "mask=files", "mask.path=masks", "background=flow", "render=gan", "cache.dir=cache", "device=cpu",
        "video.pictures=true",
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "rib.commands", "interpolate", *given, *overrides],
        capture_output=True, text=True, timeout=300, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "out" / "summary.json").read_text())


def assert_whole(folder: Path, summary: dict[str, Any]) -> None:
    video = open_frame_source(folder / "out" / "video.mp4")
    assert (len(video), sum(1 for _ in video), video.size_px) == (18, 18, SIZE)
    assert len(list((folder / "out" / "frames").glob("*.png"))) == 18
    assert (folder / "out" / "report.html").is_file()
    assert summary["stages"]["render"] == "rib.render.gan.GanRenderer"
    assert 0 <= summary["net_intervals"] <= 1


@pytest.mark.slow
def test_the_shipped_net_gives_a_whole_video(clip: Path, tmp_path: Path) -> None:
    assert_whole(tmp_path, interpolate(clip, tmp_path))
    assert not list((tmp_path / "cache").rglob("*.safetensors"))


@pytest.mark.slow
def test_a_fit_keeps_its_weights_and_the_next_run_reads_them(clip: Path, tmp_path: Path) -> None:
    small = ("render.fit=2", "render.ckpt=untrained", "render.crops.side_px=32", "render.crops.batch_size=1")
    first = interpolate(clip, tmp_path, *small)
    assert_whole(tmp_path, first)
    (kept,) = (tmp_path / "cache").rglob("renderer.safetensors")
    assert load_renderer_net(kept, "rib.render.nets.base.RendererBase") is not None
    again = interpolate(clip, tmp_path, *small, "overwrite=true")
    assert "renderer" not in first["reused"]
    assert "renderer" in again["reused"]
    assert "fit" in first["seconds"]
    assert "fit" not in again["seconds"]
    assert again["net_intervals"] == first["net_intervals"]
