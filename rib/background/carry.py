"""Other planes of the keyframes, such as transparency, brought to the times of an interpolated picture."""

from __future__ import annotations

import torch

from rib.background.blend import cross_fade
from rib.background.warp import backward_warp, grid_sample_pixel_grid
from rib.structures.box import Box
from rib.structures.interval import Background


def interpolate_planes(
    background: Background,
    a: torch.Tensor,
    b: torch.Tensor,
    fractions: torch.Tensor,
    part: Box | None = None,
) -> torch.Tensor:
    """Move two planes as the interpolator moved the pictures, or cross-fade them where it tells no flow.

    Args:
        background: With flow, shares and where it cross-faded.
        a: (C, H, W) in 0..1, of the earlier keyframe.
        b: (C, H, W) of the later one.
        fractions: (N,), 0 at a and 1 at b.
        part: Rows and columns that are asked for; None for the whole picture.

    Returns:
        (N, C, h, w) in 0..1.
    """
    num, (height, width) = len(fractions), a.shape[-2:]
    part = part or Box(0, 0, height, width)
    faded = cross_fade(part.of(a)[None], part.of(b)[None], fractions)
    if background.flow is None or background.weight_a is None:
        return faded
    grid = part.of(grid_sample_pixel_grid(height, width, a.device))
    moved_a, moved_b = (
        backward_warp(plane.expand(num, -1, -1, -1), part.of(flow), grid)
        for plane, flow in zip((a, b), background.flow.split(2, dim=1), strict=True)
    )
    moved = torch.lerp(moved_b, moved_a, part.of(background.weight_a))
    if background.moved is not None:
        moved = torch.lerp(faded, moved, part.of(background.moved))
    return moved.clamp(0, 1)
