"""Greatest and mean of a window around every pixel, in time that hardly grows with the window."""

from __future__ import annotations

import cv2
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

    On a CPU OpenCV's sums run along rows and columns, unless gradients are wanted or a net is exported: a
    tenth of the time of PyTorch's pooling, which looks at each pixel of the window. Both differ by rounding.

    Args:
        planes: (N, C, H, W), floating point.
        radius_px: 0 or more.
    """
    window = 2 * radius_px + 1
    numbers = type(planes) is torch.Tensor and not torch.compiler.is_compiling()
    if numbers and planes.is_cpu and planes.dtype == torch.float32 and not planes.requires_grad:
        return _mean_by_sums(planes, window)
    rows = F.avg_pool2d(planes, (window, 1), 1, (radius_px, 0), count_include_pad=False)
    return F.avg_pool2d(rows, (1, window), 1, (0, radius_px), count_include_pad=False)


def _mean_by_sums(planes: torch.Tensor, window: int) -> torch.Tensor:
    mean = torch.empty(planes.shape)
    for of, to in zip(planes.flatten(0, 1), mean.flatten(0, 1), strict=True):
        cv2.boxFilter(of.numpy(), -1, (window,) * 2, to.numpy(), (-1, -1), False, cv2.BORDER_CONSTANT)
    high, wide = (_pixels_inside(length, window // 2) for length in planes.shape[2:])
    return mean.div_(high[:, None]).div_(wide)


def _pixels_inside(length: int, radius_px: int) -> torch.Tensor:
    """(length,), how many pixels of a row's or column's window lie inside it."""
    at = torch.arange(length)
    return (at + radius_px).clamp_max(length - 1) - (at - radius_px).clamp_min(0) + 1


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
