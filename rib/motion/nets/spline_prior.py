"""The natural cubic spline on tensors: what the motion net starts from, and the curve that it returns.

Letters: B clips, K keyframes, J joints, Q moments. Keyframes are padded at the end; `num_present` says how
many count.

The spline's tangents solve a tridiagonal, diagonally dominant system. Parallel cyclic reduction halves the
coupling's logarithm with every level, so `LEVELS` levels are exact to float32 for a clip of any length: time
and memory are linear in K, and nothing loops over keyframes (Hockney, "A fast direct solution of Poisson's
equation", J. ACM 1965).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

LEVELS = 5
"""The off-diagonal share of a row goes 1/2, 1/7, 1e-2, 5e-5, 1e-9, below float32 after five levels."""


def shift_motion(x: Tensor, by: int, fill: float = 0.0) -> Tensor:
    """`out[:, k] = x[:, k + by]` along dimension 1, `fill` where that lies outside."""
    K = x.shape[1]
    if abs(by) >= K:
        return torch.full_like(x, fill)
    pad = [0, 0] * (x.dim() - 2)
    return (
        F.pad(x[:, by:], [*pad, 0, by], value=fill)
        if by >= 0
        else F.pad(x[:, :by], [*pad, -by, 0], value=fill)
    )


def motion_intervals_s(times_BK: Tensor, num_present: Tensor) -> Tensor:
    """Seconds between neighbouring keyframes (B, K - 1), float32; 1 where one of the two is padding."""
    inside = torch.arange(1, times_BK.shape[1], device=times_BK.device) < num_present[:, None]
    return torch.where(inside, times_BK.diff(dim=1).float(), 1.0)


def natural_spline_tangents(x: Tensor, h: Tensor, num_present: Tensor) -> Tensor:
    """Derivatives at its knots of the natural cubic spline through them.

    Args:
        x: (B, K, J, 2) knots.
        h: (B, K - 1, J or 1) seconds between them.
        num_present: (B, J or 1), how many of the K knots count, from the first on.

    Returns:
        (B, K, J, 2) per second; 0 beyond `num_present` and where a single knot is present.
    """
    K = x.shape[1]
    if K == 1:
        return torch.zeros_like(x)
    k = torch.arange(K, device=x.device)[None, :, None]
    n = num_present[:, None]
    first, last, inner = (k == 0) & (n > 1), (k == n - 1) & (n > 1), (k > 0) & (k < n - 1)
    h_before, h_after = F.pad(h, (0, 0, 1, 0), value=1.0), F.pad(h, (0, 0, 0, 1), value=1.0)
    share = h_after / (h_before + h_after)
    lower = torch.where(inner, share, 0.0) + last.float()
    upper = torch.where(inner, 1 - share, 0.0) + first.float()
    slope = x.diff(dim=1) / h[..., None]
    right = 3 * (
        lower[..., None] * F.pad(slope, (0, 0, 0, 0, 1, 0))
        + upper[..., None] * F.pad(slope, (0, 0, 0, 0, 0, 1))
    )
    return _solve(lower, upper, right)


def _solve(lower: Tensor, upper: Tensor, right: Tensor) -> Tensor:
    """Solve `lower m[k-1] + 2 m[k] + upper m[k+1] = right` by parallel cyclic reduction."""
    diagonal = torch.full_like(lower, 2.0)
    for level in range(LEVELS):
        step = 1 << level
        if step >= right.shape[1]:
            break
        before = -lower / shift_motion(diagonal, -step, 1.0)
        after = -upper / shift_motion(diagonal, step, 1.0)
        right = (
            right
            + before[..., None] * shift_motion(right, -step)
            + after[..., None] * shift_motion(right, step)
        )
        diagonal = diagonal + before * shift_motion(upper, -step) + after * shift_motion(lower, step)
        lower, upper = (
            before * shift_motion(lower, -step),
            after * shift_motion(upper, step),
        )
    return right / diagonal[..., None]


def hermite_weights(u: Tensor, h: Tensor) -> Tensor:
    """Weights of (left value, right value, left tangent, right tangent) of a cubic Hermite segment.

    Args:
        u: (...) 0 at the left knot and 1 at the right.
        h: (...) the segment's length in seconds.

    Returns:
        (..., 4).
    """
    right = u * u * (3 - 2 * u)
    return torch.stack([1 - right, right, u * (1 - u) ** 2 * h, u * u * (u - 1) * h], -1)


def fill_missing_joints(x: Tensor, valid: Tensor, times_BK: Tensor) -> Tensor:
    """Put a missing joint on the spline through its own valid keyframes; hold it beyond first and last.

    A spline through the filled knots is the same curve as the spline through the valid ones alone, where the
    joint is valid at the first and last keyframe.

    Args:
        x: (B, K, J, 2).
        valid: (B, K, J) bool.
        times_BK: (B, K) seconds, increasing where a joint is valid.

    Returns:
        (B, K, J, 2), `x` where valid; 0 for a joint that is never valid.
    """
    if not torch.compiler.is_exporting() and bool(valid.all()):  # an exported net has no such branch
        return x
    K = x.shape[1]
    count = valid.sum(1)
    order = _valid_first(valid, count)
    knots = x.gather(1, order[..., None].expand_as(x))
    t = (times_BK[..., None] - times_BK[:, :1, None]).float().expand(valid.shape)
    knot_t = t.gather(1, order)
    in_use = torch.arange(1, K, device=x.device)[None, :, None] < count[:, None]
    h = torch.where(in_use, knot_t.diff(dim=1), 1.0) if K > 1 else knot_t[:, :0]
    tangents = natural_spline_tangents(knots, h, count)
    left = (valid.cumsum(1) - 1).clamp_min(0).minimum((count[:, None] - 2).clamp_min(0))
    right = (left + 1).clamp_max(K - 1).minimum((count[:, None] - 1).clamp_min(0))
    t_left, t_right = knot_t.gather(1, left), knot_t.gather(1, right)
    span = torch.where(right > left, t_right - t_left, 1.0)
    w = hermite_weights(((t - t_left) / span).clamp(0, 1), span)[..., None]
    at = lambda a, i: a.gather(1, i[..., None].expand_as(x))  # noqa: E731
    curve = (
        at(knots, left) * w[..., 0, :]
        + at(knots, right) * w[..., 1, :]
        + at(tangents, left) * w[..., 2, :]
        + at(tangents, right) * w[..., 3, :]
    )
    return torch.where(valid[..., None], x, torch.where((count > 0)[:, None, :, None], curve, 0.0))


def _valid_first(valid: Tensor, count: Tensor) -> Tensor:
    """(B, K, J) numbers of the keyframes, the valid ones first; without sorting, which ONNX lacks."""
    place = torch.where(valid, valid.cumsum(1), count[:, None] + (~valid).cumsum(1)) - 1
    number = torch.arange(valid.shape[1], device=valid.device)[None, :, None].expand_as(place)
    return torch.zeros_like(place).scatter(1, place, number)
