"""What the motion net is trained on: named, unweighted terms.

Errors are Euclidean distances in px, divided for each clip by what the natural cubic spline achieves there: a clean
clip, where a hundredth of a pixel decides, weighs as much as a noisy one. Letters: B clips, K keyframes, J joints,
F frames probed in a piece.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from rib.motion.curve import MotionCurve, blend
from rib.motion.windows import MotionBatch
from rib.skeleton import joint_set


class MotionLoss:
    """Computes the terms of a batch.

    Args:
        floor_px: Added to the spline's error, so that clips that it solves do not dominate.
        power: 1 weighs all clips alike, 0 by their error.
        unseen: Weight of a joint that was never observed in the clip.
    """

    def __init__(self, floor_px: float, power: float, unseen: float) -> None:
        self.floor_px, self.power, self.unseen = floor_px, power, unseen
        self.limbs = torch.tensor(joint_set("body19").limbs)

    def __call__(self, curve: MotionCurve, spline: MotionCurve, batch: MotionBatch) -> dict[str, Tensor]:
        """Terms by name, each a scalar.

        Args:
            curve: The net's answer.
            spline: The natural cubic spline of the same keyframes, the measure of difficulty.
            batch: The truth.
        """
        found = torch.cat([at_probes(curve, batch), curve.position_px[:, 1:, None]], 2)
        with torch.no_grad():
            baseline = at_probes(spline, batch)
        truth = torch.cat([batch["probe_px"], batch["target_px"][:, 1:, None]], 2)
        weight = torch.where(curve.seen, 1.0, self.unseen)
        weight = weight / weight.mean(1, keepdim=True).clamp_min(1e-6)
        error = found - truth
        baseline_error = baseline - batch["probe_px"]
        scale = lambda e: self._scale(_mean(e.norm(dim=-1), weight))  # noqa: E731
        size = scale(baseline_error[:, :, 1:4])
        keys = curve.position_px - batch["target_px"]
        change, base_change = error[:, :, 2:4] - error[:, :, 1:3], baseline_error[:, :, 2:4] - baseline_error[:, :, 1:3]
        bend, base_bend = _bends(error, curve.position_px[:, :1] - batch["target_px"][:, :1]), _bends(
            torch.cat([baseline_error, (spline.position_px - batch["target_px"])[:, 1:, None]], 2),
            (spline.position_px - batch["target_px"])[:, :1],
        )
        return {
            "position": self._ratio(error[:, :, 1:4], size, weight),
            "keyframe": self._ratio(keys, size, weight),
            "velocity": self._ratio(change, scale(base_change), weight),
            "acceleration": self._ratio(bend, scale(base_bend), weight),
            "bone": self._bones(found[:, :, 2], truth[:, :, 2], size),
            "confidence": self._doubt(curve, error, batch, weight),
        }

    def _scale(self, error_B: Tensor) -> Tensor:
        return (error_B + self.floor_px) ** self.power

    def _ratio(self, error: Tensor, size_B: Tensor, weight: Tensor) -> Tensor:
        """Mean distance over the clips' sizes; smoothed near 0."""
        size = size_B.reshape(-1, *[1] * (error.dim() - 2))
        smooth = 0.02 * size
        distance = (error.square().sum(-1) + smooth**2).sqrt()
        return (_mean(distance, weight) / size_B).mean()

    def _bones(self, found: Tensor, truth: Tensor, size_B: Tensor) -> Tensor:
        """Mean error of the limbs' projected lengths."""
        a, b = self.limbs.unbind(1)
        length = lambda x: ((x[..., a, :] - x[..., b, :]).square().sum(-1) + 1e-2).sqrt()  # noqa: E731
        return ((length(found) - length(truth)).abs().mean((1, 2)) / size_B).mean()

    def _doubt(self, curve: MotionCurve, error: Tensor, batch: MotionBatch, weight: Tensor) -> Tensor:
        """Negative log-likelihood of distances under a Rayleigh distribution whose mean is the expected error."""
        times, pieces = batch["times_s"], batch["probe_times_s"].shape[1]
        u = (batch["probe_times_s"][:, :, 2] - times[:, :-1]) / times.diff(dim=1)
        piece = torch.arange(pieces).expand(len(times), pieces)
        between = curve.log_error_at(piece, u.float())
        total = torch.zeros(())
        for e, log_b in ((error[:, :, 2], between), (curve.position_px - batch["target_px"], curve.log_error)):
            distance = e.detach().norm(dim=-1).clamp_min(0.05)
            log_b = log_b.clamp_min(math.log(0.02))
            total = total + _mean(distance / log_b.exp() + log_b - distance.log(), weight).mean()
        return total / 2


def at_probes(curve: MotionCurve, batch: MotionBatch) -> Tensor:
    """The curve at a batch's probes, (B, K - 1, F, J, 2)."""
    times = batch["times_s"]
    h = times.diff(dim=1)[..., None]
    u = ((batch["probe_times_s"] - times[:, :-1, None]) / h).float()
    x, m = curve.position_px[:, :, None], curve.tangent_px[:, :, None]
    ends = (x[:, :-1], x[:, 1:], m[:, :-1], m[:, 1:])
    return blend(u, h.float().expand_as(u), ends, curve.bump_px[:, :, None].unbind(3))


def _bends(error: Tensor, first: Tensor) -> Tensor:
    """Second differences of errors within the pieces and across their inner keyframes.

    Args:
        error: (B, P, F + 1, J, 2), at the probes and at the piece's last keyframe.
        first: (B, 1, J, 2), at the first keyframe of all.
    """
    del first
    inner = error[:, :, 1] - 2 * error[:, :, 2] + error[:, :, 3]
    across = error[:, :-1, 4] - 2 * error[:, :-1, 5] + error[:, 1:, 0]
    return torch.cat([inner, across], 1)


def _mean(x: Tensor, weight: Tensor) -> Tensor:
    """Mean of (B, ..., J) over all but the clips, joints weighted by (B, J)."""
    return (x.flatten(1, -2).mean(1) * weight).mean(1)


def weighted(terms: dict[str, Tensor], weights: dict[str, float] | Sequence[tuple[str, float]]) -> Tensor:
    """The sum that is minimised."""
    return sum((weight * terms[name] for name, weight in dict(weights).items()), torch.zeros(()))
