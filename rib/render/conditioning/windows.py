"""Small windows around limbs, of one size over a batch, so that a limb costs its own pixels only."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class ConditioningLimbWindows:
    """A window a pose, wholly inside the picture.

    Attributes:
        x: (N, w) columns, float.
        y: (N, h) rows, float.
        index: (N, h * w) int64 places in a flattened picture.
    """

    x: Tensor
    y: Tensor
    index: Tensor

    @classmethod
    def around(
        cls, a: Tensor, b: Tensor, margin_px: float, size_hw: tuple[int, int]
    ) -> ConditioningLimbWindows:
        """Windows that hold every pixel of the picture within a margin of the lines from a to b (N, 3)."""
        there = ((a[:, 2] > 0) & (b[:, 2] > 0))[:, None]
        ends = torch.stack([a.detach()[:, :2], b.detach()[:, :2]])
        # limbs that are not drawn must not make the window large; huge numbers must not overflow
        ends = torch.where(there, ends, 0.0).nan_to_num(0.0).clamp(-1e6, 1e6)
        first = (ends.amin(0) - margin_px).floor()
        span = (ends.amax(0) + margin_px).ceil() + 1 - first
        # a limb of which no pixel is inside needs no more room than one that is
        width, height = (int(v) for v in span.amax(0).tolist()) if len(a) else (1, 1)
        (y, rows), (x, columns) = (
            _run(first[:, axis], min(wanted, size), size)
            for axis, wanted, size in ((1, height, size_hw[0]), (0, width, size_hw[1]))
        )
        index = (rows[:, :, None] * size_hw[1] + columns[:, None, :]).flatten(1)
        return cls(x.to(a.dtype), y.to(a.dtype), index)


def _run(first: Tensor, count: int, size: int) -> tuple[Tensor, Tensor]:
    """`count` neighbouring places from `first` (N,) on, moved so that they lie in 0..size - 1."""
    start = first.clamp(0, size - count).long()
    places = start[:, None] + torch.arange(count, device=first.device)
    return places.float(), places
