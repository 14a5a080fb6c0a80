"""A small net that says what drawing an interval would win, from evidence that needs no truth.

It is taught by hidden frames of other clips (`gate.py`): how much lower or higher the drawing's LPIPS is than
the interpolated frame's.
Letters: N moments, H and W the size of the person's box; R intervals, K features, M nets, D hidden units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

SMALL, NOTHING = 0.005, 1e-4
"""Differences (0..1) below these are noise."""
FURTHEST = 4.0
"""Standard deviations from their mean at which features are cut off: nothing was taught beyond."""
FEATURES = (
    "outline", "colour", "undecided", "flow_colours", "pose_colours", "colours", "flow_mattes", "pose_mattes",
    "mattes", "away", "trust", "detail", "share",
)  # fmt: skip
"""What the net sees, in the order of `trust_features`."""


@dataclass(frozen=True)
class DrawnBesideInterpolated:
    """A rendered person and the interpolated one, as far as features of them are made.

    Attributes:
        interpolated: (N, 3, H, W), the interpolated frame.
        colour: (N, 3, H, W), the rendered person.
        alpha: (N, 1, H, W).
        trust: (N, 1, H, W), where the two outlines disagree (`rib.render.trust.TrustMap.where`).
        mattes: (N, 1, H, W), the greater of the keyframes' mattes under the interpolator's flow.
        flow_differs: (N, 2, H, W), how far the keyframes differ under that flow, in colour and in matte.
        pose_differs: (N, 2, H, W), the same under the pose.
    """

    interpolated: torch.Tensor
    colour: torch.Tensor
    alpha: torch.Tensor
    trust: torch.Tensor
    mattes: torch.Tensor
    flow_differs: torch.Tensor
    pose_differs: torch.Tensor


def trust_features(shares: tuple[float, float, float], drawn: DrawnBesideInterpolated) -> tuple[float, ...]:
    """What the net sees (`FEATURES`), means over the person.

    Args:
        shares: See `rib.render.trust.TrustEvidence.shares`.
        drawn: At some moments of the interval.
    """
    person = torch.maximum(drawn.alpha, drawn.mattes)
    flow = [_mean(x, person) for x in drawn.flow_differs.split(1, 1)]
    pose = [_mean(x, drawn.alpha) for x in drawn.pose_differs.split(1, 1)]
    ratios = [math.log((f + SMALL) / (p + SMALL)) for f, p in zip(flow, pose, strict=True)]
    away = drawn.alpha * (drawn.colour - drawn.interpolated).abs().mean(1, keepdim=True)
    detail = [_mean(_detail(x), drawn.alpha) for x in (drawn.colour, drawn.interpolated)]
    return (
        *shares, flow[0], pose[0], ratios[0], flow[1], pose[1], ratios[1], _mean(away, person),
        _mean(drawn.trust, person), detail[0] / (detail[1] + NOTHING), float(person.mean()),
    )  # fmt: skip


@dataclass(frozen=True)
class LearnedTrust:
    """Small nets of one hidden layer, whose mean answer is taken.

    Attributes:
        mean: (K,), of the features ...
        scale: (K,), ... and their standard deviation, where the nets were taught.
        hidden: (M, D, K + 1), weights and bias of the M nets' D hidden units (tanh).
        answer: (M, D + 1), weights and bias of what they say.
    """

    mean: np.ndarray
    scale: np.ndarray
    hidden: np.ndarray
    answer: np.ndarray

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Say by which share LPIPS changes where intervals (R, K) are drawn: (R,), below 0 is better."""
        x = np.clip((features - self.mean) / self.scale, -FURTHEST, FURTHEST)
        units = np.tanh(np.einsum("mdk,rk->mrd", self.hidden[..., :-1], x) + self.hidden[:, None, :, -1])
        said = np.einsum("mrd,md->mr", units, self.answer[:, :-1]) + self.answer[:, None, -1]
        return said.mean(0)


def _mean(x: torch.Tensor, weight: torch.Tensor) -> float:
    return float((x * weight).sum() / weight.sum().clamp_min(1))


def _detail(x: torch.Tensor) -> torch.Tensor:
    """(N, 1, H, W), what a mean over 3 x 3 px takes from a picture."""
    return (x - F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)).abs().mean(1, keepdim=True)
