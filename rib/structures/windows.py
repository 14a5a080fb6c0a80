"""Greatest and mean of a window around every pixel, in time that hardly grows with the window."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def largest_around(planes: torch.Tensor, radius_px: int) -> torch.Tensor:
    """Greatest value in the square of 2 radius_px + 1 a side around every pixel, of the planes' shape.

    The same as a max-pooling with that window, which looks at each of its pixels in turn: here rows and
    columns go one after the other, each by windows that double (sparse table, Bender and Farach-Colton,
    LATIN 2000).

    Args:
        planes: (..., H, W), floating point; what lies beyond their border counts for nothing.
        radius_px: 0 or more.
    """
    for axis in (-2, -1):
        planes = _largest_along(planes, radius_px, axis)
    return planes


def mean_around(planes: torch.Tensor, radius_px: int) -> torch.Tensor:
    """Mean in the square of 2 radius_px + 1 a side around every pixel, over what lies inside the border.

    Args:
        planes: (N, C, H, W), floating point.
        radius_px: 0 or more.
    """
    window = 2 * radius_px + 1
    rows = F.avg_pool2d(planes, (window, 1), 1, (radius_px, 0), count_include_pad=False)
    return F.avg_pool2d(rows, (1, window), 1, (0, radius_px), count_include_pad=False)


def _largest_along(planes: torch.Tensor, radius_px: int, axis: int) -> torch.Tensor:
    length, window, reached = planes.shape[axis], 2 * radius_px + 1, 1
    beyond = [radius_px, radius_px] if axis == -1 else [0, 0, radius_px, radius_px]
    largest = F.pad(planes, beyond, value=-torch.inf)
    while 2 * reached <= window:
        rest = largest.shape[axis] - reached
        largest = torch.maximum(largest.narrow(axis, 0, rest), largest.narrow(axis, reached, rest))
        reached *= 2
    last = window - reached
    return torch.maximum(largest.narrow(axis, 0, length), largest.narrow(axis, last, length))
