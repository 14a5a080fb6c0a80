"""PSNR, SSIM and flicker, over the whole picture or over a region."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

LOWEST_ERROR = 1e-9
"""Squared errors below it count as this much: equal pictures have a PSNR of 90 dB and not infinity."""
_REACH_PX, _SIGMA_PX = 5, 1.5
_GAUSSIAN = [math.exp(-((shift / _SIGMA_PX) ** 2) / 2) for shift in range(-_REACH_PX, _REACH_PX + 1)]
_WEIGHTS = [weight / sum(_GAUSSIAN) for weight in _GAUSSIAN]
_C1, _C2 = 0.01**2, 0.03**2
"""Wang et al. 2004 for pictures in 0..1."""


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


def flicker(predicted: torch.Tensor, true: torch.Tensor, region: torch.Tensor | None = None) -> float:
    """Mean absolute error of the changes from each picture to the next, in 0..1.

    An error that stays as it is has none; one that alternates in sign counts twice.

    Args:
        predicted: (T, 3, H, W) in 0..1, at least two pictures.
        true: (T, 3, H, W) in 0..1.
        region: (H, W) bool; the error is the mean over its pixels alone.
    """
    change = (predicted - true).diff(dim=0).abs()
    return float(change.mean() if region is None else change[..., region].mean())


def ssim(predicted: torch.Tensor, true: torch.Tensor, region: torch.Tensor | None = None) -> float:
    """Structural similarity of one picture (Wang et al. 2004, gaussian of sigma 1.5), 1 for equal ones.

    Args:
        predicted: (3, H, W) in 0..1; H and W at least 11.
        true: (3, H, W) in 0..1.
        region: (H, W) bool; similarity is computed in the whole picture and averaged over its pixels.
    """
    similarity = ssim_map(predicted, true)
    return float(similarity.mean() if region is None else similarity[:, region].mean())


def ssim_map(predicted: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """Structural similarity at every pixel and colour, (3, H, W); see `ssim`."""
    moments = torch.stack([predicted, true, predicted.square(), true.square(), predicted * true])
    one, other, squared, other_squared, product = _blurred(moments)
    variances = (squared - one.square()).clamp(min=0) + (other_squared - other.square()).clamp(min=0)
    likeness = (2 * one * other + _C1) * (2 * (product - one * other) + _C2)
    return likeness / ((one.square() + other.square() + _C1) * (variances + _C2))


def _blurred(planes: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) under the gaussian window, along rows and then columns: 22 products and not 121."""
    _, _, height, width = planes.shape
    padded = F.pad(planes, (_REACH_PX,) * 4, mode="reflect")
    across = _WEIGHTS[0] * padded[..., :width]
    for shift, weight in enumerate(_WEIGHTS[1:], 1):
        across.add_(padded[..., shift : shift + width], alpha=weight)
    both = _WEIGHTS[0] * across[..., :height, :]
    for shift, weight in enumerate(_WEIGHTS[1:], 1):
        both.add_(across[..., shift : shift + height, :], alpha=weight)
    return both


def worst_tenth_of_scores(values: list[float], lower_is_better: bool) -> float:
    """The mean of the worst tenth of the values, of at least one."""
    ordered = sorted(values, reverse=lower_is_better)
    worst = ordered[: max(1, len(values) // 10)]
    return sum(worst) / len(worst)
