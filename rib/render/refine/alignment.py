"""Alignment of the two keyframes' views of the person before their colours are mixed.

Poses are right to a few pixels: the same fold of a shirt comes from the two keyframes at two places. A
flow between the two views tells how far apart, and each is warped by its share of the way: the nearer in
time the keyframe, the less its view moves.
Letters: N moments, H and W the size of the person's box.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from rib.io.images import resized, to_pictures
from rib.structures.box import Box, row_strips
from rib.structures.windows import mean_around

SMOOTH_PX = 5
"""Side of the window over which the flow is averaged."""
SMALLEST_PX = 32
"""The shortest side in which DIS finds room for its patches; in smaller ones it reads beyond the picture."""
LARGEST_PX = 320
"""The tallest picture in which the flow is found; that of taller boxes is found in smaller ones."""
STRIP_PX = 128
"""Rows that are warped at once."""
LARGEST = 1 / 75
"""Share of the box's height beyond which a view is not moved: what is further off is in the wrong pose."""


def align_keyframe_views(
    per_keyframe: torch.Tensor, plate: torch.Tensor, fractions: torch.Tensor
) -> torch.Tensor:
    """Align the colours of two views (N, 2, 4, H, W) by optical flow, in place; their alphas stay.

    Those of a box with a side below `SMALLEST_PX` are left as they are: they could move by half a pixel.

    Args:
        per_keyframe: (N, 2, 4, H, W), colour and alpha as each keyframe alone gives them; the plate where
            nothing is.
        plate: (N, 3, H, W), the scene without the person.
        fractions: (N,), 0 at the first keyframe and 1 at the second.
    """
    if min(per_keyframe.shape[-2:]) < SMALLEST_PX:
        return per_keyframe
    height, width = per_keyframe.shape[-2:]
    colour, alpha = per_keyframe.split([3, 1], 2)
    ratio = min(1.0, max(LARGEST_PX / height, SMALLEST_PX / width))
    # large boxes take much memory: one view at a time, and its rows in strips
    small = [_small(torch.lerp(plate, colour[:, view], alpha[:, view]), ratio) for view in (0, 1)]
    pictures = to_pictures(torch.cat(small))  # a device is waited for once
    greys = [[cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in view] for view in np.split(pictures, 2)]
    limit_px = LARGEST * height
    for view, way in enumerate((fractions, 1 - fractions)):
        flow_px = _flow_px(greys[view], greys[1 - view]).to(plate)
        if ratio < 1:
            flow_px = F.interpolate(flow_px / ratio, (height, width), mode="bilinear", align_corners=False)
        shift_px = flow_px.clamp_(-limit_px, limit_px).mul_(way.view(-1, 1, 1, 1))
        colour[:, view] = _warped(colour[:, view], shift_px)
    return per_keyframe


def _small(pictures: torch.Tensor, ratio: float) -> torch.Tensor:
    """(N, 3, h, w), pictures (N, 3, H, W) at a share of their size."""
    height, width = pictures.shape[2:]
    return resized(pictures, (round(ratio * width), round(ratio * height))) if ratio < 1 else pictures


def _flow_px(to: Sequence[np.ndarray], of: Sequence[np.ndarray]) -> torch.Tensor:
    """(N, 2, h, w), by DIS (Kroeger et al., ECCV 2016): what lies at x in `of` lies at x + flow in `to`."""
    find = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # type: ignore[attr-defined]
    flows = [find.calc(one, other, None) for one, other in zip(of, to, strict=True)]
    return mean_around(torch.from_numpy(np.stack(flows)).permute(0, 3, 1, 2), SMOOTH_PX // 2)


def _warped(pictures: torch.Tensor, shift_px: torch.Tensor) -> torch.Tensor:
    height, width = pictures.shape[2:]
    warped = torch.empty_like(pictures)
    for rows in row_strips(height, STRIP_PX):
        places = Box(rows.start, 0, rows.stop - rows.start, width).centres(1, pictures.device)
        x, y = (places + shift_px[:, :, rows]).unbind(1)
        grid = torch.stack([2 * x / width - 1, 2 * y / height - 1], -1)
        warped[:, :, rows] = F.grid_sample(
            pictures, grid, mode="bicubic", padding_mode="border", align_corners=False
        ).clamp_(0, 1)
    return warped
