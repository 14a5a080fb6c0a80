"""Pixels that stand still over a moving picture: logos, subtitles, scoreboards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import torch

from rib.structures.interval import Interval, Keyframe

SAME = 7 / 255
"""Brightness that differs by less is one, after a codec."""
SAME_COLOUR = 40 / 255
"""The same of single colours, stored at half the resolution: what is behind thin letters shines through."""
MOVED = 16 / 255
EDGE = 0.25
"""Contrast of neighbouring pixels from which an edge would show that it moved."""
WINDOW_SHARE = 0.04
"""Side of the neighbourhood, as a share of the picture's height."""
MOVING_SHARE = 0.12
"""Of a neighbourhood, below which nothing moves around: an interpolator keeps such places by itself."""
STILL_EDGES = 0.65
"""Of a neighbourhood's edges close by, from which they are an overlay's and did not meet by chance, where no
third keyframe shows it."""
NEAR_PX = 9
FEWEST_PX = 12
"""Of a neighbourhood's pixels: fewer stand still by chance."""
REACH_PX = 3
"""Around the edges pixels of one colour belong to the overlay."""


def find_still_overlays(
    a: torch.Tensor, b: torch.Tensor, witnesses: Sequence[torch.Tensor] = ()
) -> torch.Tensor:
    """Find what two keyframes show unchanged while the picture around it moves.

    A pixel is kept where it has one colour in both keyframes, sharp edges close by stand still too, and
    much of its neighbourhood changed. Edges of what moves meet by chance now and then, but not three times:
    an edge counts where a third keyframe shows it as well; without one, where most edges around stand still.

    Args:
        a: (3, H, W) in 0..1.
        b: The same.
        witnesses: Keyframes before `a` and after `b`.

    Returns:
        (1, H, W) in 0..1: 1 where the keyframes' own pixels are to be shown in between.
    """
    pictures = [picture.cpu().numpy() for picture in (a, b, *witnesses)]
    first, second = pictures[:2]
    side = max(15, round(a.shape[1] * WINDOW_SHARE) | 1)
    moves = _share(np.abs(first - second).max(axis=0) > MOVED, side) > MOVING_SHARE
    if not moves.any():
        return a.new_zeros((1, *a.shape[1:]))
    same, edges, others = _same(first, second, bool(witnesses)), _edges(first), _edges(second)
    both = edges & others & same
    if witnesses:
        thirds = [_edges(one) & _same(first, one) & _same(second, one) for one in pictures[2:]]
        still = both & np.logical_or.reduce(thirds)
    else:
        still = both & (_share(edges & others, NEAR_PX) > STILL_EDGES * _share(edges | others, NEAR_PX))
    still &= moves
    still &= _share(still, side) * side**2 >= FEWEST_PX
    kept = same & (_reached(still.astype(np.uint8), cv2.dilate, REACH_PX) > 0)
    return torch.from_numpy(kept[None].astype(np.float32)).to(a.device)


def lay_still_overlays(
    interval: Interval, made: torch.Tensor, trust: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Lay what stands still in both keyframes over the frames between them.

    Args:
        interval: The keyframes and N moments; its neighbours are witnesses.
        made: (N, 3, H, W), the frames.
        trust: (N, 1, H, W), the renderers' part in them.

    Returns:
        Both, with the keyframes' own pixels, and no trust, where `find_still_overlays` finds one.
    """
    a, b = interval.a, interval.b
    kept = find_still_overlays(
        a.picture, b.picture, [one.picture for one in interval.neighbours if _is_next(one, a, b)]
    )
    if not kept.any():
        return made, trust
    t = interval.fractions[:, None, None, None]
    still = torch.lerp(a.picture[None], b.picture[None], t)
    return torch.lerp(made, still, kept), trust * (1 - kept)


def _is_next(other: Keyframe, a: Keyframe, b: Keyframe) -> bool:
    return other.index in (a.index - 1, b.index + 1)


def _same(a: np.ndarray, b: np.ndarray, witnessed: bool = True) -> np.ndarray:
    """(H, W) bool, where two pictures have one colour; it has to be nearer where no third one tells."""
    difference = a - b
    colours = np.abs(difference).max(axis=0)
    return np.asarray((np.abs(_grey(difference)) < SAME) & (colours < (SAME_COLOUR if witnessed else SAME)))


def _edges(picture: np.ndarray) -> np.ndarray:
    """(H, W) bool, where the contrast within a pixel around is large."""
    grey = _grey(picture)
    return np.asarray(_reached(grey, cv2.dilate, 1) - _reached(grey, cv2.erode, 1) > EDGE)


def _grey(picture: np.ndarray) -> np.ndarray:
    """(H, W) brightness of (3, H, W) (ITU-R BT.601)."""
    return np.asarray(0.299 * picture[0] + 0.587 * picture[1] + 0.114 * picture[2])


def _reached(values: np.ndarray, way: Callable[..., Any], reach_px: int) -> np.ndarray:
    """The largest (dilate) or smallest (erode) value within some pixels."""
    return np.asarray(way(values, np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)))


def _share(marked: np.ndarray, side: int) -> np.ndarray:
    """(H, W) float32, the share of marked pixels in a square around each."""
    return np.asarray(cv2.blur(marked.astype(np.float32), (side, side)))
