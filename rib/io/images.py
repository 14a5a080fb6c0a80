"""Images between 8 bits and floats: one place and one rounding, floor(255 x + 0.5).

Letters: N pictures, C channels, H and W their size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    import torch

Image = TypeVar("Image", "np.ndarray", "torch.Tensor")


def to_uint8(image: Image) -> Image:
    """Round floats in 0..1, an array or a tensor of any shape, to uint8; what lies outside is clipped."""
    if isinstance(image, np.ndarray):
        levels = image * 255 + 0.5
        return np.clip(levels, 0, 255, out=levels).astype(np.uint8)
    import torch

    return (image * 255).add_(0.5).clamp_(0, 255).to(torch.uint8)


def to_float(image: Image) -> Image:
    """Divide uint8, an array or a tensor of any shape, by 255: float32 in 0..1."""
    return image.astype(np.float32) / 255 if isinstance(image, np.ndarray) else image.float() / 255


def size_within(size_px: tuple[int, int], most_mpx: float) -> tuple[int, int]:
    """A picture's width and height, or smaller ones of the same shape with at most so many 10^6 pixels."""
    ratio = min(1.0, (most_mpx * 1e6 / (size_px[0] * size_px[1])) ** 0.5)
    return round(size_px[0] * ratio), round(size_px[1] * ratio)


def resized(planes: torch.Tensor, size_px: tuple[int, int]) -> torch.Tensor:
    """Planes (N, C, H, W), uint8 or float32, at another width and height; smaller ones are means."""
    import torch
    import torch.nn.functional as F

    able = planes.is_cpu or planes.is_floating_point()  # a GPU resizes floats alone
    made = F.interpolate(
        planes if able else planes.float(), size=size_px[::-1], mode="bilinear", antialias=True
    )
    return made if made.dtype == planes.dtype else made.add_(0.5).clamp_(0, 255).to(torch.uint8)


def to_pictures(tensor: torch.Tensor, white: int = 255) -> np.ndarray:
    """Round a tensor (..., C, H, W) in 0..1 to pictures (..., H, W, C): uint8, or uint16 of `white` 65535."""
    if white != 255:
        levels = (tensor * white).add_(0.5).clamp_(0, white).int()
        return np.ascontiguousarray(levels.movedim(-3, -1).cpu().numpy().astype(np.uint16))
    planes = to_uint8(tensor).cpu().numpy()
    if planes.shape[-3] not in (3, 4) or not planes.size:
        return np.ascontiguousarray(np.moveaxis(planes, -3, -1))
    import cv2  # interleaves three times as fast

    *several, num, height, width = planes.shape
    made = np.empty((*several, height, width, num), np.uint8)
    for picture, own in zip(
        made.reshape(-1, height, width, num), planes.reshape(-1, num, height, width), strict=True
    ):
        cv2.merge(list(own), picture)
    return made


def to_tensor(picture: np.ndarray, device: torch.device | str = "cpu") -> torch.Tensor:
    """Convert a picture (H, W, C) uint8 or uint16 to a tensor (C, H, W) float32 in 0..1."""
    import torch

    if picture.dtype == np.uint16:
        return torch.from_numpy(picture.astype(np.float32) / 65535).to(device).permute(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(picture)).to(device).permute(2, 0, 1).float().div_(255)
