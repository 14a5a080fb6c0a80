"""Errors of a predicted 2-D motion against the true one.

Letters: B sequences, T moments, J joints. Every measure gives one number a sequence, (B,), so that long and
short sequences weigh the same in a mean over them; NaN for a sequence without a valid joint.
"""

from __future__ import annotations

import torch

TORSO = (1, 8)
"""Neck and middle of the hips in `BODY_25` and in `BODY19`."""


def joint_error_px(
    predicted: torch.Tensor, true: torch.Tensor, valid: torch.Tensor | None = None
) -> torch.Tensor:
    """Mean distance of the joints in pixels.

    Args:
        predicted: (B, T, J, 2) px.
        true: (B, T, J, 2) px.
        valid: (B, T, J) bool, the joints that count; None for all.
    """
    return _mean((predicted - true).norm(dim=-1), valid)


def joint_error_per_torso(
    predicted: torch.Tensor, true: torch.Tensor, valid: torch.Tensor | None = None
) -> torch.Tensor:
    """`joint_error_px` in units of the sequence's torso length."""
    return joint_error_px(predicted, true, valid) / metric_torso_length_px(true, valid)


def pck(
    predicted: torch.Tensor, true: torch.Tensor, threshold: float, valid: torch.Tensor | None = None
) -> torch.Tensor:
    """Share of correct keypoints: nearer to the truth than `threshold` torso lengths (Yang and Ramanan 2013).

    Args:
        predicted: (B, T, J, 2) px.
        true: (B, T, J, 2) px.
        threshold: In torso lengths, such as 0.05.
        valid: (B, T, J) bool, the joints that count; None for all.
    """
    distance = (predicted - true).norm(dim=-1)
    return _mean((distance < threshold * metric_torso_length_px(true, valid)[:, None, None]).to(true), valid)


def acceleration_error_px(
    predicted: torch.Tensor, true: torch.Tensor, valid: torch.Tensor | None = None
) -> torch.Tensor:
    """Mean length of the error's second difference, in pixels per moment squared; moments evenly spaced.

    Args:
        predicted: (B, T, J, 2) px, T at least 3.
        true: (B, T, J, 2) px.
        valid: (B, T, J) bool; a second difference counts where all three moments do.
    """
    error = predicted - true
    second = error[:, 2:] - 2 * error[:, 1:-1] + error[:, :-2]
    if valid is not None:
        valid = valid[:, 2:] & valid[:, 1:-1] & valid[:, :-2]
    return _mean(second.norm(dim=-1), valid)


def metric_torso_length_px(joints: torch.Tensor, valid: torch.Tensor | None = None) -> torch.Tensor:
    """Median distance from neck to mid hip over a sequence's moments, (B,) px, of (B, T, J, 2).

    The joint set must begin like BODY_25 (neck 1, mid hip 8), as BODY19 does. NaN where no moment has both.
    """
    neck, hip = TORSO
    length = (joints[:, :, neck] - joints[:, :, hip]).norm(dim=-1)
    if valid is not None:
        length = length.masked_fill(~(valid[:, :, neck] & valid[:, :, hip]), torch.nan)
    return length.nanmedian(dim=1).values


def _mean(values: torch.Tensor, valid: torch.Tensor | None) -> torch.Tensor:
    """Mean of (B, T, J) over the valid entries of each sequence."""
    if valid is None:
        return values.mean(dim=(1, 2))
    # masked_fill and not a product: what is not valid may be NaN
    total = values.masked_fill(~valid, 0).sum(dim=(1, 2))
    return total / valid.sum(dim=(1, 2))
