"""Alignment of the two keyframes' views of the person before their colours are mixed.

Poses are right to a few pixels: the same fold of a shirt comes from the two keyframes at two places. A
flow between the two views tells how far apart, and each is warped by its share of the way: the nearer in
time the keyframe, the less its view moves.
Letters: N moments, H and W the size of the person's box.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from rib.io.images import resized, to_pictures
from rib.structures.box import Box
from rib.structures.windows import mean_around

SMOOTH_PX = 5
"""Side of the window over which the flow is averaged."""
SMALLEST_PX = 32
"""The shortest side in which DIS finds room for its patches; in smaller ones it reads beyond the picture."""
LARGEST_PX = 320
"""The tallest picture in which the flow is found; that of taller boxes is found in smaller ones."""
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
    colour, alpha = per_keyframe.split([3, 1], 2)
    flow_px = _flows_px(torch.lerp(plate[:, None], colour, alpha))
    limit_px = LARGEST * per_keyframe.shape[-2]
    for view, way in enumerate((fractions, 1 - fractions)):
        shift_px = flow_px[:, view].clamp(-limit_px, limit_px) * way.view(-1, 1, 1, 1)
        colour[:, view] = _warped(colour[:, view], shift_px)
    return per_keyframe


def _flows_px(views: torch.Tensor) -> torch.Tensor:
    """(N, 2, 2, H, W) of views (N, 2, 3, H, W), by DIS (Kroeger et al., ECCV 2016).

    What lies at x in the second lies at x + flow[:, 0] in the first; flow[:, 1] is the other way round.
    """
    num, _, _, height, width = views.shape
    ratio = min(1.0, max(LARGEST_PX / height, SMALLEST_PX / width))
    small = views.flatten(0, 1)
    if ratio < 1:
        small = resized(small, (round(ratio * width), round(ratio * height)))
    greys = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in to_pictures(small)]
    find = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # type: ignore[attr-defined]
    pairs = zip(greys[::2], greys[1::2], strict=True)
    flows = [flow for a, b in pairs for flow in (find.calc(b, a, None), find.calc(a, b, None))]
    flow_px = mean_around(torch.from_numpy(np.stack(flows)).permute(0, 3, 1, 2).to(views), SMOOTH_PX // 2)
    if ratio < 1:
        flow_px = F.interpolate(flow_px / ratio, (height, width), mode="bilinear", align_corners=False)
    return flow_px.unflatten(0, (num, 2))


def _warped(pictures: torch.Tensor, shift_px: torch.Tensor) -> torch.Tensor:
    height, width = pictures.shape[2:]
    x, y = (Box(0, 0, height, width).centres(1, pictures.device) + shift_px).unbind(1)
    grid = torch.stack([2 * x / width - 1, 2 * y / height - 1], -1)
    return F.grid_sample(pictures, grid, mode="bicubic", padding_mode="border", align_corners=False).clamp(
        0, 1
    )
