"""Weighted sums of neighbouring keyframes: predictions of a keyframe, and the steps to and from it.

The weights follow from times alone, so they are made once and applied to every joint by one product.
Letters: B clips, K keyframes, J joints, S stencils, P predictors.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from rib.motion.nets.spline_prior import shift_motion

PREDICTORS = ((-1, 1), (-2, -1, 1, 2), (-2, 2), (-3, 3), (-2, -1), (1, 2))
"""Neighbours through which a polynomial predicts a keyframe; all are exact on uniform motion."""
NOISE_ORDER = (1, 0, 4, 5)
"""The first of these `PREDICTORS` that exists measures noise: cubic, line, extrapolation at the ends."""
MAX_WEIGHT = 8.0
"""A predictor that magnifies noise more than this (very uneven keyframes) is left out."""
REACH = 3
LINE, NOISE, AFTER, BEFORE = 0, len(PREDICTORS), len(PREDICTORS) + 1, len(PREDICTORS) + 2
"""Places of stencils: a line's prediction, the measure of noise, the steps to the next and from the last."""


def keyframe_stencils(times_s: Tensor, present: Tensor) -> Tensor:
    """Weights of the neighbours from `REACH` before to `REACH` after, and of the keyframe itself.

    Args:
        times_s: (B, K) float64 seconds.
        present: (B, K) bool.

    Returns:
        (B, K, S, 2 REACH + 1) float32: for each of `PREDICTORS` prediction minus keyframe, then the measure
        of noise, the step to the next keyframe and the step from the last. 0 where a neighbour is lacking.
    """
    near = range(-REACH, REACH + 1)
    time = torch.stack([shift_motion(times_s, n) - times_s for n in near], -1).float()
    there = torch.stack([shift_motion(present.float(), n) for n in near], -1) > 0
    rows = [_predictor(time, there, neighbours) for neighbours in PREDICTORS]
    noise = torch.zeros_like(rows[0])
    for index in reversed(NOISE_ORDER):
        noise = torch.where((rows[index] != 0).any(-1, keepdim=True), rows[index], noise)
    steps = torch.zeros(2, len(near), device=time.device)
    steps[0, [REACH, REACH + 1]] = torch.tensor([-1.0, 1.0], device=time.device)
    steps[1, [REACH - 1, REACH]] = torch.tensor([-1.0, 1.0], device=time.device)
    both = [steps[i] * there[..., n, None] for i, n in ((0, REACH + 1), (1, REACH - 1))]
    return torch.stack([*rows, noise, *both], 2) * present[..., None, None]


def apply_keyframe_stencils(stencils_: Tensor, x: Tensor) -> Tensor:
    """(B, K, S, J, 2) sums of keyframes x (B, K, J, 2)."""
    B, K, J, _ = x.shape
    padded = F.pad(x.flatten(2), (0, 0, REACH, REACH))
    around = torch.stack([padded[:, n : n + K] for n in range(2 * REACH + 1)], 2)
    return (stencils_ @ around).reshape(B, K, -1, J, 2)


def _predictor(time: Tensor, there: Tensor, neighbours: tuple[int, ...]) -> Tensor:
    """(B, K, 2 REACH + 1): Lagrange weights at time 0, and -1 for the keyframe itself."""
    weight = torch.zeros_like(time)
    places = [n + REACH for n in neighbours]
    for a in places:
        share = torch.ones_like(time[..., 0])
        for b in places:
            if b != a:
                apart = time[..., a] - time[..., b]
                share = share * -time[..., b] / torch.where(apart == 0, 1.0, apart)
        weight[..., a] = share
    exists = there[..., places].all(-1) & (weight.abs().amax(-1) <= MAX_WEIGHT)
    weight[..., REACH] = -1
    return torch.where(exists[..., None], weight, 0.0)
