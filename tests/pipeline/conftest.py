from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from rib.config.compose import compose
from rib.keypoint_files import write_openpose
from rib.keypoints import PoseSequence
from rib.skeleton import BODY25_HANDS
from rib.video import VideoWriter

SIZE = (64, 48)


def picture(index: int, seed: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(H, W, 3) flat blocks that wander by two pixels a frame."""
    colours = np.random.default_rng(seed).integers(30, 226, (12, 20, 3), dtype=np.uint8)
    whole = np.roll(np.kron(colours, np.ones((12, 12, 1), np.uint8)), 2 * index, axis=1)
    return np.ascontiguousarray(whole[: size[1], : size[0]])


def person(num_moments: int, missing: tuple[int, ...] = (), size: tuple[int, int] = SIZE) -> PoseSequence:
    """A stiff figure that walks to the right, away at the moments `missing`."""
    rng = np.random.default_rng(0)
    shape = rng.uniform((10, 5), (30, 40), (len(BODY25_HANDS), 2))
    keypoints = shape[None] + np.arange(num_moments)[:, None, None] * np.array([1.0, 0.0])
    confidence = np.full((num_moments, len(BODY25_HANDS)), 0.9)
    confidence[list(missing)] = 0
    keypoints[list(missing)] = 0
    return PoseSequence(keypoints, confidence, np.arange(num_moments) / 10, "body25_hands", size)


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
    write_openpose(person(9), tmp_path / "poses")

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
            "video=frames",
            "report=false",
            "device=cpu",
            *overrides,
        )

    return make
