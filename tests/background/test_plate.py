from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from rib.background.plate import PersonFreePlate
from rib.structures.box import Box
from rib.structures.interval import Interval, Keyframe
from rib.structures.person import PersonView

HEIGHT, WIDTH = 60, 81
PLATE = PersonFreePlate(mask_threshold=0.25, dilation_share=0.03, seam_share=0.05)


@pytest.fixture
def scene() -> torch.Tensor:
    coarse = torch.rand(1, 3, 6, 8, generator=torch.Generator().manual_seed(0))
    return F.interpolate(coarse, (HEIGHT, WIDTH), mode="bilinear", align_corners=False)[0]


def keyframe(scene: torch.Tensor, index: int, left: int, width: int = 10) -> Keyframe:
    """The scene with a white person over the columns from `left`."""
    mask = torch.zeros(1, HEIGHT, WIDTH)
    mask[:, 10:50, left : left + width] = 1
    return Keyframe(
        index, float(index), torch.where(mask > 0, torch.ones(()), scene), (PersonView.of(None, mask),)
    )


def interval(a: Keyframe, b: Keyframe, *neighbours: Keyframe) -> Interval:
    times = a.time_s + np.array([0.25, 0.5, 0.75]) * (b.time_s - a.time_s)
    return Interval(a, b, times, neighbours=neighbours)


def test_a_walking_person_vanishes_without_a_seam(scene: torch.Tensor) -> None:
    plate = PLATE(interval(keyframe(scene, 0, 5), keyframe(scene, 1, 40)), {0})
    assert plate.shape == (3, 3, HEIGHT, WIDTH)
    torch.testing.assert_close(plate, scene.expand_as(plate), atol=1e-5, rtol=0)


def test_what_both_hide_comes_from_a_neighbour(scene: torch.Tensor) -> None:
    between = (keyframe(scene, 1, 30), keyframe(scene, 2, 33))
    plate = PLATE(interval(*between, keyframe(scene, 3, 60)), {0})
    torch.testing.assert_close(plate, scene.expand_as(plate), atol=1e-5, rtol=0)


def test_the_nearest_neighbour_in_time_wins(scene: torch.Tensor) -> None:
    between = (keyframe(scene, 4, 30), keyframe(scene, 5, 33))
    dark = keyframe(0.2 * scene, 0, 60)
    for order in ((dark, keyframe(scene, 6, 60)), (keyframe(scene, 6, 60), dark)):
        plate = PLATE(interval(*between, *order), {0})
        torch.testing.assert_close(plate, scene.expand_as(plate), atol=1e-5, rtol=0)


def test_what_no_keyframe_shows_is_invented_from_its_surroundings(scene: torch.Tensor) -> None:
    plate = PLATE(interval(keyframe(scene, 0, 30), keyframe(scene, 1, 33)), {0})
    assert (plate - scene).abs().mean() < 0.02
    assert plate.max() <= scene.max() + 0.01  # nothing of the white person is left
    outside = (..., slice(0, 20))
    torch.testing.assert_close(plate[outside], scene.expand_as(plate)[outside], atol=1e-5, rtol=0)


def test_where_no_keyframe_shows_the_scene_another_picture_may(scene: torch.Tensor) -> None:
    gap = interval(keyframe(scene, 0, 30), keyframe(scene, 1, 33))
    known = torch.cat([scene, torch.ones_like(scene[:1])]).expand(3, -1, -1, -1)
    plate = PLATE(gap, {0}, known)
    torch.testing.assert_close(plate, scene.expand_as(plate), atol=1e-5, rtol=0)
    doubted = torch.cat([torch.zeros_like(scene), torch.zeros_like(scene[:1])]).expand(3, -1, -1, -1)
    assert torch.equal(PLATE(gap, {0}, doubted), PLATE(gap, {0}))


def test_a_part_is_what_the_whole_has_there(scene: torch.Tensor) -> None:
    gap = interval(keyframe(scene, 0, 30), keyframe(scene, 1, 33), keyframe(0.5 * scene, 2, 36))
    for part in (Box(3, 20, 50, 40), Box(0, 0, 9, 12), Box(30, 38, 30, 43)):
        assert torch.equal(PLATE(gap, {0}, part=part), part.of(PLATE(gap, {0})))


def test_light_changes_with_time_where_both_are_free(scene: torch.Tensor) -> None:
    plate = PLATE(interval(keyframe(scene, 0, 5), keyframe(0.5 * scene, 1, 40)), {0})
    corner = scene[:, :5, :].mean()
    assert plate[:, :, :5].mean((1, 2, 3)).tolist() == pytest.approx(
        [float(corner) * share for share in (0.875, 0.75, 0.625)], abs=1e-4
    )


def test_without_masks_it_is_a_cross_fade(scene: torch.Tensor) -> None:
    a, b = (replace(keyframe(scene, i, 5 + 40 * i), people=()) for i in (0, 1))
    torch.testing.assert_close(PLATE(interval(a, b), {0})[1], (a.picture + b.picture) / 2)


def test_a_person_who_fills_every_frame_leaves_a_plain_plate(scene: torch.Tensor) -> None:
    everywhere = [
        replace(keyframe(scene, i, 0), people=(PersonView.of(None, torch.ones(1, HEIGHT, WIDTH)),))
        for i in (0, 1)
    ]
    plate = PLATE(interval(*everywhere), {0})
    assert plate.isfinite().all()
    assert ((plate >= 0) & (plate <= 1)).all()


def test_who_is_not_drawn_belongs_to_the_scene(scene: torch.Tensor) -> None:
    standing = torch.zeros(1, HEIGHT, WIDTH)
    standing[:, 10:50, 60:70] = 1
    with_both = torch.where(standing > 0, torch.full((), 0.5), scene)
    keyframes = [
        replace(one, people=(*one.people, PersonView.of(None, standing, track_id=1)))
        for one in (keyframe(with_both, 0, 5), keyframe(with_both, 1, 40))
    ]
    plate = PLATE(interval(*keyframes), {0})
    torch.testing.assert_close(plate, with_both.expand_as(plate), atol=1e-5, rtol=0)
    empty = PLATE(interval(*keyframes), {0, 1})
    assert float((empty - with_both)[..., 60:70].abs().mean()) > 0.05
