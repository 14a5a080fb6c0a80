from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import pytest
from small_clips import SIZE, person, picture

from rib.config.compose import compose
from rib.keypoint_files import write_openpose_json
from rib.video import VideoWriter


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Nine frames at 10 a second, as a lossless video."""
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, Fraction(10), SIZE, codec="libx264", crf=0, pixel_format="yuv420p") as writer:
        for index in range(9):
            writer.write(picture(index))
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """The same nine frames as PNG."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(9):
        cv2.imwrite(str(folder / f"{index}.png"), picture(index)[..., ::-1])
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """conf/interpolate.yaml with everything small: poses from files, a cross-fade, no video, no page."""
    write_openpose_json(person(9), tmp_path / "poses")

    def make(input_path: Path, *overrides: str) -> dict[str, Any]:
        return compose(
            "interpolate",
            f"input={input_path}",
            f"output={tmp_path / 'out'}",
            f"cache.dir={tmp_path / 'cache'}",
            "pose=files",
            "keypoints=body25",
            f"poses={tmp_path / 'poses'}",
            "background=blend",
            "render=none",
            "video=frames",
            "report=false",
            "device=cpu",
            "overwrite=true",
            "video.pictures=true",
            "write_poses=true",
            *overrides,
        )

    return make
