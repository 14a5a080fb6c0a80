"""The motion net's output: a spline with residuals that is evaluated at any time.

Letters: B clips, K keyframes, J joints, Q moments.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from rib.motion.nets.spline_prior import hermite_weights

NUM_RESIDUALS = 3


@dataclass(frozen=True)
class MotionCurve:
    """Cubic Hermite segments between keyframes, plus three residuals a segment that end flat at 0.

    Attributes:
        times_s: (B, K) float64, the keyframes' times.
        num_present: (B,), how many of the K keyframes count.
        position_px: (B, K, J, 2), denoised keyframes.
        tangent_px: (B, K, J, 2), px per second.
        residual_px: (B, K - 1, 3, J, 2).
        log_error: (B, K, J), natural logarithm of the expected error in px at keyframes.
        log_error_between: (B, K - 1, J), what is added to it midway.
        tolerance_px: (B, K), the error at which a joint counts as found: a fifth of the torso.
        seen: (B, J) bool, the joint was observed at least once.
    """

    times_s: Tensor
    num_present: Tensor
    position_px: Tensor
    tangent_px: Tensor
    residual_px: Tensor
    log_error: Tensor
    log_error_between: Tensor
    tolerance_px: Tensor
    seen: Tensor

    def locate(self, times_s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Find the segment of moments (B, Q), the place in it (0..1, clamped) and its length in seconds."""
        last = (self.num_present - 2).clamp_min(0)[:, None]
        knots = self.times_s.contiguous()
        inside = torch.arange(knots.shape[1], device=knots.device) < self.num_present[:, None]
        knots = torch.where(inside, knots, math.inf)
        segment = (_num_before(knots, times_s) - 1).clamp_min(0).minimum(last)
        begin, end = knots.gather(1, segment), knots.gather(1, segment + 1)
        alone = ~torch.isfinite(end)
        h = torch.where(alone, 1.0, end - begin)
        return segment, torch.where(alone, 0.0, ((times_s - begin) / h).clamp(0, 1)).float(), h.float()

    def at(self, times_s: Tensor) -> tuple[Tensor, Tensor]:
        """Keypoints and confidence at moments.

        Args:
            times_s: (B, Q) float64; before the first or after the last keyframe the pose is held.

        Returns:
            (B, Q, J, 2) px and (B, Q, J), the probability that the joint lies within `tolerance_px` of the
            truth (Rayleigh with the expected error as its mean); 0 for a joint never seen.
        """
        if self.times_s.shape[1] == 1:
            segment = torch.zeros(times_s.shape, dtype=torch.long, device=times_s.device)
            return _take(self.position_px, segment), self.confidence(_take(self.log_error, segment), segment)
        segment, u, h = self.locate(times_s)
        values = (self.position_px, self.tangent_px)
        left, right = (_take(v, segment) for v in values), (_take(v, segment + 1) for v in values)
        (p0, m0), (p1, m1) = left, right
        keypoints = evaluate_motion_curve_segment(
            u, h, (p0, p1, m0, m1), _take(self.residual_px, segment).unbind(2)
        )
        return keypoints, self.confidence(self.log_error_at(segment, u), segment)

    def between(self, times_s: Tensor) -> Tensor:
        """Keypoints at moments of every segment: (B, K - 1, F) float64 seconds, (B, K - 1, F, J, 2) px."""
        h = self.times_s.diff(dim=1)[..., None]
        u = ((times_s - self.times_s[:, :-1, None]) / h).float()
        x, m = self.position_px[:, :, None], self.tangent_px[:, :, None]
        ends = (x[:, :-1], x[:, 1:], m[:, :-1], m[:, 1:])
        return evaluate_motion_curve_segment(
            u, h.float().expand_as(u), ends, self.residual_px[:, :, None].unbind(3)
        )

    def log_error_at(self, segment: Tensor, u: Tensor) -> Tensor:
        """(B, Q, J) logarithm of the expected error, px."""
        u = u[..., None]
        ends = _take(self.log_error, segment) * (1 - u) + _take(self.log_error, segment + 1) * u
        return ends + 4 * u * (1 - u) * _take(self.log_error_between, segment)

    def confidence(self, log_error: Tensor, segment: Tensor) -> Tensor:
        """Probability that an error whose mean is exp(`log_error`) px is below the tolerance."""
        ratio = _take(self.tolerance_px, segment)[..., None] / log_error.exp()
        return (1 - torch.exp(-math.pi / 4 * ratio**2)) * self.seen[:, None]


def _num_before(knots: Tensor, times_s: Tensor) -> Tensor:
    """(B, Q), how many of the knots (B, K), which increase, lie at or before moments (B, Q)."""
    if torch.compiler.is_exporting():  # ONNX cannot search
        return (knots[:, None] <= times_s[..., None]).sum(-1)
    return torch.searchsorted(knots, times_s.contiguous(), right=True)


def evaluate_motion_curve_segment(
    u: Tensor, h: Tensor, ends: tuple[Tensor, ...], residuals: tuple[Tensor, ...]
) -> Tensor:
    """Evaluate a segment at `u` (...) in 0..1 from ends (p0, p1, m0, m1) and residuals, each (..., J, 2)."""
    weights = torch.cat([hermite_weights(u, h), residual_basis(u)], -1)[..., None, None].unbind(-3)
    return sum(w * part for w, part in zip(weights, (*ends, *residuals), strict=True))  # type: ignore[return-value]


def residual_basis(u: Tensor) -> Tensor:
    """(..., 3): u^2 (1 - u)^2 times the first three Legendre polynomials, 1 at most."""
    base, v = 16 * (u * (1 - u)) ** 2, 2 * u - 1
    return torch.stack([base, 2 * base * v, base * (3 * v * v - 1)], -1)


def _take(x: Tensor, index_BQ: Tensor) -> Tensor:
    """Entries of (B, K, ...) along dimension 1."""
    B, K = x.shape[:2]
    rows = index_BQ + K * torch.arange(B, device=x.device)[:, None]
    # copies whole rows, which gather does not
    return x.reshape(B * K, -1).index_select(0, rows.flatten()).reshape(*index_BQ.shape, *x.shape[2:])
