from __future__ import annotations

import numpy as np
import pytest
import torch
from painted import HEIGHT, WIDTH, figure

from rib.render.skinning.blend import bone_affine_maps, bone_distance_maps, linear_blend_skinning
from rib.render.skinning.bones import BONES, ELASTIC, bone_segments, skinning_torso_length_px
from rib.structures.box import Box

WHOLE = torch.tensor([[0.0, 1.0]])
XY = Box(0, 0, HEIGHT, WIDTH).centres(1, torch.device("cpu"))


def test_a_pose_maps_onto_itself() -> None:
    bones = bone_segments(figure(20))
    distance = bone_distance_maps(bones.ends_px, torch.ones(len(BONES)), bones.valid, XY)
    where = linear_blend_skinning(
        bone_affine_maps(bones.ends_px, bones.ends_px[0], torch.tensor(ELASTIC)), distance, 4.0, XY
    )
    torch.testing.assert_close(where, XY[None].expand_as(where), atol=1e-3, rtol=0)


def test_a_turned_bone_carries_its_sides_with_it() -> None:
    target = torch.tensor([[[[10.0, 10.0], [30.0, 10.0]]]])
    source = torch.tensor([[[50.0, 20.0], [50.0, 40.0]]])
    maps = bone_affine_maps(target, source, WHOLE).affine[0, 0]
    beside = maps[:, :2] @ torch.tensor([20.0, 13.0]) + maps[:, 2]
    torch.testing.assert_close(beside, torch.tensor([47.0, 30.0]))


def test_a_longer_bone_keeps_its_width() -> None:
    target = torch.tensor([[[[0.0, 0.0], [40.0, 0.0]]]])
    source = torch.tensor([[[0.0, 0.0], [20.0, 0.0]]])
    maps = bone_affine_maps(target, source, WHOLE).affine[0, 0]
    beside = maps[:, :2] @ torch.tensor([20.0, 5.0]) + maps[:, 2]
    torch.testing.assert_close(beside, torch.tensor([10.0, 5.0]), atol=0.2, rtol=0)


@pytest.mark.parametrize(
    ("elastic", "expected"), [((0.0, 1.0), 25.0), ((1.0, 1.0), 25.0), ((0.0, 0.75), 30.0)]
)
def test_what_lies_beyond_a_longer_bone_keeps_its_size(elastic: tuple[float, float], expected: float) -> None:
    target = torch.tensor([[[[0.0, 0.0], [40.0, 0.0]]]])
    source = torch.tensor([[[0.0, 0.0], [20.0, 0.0]]])
    maps, place = bone_affine_maps(target, source, torch.tensor([elastic])), torch.tensor([45.0, 5.0])
    (found,) = linear_blend_skinning(maps, torch.zeros(1, 1, 1, 1), 3.0, place[:, None, None])
    torch.testing.assert_close(found[:, 0, 0], torch.tensor([expected, 5.0]), atol=0.3, rtol=0)


def test_distance_is_measured_in_radii() -> None:
    ends = torch.tensor([[[[10.0, 10.0], [30.0, 10.0]]]])
    distance = bone_distance_maps(ends, torch.tensor([4.0]), torch.ones(1, 1, dtype=torch.bool), XY)
    assert abs(float(distance[0, 0, 17, 20]) - 7.5 / 4) < 1e-5
    assert abs(float(distance[0, 0, 10, 38]) - np.hypot(8.5, 0.5) / 4) < 1e-5


def test_foreshortening_does_not_shrink_the_scale() -> None:
    pose = figure(0)
    bent = figure(0)
    bent.keypoints_px[0, 8] = (70, 40)  # the hips come forward, legs and arms stay
    assert abs(skinning_torso_length_px(bent) / skinning_torso_length_px(pose) - 1) < 0.25
