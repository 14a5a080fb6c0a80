"""The landmark network's output: points refined by their heatmaps, and a mask.

BlazePose: Bazarevsky et al., 2020. A regressed point is moved to the centre of its heatmap close by.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

SIZE_PX = 256
"""Side of the pictures that the network sees."""
NUM_POINTS = 39
"""33 of the body, two of the circle around it, and four more that nobody reads."""
_REACH = 4
"""Pixels of the heatmap around a point that have a say."""
_MIN_CONFIDENCE = 0.5
"""A heatmap that is nowhere as sure leaves the point where it is."""


class Bodies(NamedTuple):
    """Bodies in B pictures.

    Attributes:
        points: (B, 39, 3) float64, shares of the picture's side.
        visibility: (B, 39) in 0..1.
        presence: (B,) in 0..1, whether there is somebody.
        masks: (B, 256, 256) float32 in 0..1.
    """

    points: np.ndarray
    visibility: np.ndarray
    presence: np.ndarray
    masks: np.ndarray


def bodies_in(outputs: Sequence[torch.Tensor], masks: bool) -> Bodies:
    """Read the network's outputs.

    Args:
        outputs: Points, presence, mask and heatmaps as the network gives them, for B pictures.
        masks: Whether the masks are wanted; else there are none, of shape (0, 256, 256).
    """
    raw = outputs[0].unflatten(1, (NUM_POINTS, 5))
    points = raw[..., :3] / SIZE_PX
    xy = refine_points(points[..., :2], outputs[3])
    points = torch.cat([xy, points[..., 2:]], dim=-1)
    coarse = outputs[2][:, 0] if masks else outputs[2][:0, 0]
    return Bodies(
        points.cpu().numpy().astype(np.float64),
        raw[..., 3].sigmoid().cpu().numpy().astype(np.float64),
        outputs[1][:, 0].cpu().numpy(),
        coarse.sigmoid().cpu().numpy(),
    )


def refine_points(points_BJ2: torch.Tensor, heatmaps_BJHW: torch.Tensor) -> torch.Tensor:
    """Move points to the centre of mass of their heatmaps close by.

    Args:
        points_BJ2: Shares of the picture's side.
        heatmaps_BJHW: Logits.

    Returns:
        (B, J, 2); a point outside its heatmap, or where the heatmap is not sure, stays.
    """
    height, width = heatmaps_BJHW.shape[2:]
    cell = (points_BJ2 * points_BJ2.new_tensor([width, height])).long()
    around = torch.arange(-_REACH, _REACH + 1, device=cell.device)
    columns, rows = (cell[..., axis, None] + around for axis in (0, 1))
    inside = ((rows >= 0) & (rows < height))[..., :, None] & ((columns >= 0) & (columns < width))[
        ..., None, :
    ]
    place = rows.clamp(0, height - 1)[..., :, None] * width + columns.clamp(0, width - 1)[..., None, :]
    heat = heatmaps_BJHW.flatten(2).gather(2, place.flatten(2)).sigmoid().view(place.shape) * inside
    total = heat.sum((-1, -2))
    x = (heat.sum(-2) * columns).sum(-1) / total / width
    y = (heat.sum(-1) * rows).sum(-1) / total / height
    sure = (heat.amax((-1, -2)) >= _MIN_CONFIDENCE) & (cell[..., 0] >= 0) & (cell[..., 0] < width)
    sure &= cell[..., 1] >= 0
    return torch.where(sure[..., None], torch.stack([x, y], dim=-1), points_BJ2)
