"""Backward warping: sample every pixel where a flow field points; pixel centres lie at .5."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def grid_sample_pixel_grid(
    height: int, width: int, device: torch.device, rows: slice = slice(None)
) -> torch.Tensor:
    """(1, 2, h, W) centres of some rows in `grid_sample` units: -1 and 1 at the edges of the picture."""
    x = (2 * torch.arange(width, device=device) + 1) / width - 1
    y = (2 * torch.arange(height, device=device)[rows] + 1) / height - 1
    return torch.stack([x.expand(len(y), width), y[:, None].expand(len(y), width)])[None]


def backward_warp(
    picture: torch.Tensor, flow: torch.Tensor, grid: torch.Tensor | None = None
) -> torch.Tensor:
    """Sample a picture bilinearly at every pixel plus its flow; outside, the border's colour goes on.

    Args:
        picture: (B, C, H, W).
        flow: (B, 2, H, W), x and y in pixels.
        grid: `grid_sample_pixel_grid` of the size or of those rows, where the caller has it already.

    Returns:
        (B, C, H, W).
    """
    height, width = picture.shape[-2:]
    if grid is None:
        grid = grid_sample_pixel_grid(height, width, picture.device)
    per_pixel = flow.new_tensor([2 / width, 2 / height]).view(1, 2, 1, 1)
    where = torch.addcmul(grid, flow, per_pixel).permute(0, 2, 3, 1)
    return F.grid_sample(picture, where, mode="bilinear", padding_mode="border", align_corners=False)
