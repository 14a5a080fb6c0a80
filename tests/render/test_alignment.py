from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from rib.render.refine.alignment import LARGEST_PX, SMALLEST_PX, align_keyframe_views

SIZE = 150


def views(apart_px: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A block of soft noise, as two keyframes give it so many pixels apart, and the grey plate behind."""
    noise = torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    texture = F.interpolate(noise, size=(SIZE, SIZE), mode="bicubic").clamp(0, 1)
    alpha = torch.zeros(1, 1, SIZE, SIZE)
    alpha[..., 30:120, 30:120] = 1
    two = [torch.cat([texture.roll(shift, -1), alpha], 1) for shift in (0, apart_px)]
    return torch.stack(two, 1), torch.full((1, 3, SIZE, SIZE), 0.5)


@pytest.mark.parametrize("t", [0.5, 0.25])
def test_two_sightings_meet_at_their_share_of_the_way(t: float) -> None:
    per_keyframe, plate = views(2)
    a, b = align_keyframe_views(per_keyframe.clone(), plate, torch.tensor([t]))[..., 45:105, 45:105].unbind(1)
    before_a, before_b = per_keyframe[..., 45:105, 45:105].unbind(1)
    assert (a - b)[:, :3].abs().mean() < 0.2 * (before_a - before_b)[:, :3].abs().mean()
    if t == 0.5:
        middle = per_keyframe[:, 0].roll(1, -1)[..., 45:105, 45:105]
        assert (a - middle)[:, :3].abs().mean() < 0.2 * (before_a - middle)[:, :3].abs().mean()


def test_tall_sightings_meet_by_a_flow_of_smaller_pictures() -> None:
    factor = 3
    per_keyframe, plate = views(2)
    tall = per_keyframe.flatten(0, 1).repeat_interleave(factor, -1).repeat_interleave(factor, -2)[None]
    assert tall.shape[-2] > LARGEST_PX
    plate = torch.full((1, 3, *tall.shape[-2:]), 0.5)
    inside = slice(45 * factor, 105 * factor)
    a, b = align_keyframe_views(tall.clone(), plate, torch.tensor([0.5]))[..., inside, inside].unbind(1)
    before_a, before_b = tall[..., inside, inside].unbind(1)
    assert (a - b)[:, :3].abs().mean() < 0.3 * (before_a - before_b)[:, :3].abs().mean()


def test_alphas_stay_and_equal_sightings_are_left_as_they_are() -> None:
    per_keyframe, plate = views(0)
    found = align_keyframe_views(per_keyframe.clone(), plate, torch.tensor([0.5]))
    assert torch.equal(found[:, :, 3], per_keyframe[:, :, 3])
    assert float((found - per_keyframe).abs().max()) < 0.02
    per_keyframe, plate = views(2)
    assert torch.equal(
        align_keyframe_views(per_keyframe.clone(), plate, torch.tensor([0.5]))[:, :, 3], per_keyframe[:, :, 3]
    )


def test_at_a_keyframe_its_own_sighting_does_not_move() -> None:
    per_keyframe, plate = views(2)
    found = align_keyframe_views(per_keyframe.clone(), plate, torch.tensor([0.0]))
    assert float((found - per_keyframe)[:, 0].abs().max()) < 1e-3


@pytest.mark.parametrize("size_hw", [(4, 4), (8, 200), (200, 8), (SMALLEST_PX - 1, 12)])
def test_sightings_too_small_for_a_flow_are_left_as_they_are(size_hw: tuple[int, int]) -> None:
    """A flow of such pictures ends the process."""
    per_keyframe = torch.rand(1, 2, 4, *size_hw, generator=torch.Generator().manual_seed(0))
    assert torch.equal(
        align_keyframe_views(per_keyframe.clone(), torch.zeros(1, 3, *size_hw), torch.tensor([0.5])),
        per_keyframe,
    )


@pytest.mark.parametrize("size_hw", [(SMALLEST_PX, SMALLEST_PX), (SMALLEST_PX, 200), (200, SMALLEST_PX)])
def test_the_smallest_sightings_with_a_flow_keep_their_shape(size_hw: tuple[int, int]) -> None:
    per_keyframe = torch.rand(2, 2, 4, *size_hw, generator=torch.Generator().manual_seed(0))
    found = align_keyframe_views(per_keyframe.clone(), torch.zeros(2, 3, *size_hw), torch.tensor([0.3, 0.6]))
    assert found.shape == per_keyframe.shape
    assert torch.equal(found[:, :, 3], per_keyframe[:, :, 3])
