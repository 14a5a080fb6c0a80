"""The tool from Python."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import rib
from rib.video import VideoWriter, open_frame_source

SIZE = (32, 24)


def frame(index: int) -> np.ndarray:
    blocks = np.random.default_rng(0).integers(30, 226, (6, 8, 3), dtype=np.uint8)
    return np.roll(np.kron(blocks, np.ones((4, 4, 1), np.uint8)), index, axis=1)


@pytest.fixture
def small(tmp_path: Path) -> dict[str, Any]:
    return {
        "background": "blend", "render": "none", "motion": "linear", "report": False, "device": "cpu",
        "cache": {"dir": tmp_path / "cache"}, "pose": "files", "poses": tmp_path / "poses",
    }  # fmt: skip


@pytest.fixture(autouse=True)
def poses(tmp_path: Path) -> None:
    (tmp_path / "poses").mkdir()
    for index in range(4):
        (tmp_path / "poses" / f"{index}.json").write_text('{"version": 1.3, "people": []}')


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "it's a (clip).mp4"
    with VideoWriter(path, Fraction(10), SIZE, "libx264", 0, "yuv420p") as writer:
        for index in range(4):
            writer.write(frame(index))
    return path


def test_a_video_in_one_call(clip: Path, small: dict[str, Any]) -> None:
    result = rib.interpolate(clip, rate=2, video={"crf": 30}, **small)
    assert result.place == clip.with_name("it's a (clip)_20fps.mp4")
    assert len(open_frame_source(result.place)) == result.summary["output"]["frames"] == 8
    with pytest.raises(rib.RibError, match="overwrite=true"):
        rib.interpolate(str(clip), rate=2, **small)


@pytest.mark.slow
def test_arrays_in_and_out(small: dict[str, Any], tmp_path: Path) -> None:
    given = np.stack([frame(index) for index in range(4)])
    made = rib.interpolate(given, rate=2, input_fps=10, **small)
    assert made.shape == (8, 24, 32, 3)
    assert made.dtype == np.uint8
    assert np.array_equal(made[::2], given)
    tensors = torch.from_numpy(given).permute(0, 3, 1, 2).float() / 255
    assert np.array_equal(rib.interpolate(tensors, rate=2, input_fps=10, **small), made)
    result = rib.interpolate(list(given), rate=2, output=tmp_path / "made.mkv", **small)
    assert len(open_frame_source(result.place)) == 8


@pytest.mark.slow
def test_frames_come_one_at_a_time(clip: Path, small: dict[str, Any]) -> None:
    made = rib.frames(clip, fps="29.97", **small)
    assert np.array_equal(next(made), next(iter(open_frame_source(clip))))


@pytest.mark.slow
def test_several_clips_in_one_call(clip: Path, small: dict[str, Any], tmp_path: Path) -> None:
    results = rib.interpolate([clip, clip], rate=2, output=tmp_path / "all", **small)
    assert [r.place.name for r in results] == ["it's a (clip)_20fps.mp4", "it's a (clip)_2_20fps.mp4"]


def test_importing_rib_stays_light() -> None:
    heavy = "{'torch', 'numpy', 'av', 'cv2', 'hydra'} & set(__import__('sys').modules)"
    done = subprocess.run(
        [sys.executable, "-c", f"import rib; rib.__version__; print({heavy})"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "set()"
    with pytest.raises(AttributeError, match="nothing"):
        rib.nothing  # noqa: B018
