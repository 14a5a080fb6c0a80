"""The one compositing equation, and the step back to 8 bits."""

from __future__ import annotations

import numpy as np
import torch

from rib.structures.interval import Background, Rendered


def compose(background: Background, rendered: Rendered) -> torch.Tensor:
    """Lay the rendered person over the plate and trust it against the interpolated frame.

    `rendered = alpha * foreground + (1 - alpha) * plate`
    `output = interpolated + trust * (rendered - interpolated)`

    Args:
        background: Its plate may be None where trust is 0 everywhere.
        rendered: Foreground, alpha and trust of the same N moments.

    Returns:
        (N, 3, H, W) float32 in 0..1; exactly `interpolated` where trust is 0.
    """
    floor = background.interpolated
    if not rendered.trust.any():
        return floor
    plate = floor if background.plate is None else background.plate
    person = rendered.alpha * rendered.foreground + (1 - rendered.alpha) * plate
    return torch.where(rendered.trust > 0, torch.lerp(floor, person, rendered.trust), floor).clamp(0, 1)


def to_uint8(pictures: torch.Tensor) -> np.ndarray:
    """(N, 3, H, W) float in 0..1 to (N, H, W, 3) uint8, rounded to the nearest."""
    scaled = (pictures * 255 + 0.5).clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(scaled.permute(0, 2, 3, 1).cpu().numpy())


def to_float(picture: np.ndarray, device: torch.device | str = "cpu") -> torch.Tensor:
    """(H, W, 3) uint8 to (3, H, W) float32 in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(picture)).to(device).permute(2, 0, 1).float().div_(255)
