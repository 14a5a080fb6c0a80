"""Losses of the motion net: named, unweighted terms.

Errors are Euclidean distances in px, divided for each clip by what the natural cubic spline achieves there: a
clean clip, where a hundredth of a pixel decides, weighs as much as a noisy one. Letters: B clips, K
keyframes, J joints, F query times in a segment.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated

import torch
from torch import Tensor

from rib.io.settings.ranges import NonNegative, Positive, Range
from rib.motion.nets.curve import MotionCurve
from rib.motion.training.windows import NUM_QUERIES, MotionBatch
from rib.structures.skeleton import joint_set_named

MIDDLE = slice(1, NUM_QUERIES - 1)
"""The query times that stand for a segment; the outer two only serve the acceleration at keyframes."""


class MotionLoss:
    """Computes the terms of a batch.

    Args:
        floor_px: Added to the spline's error, so that clips that it solves do not dominate.
        power: 1 weighs all clips alike, 0 by their error.
        unseen: Weight of a joint that was never observed in the clip.
    """

    def __init__(self, floor_px: Positive, power: Annotated[float, Range(0, 4)], unseen: NonNegative) -> None:
        self.floor_px, self.power, self.unseen = floor_px, power, unseen
        self.limbs = torch.tensor(joint_set_named("body19").limbs)

    def __call__(self, curve: MotionCurve, spline: MotionCurve, batch: MotionBatch) -> dict[str, Tensor]:
        """Terms by name, each a scalar.

        Args:
            curve: The net's answer.
            spline: The natural cubic spline of the same keyframes, the measure of difficulty.
            batch: The truth.
        """
        weight = torch.where(curve.seen, 1.0, self.unseen)
        weight = weight / weight.mean(1, keepdim=True).clamp_min(1e-6)
        error = _errors(curve, batch)
        with torch.no_grad():
            baseline = _errors(spline, batch)
        by = lambda e: (_mean(e.norm(dim=-1), weight) + self.floor_px) ** self.power  # noqa: E731
        size = by(baseline[:, :, MIDDLE])
        truth = batch["query_px"][:, :, NUM_QUERIES // 2]
        return {
            "position": _ratio(error[:, :, MIDDLE], size, weight),
            "keyframe": _ratio(curve.position_px - batch["target_px"], size, weight),
            "velocity": _ratio(_changes(error), by(_changes(baseline)), weight),
            "acceleration": _ratio(_bends(error), by(_bends(baseline)), weight),
            "bone": self._bones(truth + error[:, :, NUM_QUERIES // 2], truth, size),
            "confidence": self._doubt(curve, error, batch, weight),
        }

    def _bones(self, found: Tensor, truth: Tensor, size_B: Tensor) -> Tensor:
        """Mean error of the limbs' projected lengths."""
        a, b = self.limbs.unbind(1)
        length = lambda x: ((x[..., a, :] - x[..., b, :]).square().sum(-1) + 1e-2).sqrt()  # noqa: E731
        return ((length(found) - length(truth)).abs().mean((1, 2)) / size_B).mean()

    def _doubt(self, curve: MotionCurve, error: Tensor, batch: MotionBatch, weight: Tensor) -> Tensor:
        """Score the expected error against the distance: an exponential distribution's log-likelihood."""
        times, segments = batch["times_s"], batch["query_times_s"].shape[1]
        u = (batch["query_times_s"][:, :, NUM_QUERIES // 2] - times[:, :-1]) / times.diff(dim=1)
        segment = torch.arange(segments).expand(len(times), segments)
        between = curve.log_error_at(segment, u.float())
        total = torch.zeros(())
        for e, log_b in (
            (error[:, :, NUM_QUERIES // 2], between),
            (curve.position_px - batch["target_px"], curve.log_error),
        ):
            distance = e.detach().norm(dim=-1).clamp_min(0.05)
            log_b = log_b.clamp_min(math.log(0.02))
            total = total + _mean(distance / log_b.exp() + log_b - distance.log(), weight).mean()
        return total / 2


def curve_at_query_times(curve: MotionCurve, batch: MotionBatch) -> Tensor:
    """Evaluate the curve at a batch's query times, (B, K - 1, F, J, 2)."""
    return curve.between(batch["query_times_s"])


def _errors(curve: MotionCurve, batch: MotionBatch) -> Tensor:
    """(B, K - 1, NUM_QUERIES + 1, J, 2): at the query times of a segment and at its last keyframe."""
    keys = (curve.position_px - batch["target_px"])[:, 1:, None]
    return torch.cat([curve_at_query_times(curve, batch) - batch["query_px"], keys], 2)


def _changes(error: Tensor) -> Tensor:
    """Differences of errors one frame apart."""
    return error[:, :, MIDDLE][:, :, 1:] - error[:, :, MIDDLE][:, :, :-1]


def _bends(error: Tensor) -> Tensor:
    """Second differences of errors, within the pieces and across their inner keyframes."""
    before, here, after = error[:, :, MIDDLE].unbind(2)
    across = error[:, :-1, -2] - 2 * error[:, :-1, -1] + error[:, 1:, 0]
    return torch.cat([before - 2 * here + after, across], 1)


def _ratio(error: Tensor, size_B: Tensor, weight: Tensor) -> Tensor:
    """Mean distance over the clips' sizes; smoothed near 0."""
    smooth = 0.02 * size_B.reshape(-1, *[1] * (error.dim() - 2))
    distance = (error.square().sum(-1) + smooth**2).sqrt()
    return (_mean(distance, weight) / size_B).mean()


def _mean(x: Tensor, weight: Tensor) -> Tensor:
    """Mean of (B, ..., J) over all but the clips, joints weighted by (B, J)."""
    return (x.flatten(1, -2).mean(1) * weight).mean(1)


def weighted_motion_loss(terms: dict[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """The sum that is minimised."""
    return sum((weight * terms[name] for name, weight in weights.items()), torch.zeros(()))
