"""Keep people who are not drawn as the interpolator has them, where others are drawn in front of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import reduce

import torch
import torch.nn.functional as F

from rib.background.carry import interpolate_planes
from rib.structures.box import Box
from rib.structures.interval import Background, Interval, Keyframe
from rib.structures.person import PersonView, RenderedPerson
from rib.structures.windows import largest_around

SEEN = 0.05
"""A matte above this shows somebody."""
MARGIN = 0.01
"""So much around them belongs to them too, as a share of the picture's height."""


def clear_trust_of_others(
    people: Sequence[RenderedPerson], interval: Interval, background: Background
) -> list[RenderedPerson]:
    """Take trust away wherever the interpolated frame or the plate shows somebody who is not drawn.

    They are seen in the interpolated frame where its flow carries them, and in the plate, which leaves out
    only those who are drawn, where the keyframes have them.

    Args:
        people: Those who are drawn, at the interval's moments.
        interval: Its keyframes tell who else is there; views without a matte protect nobody.
        background: At the same moments.
    """
    drawn = {person.track_id for person in people}
    flows = (None, None) if background.flow is None else background.flow.split(2, dim=1)
    keyframes = ((interval.a, flows[0]), (interval.b, flows[1]))
    mattes = [(matte, flow) for one, flow in keyframes if (matte := _others(one, drawn)) is not None]
    if not mattes:
        return list(people)
    return [_clear(person, mattes) if person.trust.numel() else person for person in people]


def overlap_with_neighbours(view: PersonView, keyframe: Keyframe) -> float:
    """Share (0..1) of a person's matte in a keyframe where the matte of somebody else is too.

    Where people cover each other, mattes and poses are mixed up; 0 without a matte.
    """
    others = [one for one in keyframe.people if one.track_id != view.track_id and _has_pixels(one)]
    if not others or view.matte is None or not _has_pixels(view):
        return 0.0
    there = torch.stack([view.box.of(one.mask(keyframe.size_px)) for one in others]).amax(0)
    return float(torch.minimum(view.matte, there).sum() / view.matte.sum().clamp_min(1e-6))


def interpolated_scene(
    picture: torch.Tensor,
    background: Background,
    interval: Interval,
    without: Collection[int],
    part: Box | None = None,
) -> torch.Tensor:
    """What the interpolated frame knows of the scene behind some people.

    Args:
        picture: (N, 3, h, w), moved as the interpolated frame was.
        background: At the same moments, of the whole picture.
        interval: Its keyframes show the people with mattes.
        without: Their track ids.
        part: What `picture` shows of the whole; None for all.

    Returns:
        (N, 4, h, w): the picture, and 1 where it shows the scene, 0 where one of the people was moved to.
    """
    mattes = [_greatest_matte(one, without) for one in (interval.a, interval.b)]
    width, height = interval.a.size_px
    planes = [picture.new_zeros(1, height, width) if one is None else one for one in mattes]
    moved = interpolate_planes(background, planes[0], planes[1], interval.fractions, part)
    return torch.cat([picture, 1 - moved], 1)


def _clear(
    person: RenderedPerson, mattes: Sequence[tuple[torch.Tensor, torch.Tensor | None]]
) -> RenderedPerson:
    """One person without trust where the mattes (1, H, W) are, or are carried by their flow (N, 2, H, W)."""
    seen = [_seen(matte, flow, person.box).expand_as(person.trust) for matte, flow in mattes]
    there = (torch.stack(seen).amax(0) > SEEN).to(person.trust.dtype)
    return replace(person, trust=person.trust * (1 - _grown(there, mattes[0][0].shape[1])))


def _others(keyframe: Keyframe, drawn: Collection[int]) -> torch.Tensor | None:
    """The greatest matte of those who are not drawn."""
    return _greatest_matte(keyframe, {view.track_id for view in keyframe.people} - set(drawn))


def _greatest_matte(keyframe: Keyframe, of: Collection[int]) -> torch.Tensor | None:
    """(1, H, W) of the whole picture, the greatest of some people's mattes; None without any."""
    views = [view for view in keyframe.people if view.track_id in of and _has_pixels(view)]
    if not views:
        return None
    masks = (view.mask(keyframe.size_px) for view in views)
    return reduce(torch.maximum, masks)  # one is not copied


def _has_pixels(view: PersonView) -> bool:
    return view.matte is not None and view.matte.numel() > 0


def _seen(matte: torch.Tensor, flow: torch.Tensor | None, box: Box) -> torch.Tensor:
    """(N or 1, 1, h, w) inside a box: the matte where it is, and where the flow carries it."""
    still = box.of(matte)[None]
    if flow is None:
        return still
    height, width = matte.shape[1:]
    x, y = (box.centres(1, flow.device) + box.of(flow)).unbind(1)
    grid = torch.stack([2 * x / width - 1, 2 * y / height - 1], -1)
    layers = matte[None].expand(len(flow), -1, -1, -1)
    carried = F.grid_sample(layers, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return torch.maximum(carried, still)


def _grown(there: torch.Tensor, height_px: int) -> torch.Tensor:
    """A mask (N, 1, h, w) and a little around it."""
    return largest_around(there, max(1, round(MARGIN * height_px)))
