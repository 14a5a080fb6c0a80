"""What the motion net is told about a keyframe, and the directions it may move it in.

Everything is measured against what the neighbours in time predict (a leave-one-out residual): small on clean
motion, large on noise. Letters: B clips, K keyframes, J joints.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from rib.motion.spline_prior import fill_missing, intervals, shift
from rib.skeleton import BODY19

PREDICTORS = ((-1, 1), (-2, -1, 1, 2), (-2, 2), (-3, 3), (-2, -1), (1, 2))
"""Neighbours through which a polynomial predicts a keyframe; all are exact on uniform motion."""
AMPLITUDE_ORDER = (1, 0, 4, 5)
"""The first of these `PREDICTORS` that exists measures noise: cubic, line, extrapolation at the ends."""
MAX_WEIGHT = 8.0
"""A predictor that magnifies noise more than this (very uneven keyframes) is left out."""
WINDOW = 8
"""Noise is averaged over this many keyframes to either side."""
TORSO = tuple(
    BODY19.index(n) for n in ("neck", "mid_hip", "right_shoulder", "left_shoulder", "right_hip", "left_hip")
)
NUM_FEATURES_PER_JOINT = 2 + 4 + 4 + 7
NUM_FEATURES_PER_KEYFRAME = 6


@dataclass(frozen=True)
class Keyframes:
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
        weights: One (B, K, n) a predictor, 0 where it does not exist.
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
    weights: list[Tensor]


@dataclass(frozen=True)
class Evidence:
    """What the neighbours say about keyframes.

    Attributes:
        by_joint: (B, K, J, `NUM_FEATURES_PER_JOINT`).
        rhythm: (B, K, `NUM_FEATURES_PER_KEYFRAME`).
        offsets: (B, K, J, P, 2), prediction minus keyframe, one a predictor.
        amplitude: (B, K, J, 1), the size of a plausible correction.
    """

    by_joint: Tensor
    rhythm: Tensor
    offsets: Tensor
    amplitude: Tensor


def prepare(times_s: Tensor, keypoints_px: Tensor, confidence: Tensor, present: Tensor) -> Keyframes:
    """Fill what is missing and normalise; shapes as in `Keyframes`, float32 but for the times."""
    valid = (confidence > 0) & present[..., None]
    seen, count = valid.any(1), valid.sum((1, 2)).clamp_min(1)[:, None, None, None]
    known = torch.where(valid[..., None], keypoints_px, 0.0)
    centre = known.sum((1, 2), keepdim=True) / count
    x = fill_missing(torch.where(valid[..., None], keypoints_px - centre, 0.0), valid, times_s)
    root = torso_centre(x, seen)
    x = torch.where(seen[:, None, :, None], x, root)
    weight = (seen[:, None] & present[..., None]).float()
    spread = ((x - root).norm(dim=-1) * weight).sum((1, 2)) / weight.sum((1, 2)).clamp_min(1)
    scale = torch.where(spread > 1e-6, spread, 1.0)[:, None, None, None]
    num_present = present.sum(1)
    return Keyframes(
        x / scale, valid, seen, torch.where(valid, confidence, 0.0), present, num_present, times_s,
        intervals(times_s, num_present), centre, scale, _predictor_weights(times_s, present),
    )  # fmt: skip


def torso_centre(x: Tensor, seen: Tensor) -> Tensor:
    """(B, K, 1, 2) mean of the torso joints that were seen, or of all joints seen."""
    weight = seen.float() * 1e-6
    weight[:, TORSO] += seen[:, TORSO].float()
    weight = weight / weight.sum(1, keepdim=True).clamp_min(1e-12)
    return torch.einsum("bkjc,bj->bkc", x, weight)[:, :, None]


def weigh(x: Tensor, keys: Keyframes) -> Evidence:
    """Compare keyframes `x` (B, K, J, 2), observed or half denoised, with their neighbours."""
    near = {n: shift(x, n) for n in (-3, -2, -1, 1, 2, 3)}
    offsets = []
    for neighbours, weight in zip(PREDICTORS, keys.weights, strict=True):
        guess = sum(near[n] * weight[..., i, None, None] for i, n in enumerate(neighbours))
        exists = (weight != 0).any(-1)[..., None, None]
        offsets.append(torch.where(exists, guess - x, 0.0))
    root = torso_centre(x, keys.seen)
    loo = _first_existing(offsets, keys.weights)
    local = _local_scale(x - root, keys)
    floor = 1e-3 * local[..., 0]
    level, line = ((a.norm(dim=-1) + floor).log() for a in (loo, offsets[0]))
    present = keys.present.float()
    after = (near[1] - x) * shift(present, 1)[..., None, None]
    before = (x - near[-1]) * shift(present, -1)[..., None, None]
    step = ((after + before).norm(dim=-1) + floor).log()
    pooled = _windowed(torch.cat([level, line, step], -1), keys.present)
    noise = pooled[..., : level.shape[-1]]
    amplitude = 0.5 * level.exp() + noise.exp() + 0.15 * noise.exp().mean(-1, keepdim=True)
    amplitude = amplitude + 0.1 * local[..., 0] * (~keys.valid) + floor
    vectors = [v / local for v in (x - root, after, before)]
    vectors += [torch.asinh(20 * v / local) for v in (loo, offsets[0])]
    flags = [keys.confidence, keys.valid.float(), keys.seen[:, None].expand_as(keys.valid).float()]
    levels = torch.stack([level, *pooled.chunk(3, -1)], -1) - local.log()
    by_joint = torch.cat([*vectors, torch.stack(flags, -1), levels / 3], -1)
    return Evidence(by_joint, _rhythm(keys), torch.stack(offsets, 3), amplitude[..., None].detach())


def _rhythm(keys: Keyframes) -> Tensor:
    """(B, K, 6): the gaps before and after a keyframe, and whether it is the first or last."""
    inside = keys.present[:, 1:]
    h = torch.where(inside, keys.h, 0.0)
    after, before = F.pad(h, (0, 1)), F.pad(h, (1, 0))
    after = torch.where(after > 0, after, before)
    before = torch.where(before > 0, before, after)
    last = F.pad(inside, (0, 1)) < keys.present
    first = torch.zeros_like(last)
    first[:, 0] = True
    gaps = [(5 * g).clamp_max(5) for g in (before, after)] + [(10 * g + 1e-2).log() for g in (before, after)]
    return torch.stack([*gaps, first.float(), last.float()], -1)


def _predictor_weights(times_s: Tensor, present: Tensor) -> list[Tensor]:
    """Lagrange weights of every predictor at every keyframe, 0 where a neighbour is lacking."""
    time = {n: (shift(times_s, n) - times_s).float() for n in (-3, -2, -1, 1, 2, 3)}
    there = {n: shift(present.float(), n) > 0 for n in time}
    out = []
    for neighbours in PREDICTORS:
        parts = []
        for a in neighbours:
            w = torch.ones_like(time[1])
            for b in neighbours:
                if b != a:
                    gap = time[a] - time[b]
                    w = w * -time[b] / torch.where(gap == 0, 1.0, gap)
            parts.append(w)
        weight = torch.stack(parts, -1)
        ok = torch.stack([there[n] for n in neighbours], -1).all(-1) & present
        ok = ok & (weight.abs().amax(-1) <= MAX_WEIGHT)
        out.append(torch.where(ok[..., None], weight, 0.0))
    return out


def _first_existing(offsets: list[Tensor], weights: list[Tensor]) -> Tensor:
    out = torch.zeros_like(offsets[0])
    for i in reversed(AMPLITUDE_ORDER):
        out = torch.where((weights[i] != 0).any(-1)[..., None, None], offsets[i], out)
    return out


def _local_scale(loc: Tensor, keys: Keyframes) -> Tensor:
    """(B, K, 1, 1) size of the person about a keyframe: walking away from the camera changes nothing."""
    weight = keys.seen.float()
    spread = torch.einsum("bkj,bj->bk", loc.norm(dim=-1), weight) / weight.sum(1, keepdim=True).clamp_min(1)
    return _windowed(spread[..., None], keys.present).clamp_min(1e-2)[..., None]


def _windowed(x: Tensor, present: Tensor) -> Tensor:
    """Mean of (B, K, C) over the keyframes present within `WINDOW`."""
    mask = present.float()[:, None]
    pool = lambda a: F.avg_pool1d(a, 2 * WINDOW + 1, 1, WINDOW)  # noqa: E731
    return (pool(x.transpose(1, 2) * mask) / pool(mask).clamp_min(1e-6)).transpose(1, 2)
