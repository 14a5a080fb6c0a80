from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from rib.pipeline.refiner_dataset.moving_camera import PERIOD_S, MovingCamera, camera_window
from rib.video import ArraySource


@pytest.fixture
def still() -> ArraySource:
    ramp = np.linspace(0, 255, 96).astype(np.uint8)
    frame = np.broadcast_to(ramp[None, :, None], (64, 96, 3))
    return ArraySource([frame.copy() for _ in range(6)], fps=5)


@pytest.mark.parametrize("camera", ["pan", "zoom"])
def test_a_camera_moves_over_a_picture_that_stands_still(still: ArraySource, camera: str) -> None:
    moved = MovingCamera(still, camera, 32)
    frames = list(moved)
    assert {frame.shape for frame in frames} == {(32, 48, 3)}
    assert moved.size_px == (48, 32)
    assert all(not np.array_equal(a, b) for a, b in pairwise(frames))
    assert all(np.array_equal(a, b) for a, b in zip(frames, moved, strict=True))


def test_every_window_lies_inside_the_picture() -> None:
    for camera in ("pan", "zoom"):
        for time_s in np.linspace(0, 2 * PERIOD_S, 41):
            x, y, window = camera_window(camera, float(time_s))
            assert 0 <= x <= 1
            assert 0 <= y <= 1
            assert 0.7 < window <= 1


def test_a_zoom_begins_with_the_whole_picture(still: ArraySource) -> None:
    first = next(iter(MovingCamera(still, "zoom", 64))).astype(int)
    assert np.abs(first - next(iter(still)).astype(int))[:, 2:-2].max() <= 3


def test_cameras_have_fingerprints_of_their_own(still: ArraySource) -> None:
    found = {MovingCamera(still, camera, 32).fingerprint() for camera in ("pan", "zoom")}
    assert len({still.fingerprint(), *found}) == 3
