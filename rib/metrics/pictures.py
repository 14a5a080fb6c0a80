"""PSNR and SSIM, over the whole picture or over a region."""

from __future__ import annotations

import math

import torch
from torchmetrics.functional.image import structural_similarity_index_measure

LOWEST_ERROR = 1e-9
"""Squared errors below it count as this much: equal pictures have a PSNR of 90 dB and not infinity."""


def psnr_db(predicted: torch.Tensor, true: torch.Tensor, region: torch.Tensor | None = None) -> float:
    """Peak signal-to-noise ratio of one picture.

    Args:
        predicted: (3, H, W) in 0..1.
        true: (3, H, W) in 0..1.
        region: (H, W) bool; the error is the mean over its pixels alone. Zeroing the rest instead, as is
            often done, counts it as perfect and reads 10 log10(1 / share of the region) dB too high.
    """
    squared = (predicted - true).square()
    mean = squared.mean() if region is None else squared[:, region].mean()
    return -10 * math.log10(max(float(mean), LOWEST_ERROR))


def ssim(predicted: torch.Tensor, true: torch.Tensor, region: torch.Tensor | None = None) -> float:
    """Structural similarity of one picture (Wang et al. 2004, gaussian of sigma 1.5), 1 for equal ones.

    Args:
        predicted: (3, H, W) in 0..1; H and W at least 11.
        true: (3, H, W) in 0..1.
        region: (H, W) bool; similarity is computed in the whole picture and averaged over its pixels.
    """
    mean, full = structural_similarity_index_measure(
        predicted[None], true[None], data_range=1.0, return_full_image=True
    )
    return float(mean if region is None else full[0, :, region].mean())


def worst_tenth(values: list[float], lower_is_better: bool) -> float:
    """The mean of the worst tenth of the values, of at least one."""
    ordered = sorted(values, reverse=lower_is_better)
    worst = ordered[: max(1, len(values) // 10)]
    return sum(worst) / len(worst)
