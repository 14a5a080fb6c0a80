from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from rib.background.plate import PersonFreePlate
from rib.background.scene_layers import SceneLayer
from rib.background.scene_motion import CameraMotionLinks
from rib.background.scene_trust import SceneTrust
from rib.structures.box import Box
from rib.structures.interval import Interval, Keyframe
from rib.structures.person import PersonView
from rib.video.camera import STILL, chain_camera_motions, estimate_camera_motion, fraction_of_camera_motion

HEIGHT, WIDTH = 90, 120
EVERYWHERE = np.ones((HEIGHT, WIDTH), bool)
MOTION = np.array([[0.998, -0.02, 6.0], [0.02, 0.998, -3.0]])


@pytest.fixture
def wall() -> np.ndarray:
    """(H + 80, W + 80, 3) blobs in 0..1 with corners to hold on to."""
    noise = np.random.default_rng(0).random((HEIGHT + 80, WIDTH + 80, 3), dtype=np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), 2.5)
    return cv2.normalize(blurred, None, 0, 1, cv2.NORM_MINMAX)


def grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor((picture * 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)


def seen(wall: np.ndarray, left: int, top: int) -> np.ndarray:
    return wall[top : top + HEIGHT, left : left + WIDTH]


def test_a_shift_turn_and_zoom_are_found(wall: np.ndarray) -> None:
    a = seen(wall, 40, 40)
    b = cv2.warpAffine(a, MOTION, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
    found = estimate_camera_motion(grey(a), grey(b), EVERYWHERE, EVERYWHERE)
    np.testing.assert_allclose(found.matrix[:, :2], MOTION[:, :2], atol=0.005)
    np.testing.assert_allclose(found.matrix[:, 2], MOTION[:, 2], atol=0.3)
    assert found.confidence > 0.5


def test_a_still_camera_is_exactly_still(wall: np.ndarray) -> None:
    picture = grey(seen(wall, 40, 40))
    still = estimate_camera_motion(picture, picture, EVERYWHERE, EVERYWHERE)
    assert still.matrix is STILL
    assert still.confidence > 0.9
    nothing_to_see = estimate_camera_motion(picture * 0, picture, EVERYWHERE, EVERYWHERE)
    assert nothing_to_see.matrix is STILL
    assert nothing_to_see.confidence == 0


def test_what_the_person_does_does_not_count(wall: np.ndarray) -> None:
    a, b = seen(wall, 40, 40).copy(), seen(wall, 40, 40).copy()
    b[20:70, 30:80] = seen(wall, 48, 44)[20:70, 30:80]  # most corners that move lie on the person
    free = EVERYWHERE.copy()
    free[15:75, 25:85] = False
    assert estimate_camera_motion(grey(a), grey(b), free, free).matrix is STILL


def test_motions_follow_one_another() -> None:
    np.testing.assert_allclose(
        chain_camera_motions(MOTION, cv2.invertAffineTransform(MOTION)), STILL, atol=1e-9
    )
    np.testing.assert_array_equal(fraction_of_camera_motion(MOTION, 0.0), STILL)
    np.testing.assert_allclose(fraction_of_camera_motion(MOTION, 1.0), MOTION)


def test_motion_to_far_keyframes_follows_from_those_in_between(wall: np.ndarray) -> None:
    lefts, times_s = (40, 46, 28, 34, 58), (0.2, 0.3, 0.0, 0.1, 0.5)
    layers = [SceneLayer.of(seen(wall, left, 40), SceneTrust((HEIGHT, WIDTH))) for left in lefts]
    found = CameraMotionLinks().from_first(layers, times_s)
    assert found[0] is STILL
    for left, motion in zip(lefts[1:], found[1:], strict=True):
        np.testing.assert_allclose(motion, [[1, 0, 40 - left], [0, 1, 0]], atol=0.3)
    blank = replace(layers[1], pixels=layers[1].pixels * 0)
    unknown = CameraMotionLinks().from_first([layers[0], blank, *layers[2:]], times_s)
    assert unknown[1] is STILL
    assert unknown[4] is STILL
    np.testing.assert_array_equal(unknown[2], found[2])


def test_the_plate_follows_a_pan(wall: np.ndarray) -> None:
    def keyframe(index: int, left: int, person: int) -> Keyframe:
        picture = torch.from_numpy(seen(wall, left, 40)).permute(2, 0, 1)
        mask = torch.zeros(1, HEIGHT, WIDTH)
        mask[:, 30:70, person : person + 15] = 1
        return Keyframe(
            index, float(index), torch.where(mask > 0, torch.ones(()), picture), (PersonView.of(None, mask),)
        )

    between = Interval(keyframe(0, 40, 20), keyframe(1, 48, 80), np.array([0.5]))
    plate = PersonFreePlate(mask_threshold=0.25, dilation_share=0.03, seam_share=0.05)(between, {0})
    truth = torch.from_numpy(seen(wall, 44, 40)).permute(2, 0, 1)
    inner = (..., slice(8, -8), slice(8, -8))
    assert float((plate[0] - truth)[inner].abs().mean()) < 0.01
    part = Box(20, 10, 60, 95)
    alone = PersonFreePlate(mask_threshold=0.25, dilation_share=0.03, seam_share=0.05)(
        between, {0}, part=part
    )
    torch.testing.assert_close(alone, part.of(plate), atol=0.01, rtol=0)
    fixed = PersonFreePlate(mask_threshold=0.25, dilation_share=0.03, seam_share=0.05)(
        replace(between, b=replace(between.b, pixels=between.a.pixels)), {0}
    )
    assert fixed.isfinite().all()
