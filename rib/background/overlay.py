"""Pixels that stand still over a moving picture: logos, subtitles, scoreboards."""

from __future__ import annotations

import torch
from torch.nn.functional import avg_pool2d, max_pool2d

from rib.structures.interval import Interval

SAME = 6 / 255
"""Colours that differ by less are one, after a codec."""
MOVED = 16 / 255
EDGE = 0.25
"""Contrast of neighbouring pixels from which an edge would show that it moved."""
WINDOW_SHARE = 0.04
"""Side of the neighbourhood, as a share of the picture's height."""
MOVING_SHARE = 0.12
"""Of a neighbourhood, below which nothing moves around: an interpolator keeps such places by itself."""
STILL_EDGES = 0.65
"""Of a neighbourhood's edges close by, from which they are an overlay's and did not meet by chance."""
REACH_PX = 2


def find_still_overlays(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Find what two keyframes show unchanged while the picture around it moves.

    A pixel is kept where it has one colour in both keyframes, sharp edges close by stand still too, and
    much of its neighbourhood changed.

    Args:
        a: (3, H, W) in 0..1.
        b: The same.

    Returns:
        (1, H, W) in 0..1: 1 where the keyframes' own pixels are to be shown in between.
    """
    difference = (a - b).abs().amax(dim=0)[None, None]
    side = max(15, round(a.shape[1] * WINDOW_SHARE) | 1)
    same = (difference < SAME).float()
    edges, others = _edges(a), _edges(b)
    both = edges * others
    moving = _mean((difference > MOVED).float(), side) > MOVING_SHARE
    near = 4 * REACH_PX + 1
    share = _mean(both, near) / _mean(torch.maximum(edges, others), near).clamp_min(1e-6)
    sure = both * same * moving.float() * (share > STILL_EDGES).float()
    sure *= (_mean(sure, side) * side * side >= 12).float()  # no lone pixels
    kept = same * max_pool2d(sure, 2 * REACH_PX + 1, stride=1, padding=REACH_PX)
    return kept[0]


def lay_still_overlays(
    interval: Interval, made: torch.Tensor, trust: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Lay what stands still in both keyframes over the frames between them.

    Args:
        interval: The keyframes and N moments.
        made: (N, 3, H, W), the frames.
        trust: (N, 1, H, W), the renderers' part in them.

    Returns:
        Both, with the keyframes' own pixels, and no trust, where `find_still_overlays` finds one.
    """
    kept = find_still_overlays(interval.a.picture, interval.b.picture)
    if not kept.any():
        return made, trust
    t = interval.fractions[:, None, None, None]
    still = torch.lerp(interval.a.picture[None], interval.b.picture[None], t)
    return torch.lerp(made, still, kept), trust * (1 - kept)


def _edges(picture: torch.Tensor) -> torch.Tensor:
    """(1, 1, H, W), 1 where the contrast within a pixel around is large."""
    grey = picture.mean(dim=0)[None, None]
    contrast = max_pool2d(grey, 3, stride=1, padding=1) + max_pool2d(-grey, 3, stride=1, padding=1)
    return (contrast > EDGE).float()


def _mean(values: torch.Tensor, side: int) -> torch.Tensor:
    return avg_pool2d(values, side, stride=1, padding=side // 2, count_include_pad=False)
