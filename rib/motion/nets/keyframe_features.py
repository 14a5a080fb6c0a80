"""Features of a keyframe that the motion net sees, and the directions in which it may move it.

Everything is measured against what the neighbours in time predict (a leave-one-out residual): small on clean
motion, large on noise. Letters: B clips, K keyframes, J joints.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from rib.motion.nets.spline_prior import fill_missing_joints, motion_intervals_s
from rib.motion.nets.stencils import (
    AFTER,
    BEFORE,
    LINE,
    NOISE,
    PREDICTORS,
    apply_keyframe_stencils,
    keyframe_stencils,
)
from rib.structures.skeleton import BODY19

WINDOW = 8
"""Noise is averaged over this many keyframes to either side."""
TORSO = tuple(
    BODY19.index(n) for n in ("neck", "mid_hip", "right_shoulder", "left_shoulder", "right_hip", "left_hip")
)
NUM_FEATURES_PER_JOINT = 2 + 4 + 4 + 7
NUM_FEATURES_PER_KEYFRAME = 6


@dataclass(frozen=True)
class MotionKeyframeBatch:
    """A padded batch of keyframes, missing joints filled, moved and scaled to the person's size.

    Attributes:
        x: (B, K, J, 2), in units of `scale_px`, missing joints filled.
        valid: (B, K, J) bool, observed.
        seen: (B, J) bool, observed at least once.
        confidence: (B, K, J).
        present: (B, K) bool, not padding.
        num_present: (B,).
        times_s: (B, K) float64.
        h: (B, K - 1) seconds between keyframes.
        centre_px: (B, 1, 1, 2).
        scale_px: (B, 1, 1, 1), mean distance of the joints from the torso's centre.
        stencils: (B, K, S, n), see `rib.motion.nets.stencils`.
    """

    x: Tensor
    valid: Tensor
    seen: Tensor
    confidence: Tensor
    present: Tensor
    num_present: Tensor
    times_s: Tensor
    h: Tensor
    centre_px: Tensor
    scale_px: Tensor
    stencils: Tensor


@dataclass(frozen=True)
class KeyframeFeatures:
    """Predictions of keyframes from their neighbours.

    Attributes:
        by_joint: (B, K, J, `NUM_FEATURES_PER_JOINT`).
        rhythm: (B, K, `NUM_FEATURES_PER_KEYFRAME`).
        offsets: (B, K, P, J, 2), prediction minus keyframe, one a predictor.
        amplitude: (B, K, J, 1), the size of a plausible correction.
    """

    by_joint: Tensor
    rhythm: Tensor
    offsets: Tensor
    amplitude: Tensor


def normalise_keyframes(
    times_s: Tensor, keypoints_px: Tensor, confidence: Tensor, present: Tensor
) -> MotionKeyframeBatch:
    """Fill what is missing and normalise; shapes as in `MotionKeyframeBatch`, float32 but for the times.

    Normalised in float64: on a smooth motion the residuals are a thousandth of what they are differences of,
    and in float32 the order in which a machine adds up the centre would show in the certainty.
    """
    valid = (confidence > 0) & present[..., None]
    seen, count = valid.any(1), valid.sum((1, 2)).clamp_min(1)[:, None, None, None]
    known = torch.where(valid[..., None], keypoints_px, 0.0).double()
    centre = known.sum((1, 2), keepdim=True) / count
    x = fill_missing_joints(torch.where(valid[..., None], known - centre, 0.0), valid, times_s)
    root = motion_torso_centre(x, seen)
    x = torch.where(seen[:, None, :, None], x, root)
    weight = (seen[:, None] & present[..., None]).double()
    spread = ((x - root).norm(dim=-1) * weight).sum((1, 2)) / weight.sum((1, 2)).clamp_min(1)
    scale = torch.where(spread > 1e-6, spread, 1.0)[:, None, None, None]
    num_present = present.sum(1)
    return MotionKeyframeBatch(
        (x / scale).float(), valid, seen, torch.where(valid, confidence, 0.0), present, num_present, times_s,
        motion_intervals_s(times_s, num_present), centre.float(), scale.float(),
        keyframe_stencils(times_s, present),
    )  # fmt: skip


def motion_torso_centre(x: Tensor, seen: Tensor) -> Tensor:
    """(B, K, 1, 2) mean of the torso joints that were seen, or of all joints seen."""
    weight = seen.to(x.dtype) * 1e-6
    weight[:, TORSO] += seen[:, TORSO].to(x.dtype)
    weight = weight / weight.sum(1, keepdim=True).clamp_min(1e-12)
    return torch.einsum("bkjc,bj->bkc", x, weight)[:, :, None]


def compare_with_neighbours(x: Tensor, keys: MotionKeyframeBatch) -> KeyframeFeatures:
    """Compare keyframes `x` (B, K, J, 2), observed or half denoised, with their neighbours."""
    sums = apply_keyframe_stencils(keys.stencils, x)
    loo, line, after, before = (sums[:, :, i] for i in (NOISE, LINE, AFTER, BEFORE))
    root = motion_torso_centre(x, keys.seen)
    local = _local_scale(x - root, keys)
    floor = 1e-3 * local[..., 0]
    level, bend = ((a.norm(dim=-1) + floor).log() for a in (loo, line))
    step = ((after + before).norm(dim=-1) + floor).log()
    pooled = _windowed(torch.cat([level, bend, step], -1), keys.present)
    noise = pooled[..., : level.shape[-1]]
    amplitude = 0.5 * level.exp() + noise.exp() + 0.15 * noise.exp().mean(-1, keepdim=True)
    amplitude = amplitude + 0.1 * local[..., 0] * (~keys.valid) + floor
    vectors = [v / local for v in (x - root, after, before)]
    vectors += [_asinh(20 * v / local) for v in (loo, line)]
    flags = [keys.confidence, keys.valid.float(), keys.seen[:, None].expand_as(keys.valid).float()]
    levels = torch.stack([level, *pooled.chunk(3, -1)], -1) - local.log()
    by_joint = torch.cat([*vectors, torch.stack(flags, -1), levels / 3], -1)
    return KeyframeFeatures(
        by_joint, _rhythm(keys), sums[:, :, : len(PREDICTORS)], amplitude[..., None].detach()
    )


def _asinh(x: Tensor) -> Tensor:
    """`torch.asinh`, whose CPU kernel is not vectorised, out of functions whose kernels are."""
    size = x.abs()
    return x.sign() * torch.log1p(size + size.square() / (1 + (1 + size.square()).sqrt()))


def _rhythm(keys: MotionKeyframeBatch) -> Tensor:
    """(B, K, 6): the intervals before and after a keyframe, and whether it is the first or last."""
    inside = keys.present[:, 1:]
    h = torch.where(inside, keys.h, 0.0)
    after, before = F.pad(h, (0, 1)), F.pad(h, (1, 0))
    after = torch.where(after > 0, after, before)
    before = torch.where(before > 0, before, after)
    last = F.pad(inside, (0, 1)) < keys.present
    first = torch.zeros_like(last)
    first[:, 0] = True
    intervals = [(5 * g).clamp_max(5) for g in (before, after)] + [
        (10 * g + 1e-2).log() for g in (before, after)
    ]
    return torch.stack([*intervals, first.float(), last.float()], -1)


def _local_scale(loc: Tensor, keys: MotionKeyframeBatch) -> Tensor:
    """(B, K, 1, 1) size of the person about a keyframe: walking away from the camera changes nothing."""
    weight = keys.seen.float()
    spread = torch.einsum("bkj,bj->bk", loc.norm(dim=-1), weight) / weight.sum(1, keepdim=True).clamp_min(1)
    return _windowed(spread[..., None], keys.present).clamp_min(1e-2)[..., None]


def _windowed(x: Tensor, present: Tensor) -> Tensor:
    """Mean of (B, K, C) over the keyframes present within `WINDOW`."""
    mask = present.float()[:, None]
    pool = lambda a: F.avg_pool1d(a, 2 * WINDOW + 1, 1, WINDOW)  # noqa: E731
    return (pool(x.transpose(1, 2) * mask) / pool(mask).clamp_min(1e-6)).transpose(1, 2)
