"""Make clean keypoints look like a detector's.

Sizes are fractions of the person's height. Everything is whole-batch on tensors and drawn from one generator.
Letters: B clips, K keyframes, J joints.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional as F

from rib.io.settings.ranges import NonNegative, Share
from rib.io.settings.reads import ReadWith
from rib.motion.corruption.sampling import ABSENT, LIMBS, CorruptionSampler, Pair
from rib.structures.skeleton import BODY19, joint_set_named

MIRRORED = joint_set_named("body19").flip_index.tolist()
WANDERING = ReadWith("wander", example="[0.3,0.3]")
NUM_WAVES = 3
"""Sine waves that a wandering joint's way is the sum of."""


@dataclass(frozen=True)
class CorruptedKeypoints:
    """Keypoints as a detector would report them.

    Attributes:
        keypoints: (B, K, J, 2), 0 where missing.
        confidence: (B, K, J) 0..1, 0 where missing.
        clean: (B,) bool, nothing but joints missing was done to the clip.
        meant: (B, N, J, 2), where the joints are, as the detector means them, at keyframes and between.
    """

    keypoints: Tensor
    confidence: Tensor
    clean: Tensor
    meant: Tensor


@dataclass(frozen=True)
class DetectorErrors:
    """Errors of real detectors, drawn from for training.

    Attributes:
        error: (N, T, J, 2), fractions of the person's height.
        slow: (N, T, J, 2), the part of it that lasts: what a detector goes on saying is what it means.
        confidence: (N, T, J), 0 where missing.
        length: (N,) frames of each track, at most T.
        fps: (N,).
    """

    error: Tensor
    slow: Tensor
    confidence: Tensor
    length: Tensor
    fps: Tensor

    def to(self, device: torch.device | str) -> DetectorErrors:
        """The same errors on a device."""
        return DetectorErrors(*(getattr(self, field.name).to(device) for field in fields(self)))

    def draw(self, times_s: Tensor, K: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Read the tracks from random moments on, there and back.

        Args:
            times_s: (B, N), keyframes first.
            K: Number of keyframes.
            generator: Draws.

        Returns:
            Errors (B, K, J, 2) and confidences (B, K, J) at keyframes, slow errors (B, N, J, 2).
        """
        draw = CorruptionSampler(generator, *times_s.shape)
        track = draw.integers(len(self.length), draw.B, 1)
        n, fps = self.length[track], self.fps[track]
        frame = (draw.uniform(draw.B, 1) * n + times_s * fps).round().long() % (2 * n - 2)
        frame = torch.where(frame < n, frame, 2 * n - 2 - frame)
        sign = F.pad((draw.uniform(draw.B, 1) < 0.5) * 2.0 - 1, (0, 1), value=1.0)[:, None, None]
        size = draw.log_uniform((0.6, 1.8), draw.B, 1, 1, 1)
        key = frame[:, :K]
        return (
            self.error[track, key] * sign * size,
            self.confidence[track, key],
            self.slow[track, frame] * sign * size,
        )


@dataclass(frozen=True)
class DetectorNoise:
    """Draws a clip's kind (clean, synthetic noise, errors of real detectors) and corrupts it.

    Attributes:
        clean: Share of clips with exact keypoints.
        real: Share of clips with errors of real detectors, where there are any.
        sigma: Least and greatest noise of a coordinate, fractions of the height; log-uniform.
        joint_spread: Log-normal spread of the noise between joints.
        correlated: Share of noisy clips whose noise is correlated in time.
        correlation_s: Least and greatest correlation time, seconds.
        wander: Share of clips with synthetic noise, and of those with errors of real detectors, whose joints
            wander about the body. Two detectors do not mean the same by a hip, nor does one from two sides:
            that belongs to the truth, as do the slow errors of real detectors in the same clips.
        wander_size: Least and greatest standard deviation of that, fractions of the height; log-uniform.
        wander_hz: Least and greatest frequency of it.
        heavy: Share of joints whose noise is three times as large.
        swap: Greatest share of keyframes with legs, arms, whole body swapped.
        displaced: Greatest share of keyframes with a limb elsewhere.
        displacement: Least and greatest displacement, fractions of the height.
        missing: Greatest share of joints missing.
        burst: Share of noisy clips in which a limb is lost for a while.
        frame_missing: Greatest share of keyframes without any joint.
        absent: Share of clips in which some joints are never given.
        truncated: Share of noisy clips cut by the picture's edge.
    """

    clean: Share
    real: Share
    sigma: Pair
    joint_spread: NonNegative
    correlated: Share
    correlation_s: Annotated[Pair, ReadWith("correlated", example="0.2")]
    wander: tuple[Share, Share]
    wander_size: Annotated[Pair, WANDERING]
    wander_hz: Annotated[Pair, WANDERING]
    heavy: Share
    swap: tuple[Share, Share, Share]
    displaced: Share
    displacement: Annotated[Pair, ReadWith("displaced", example="0.06")]
    missing: Share
    burst: Share
    frame_missing: Share
    absent: Share
    truncated: Share

    def __call__(
        self,
        keypoints: Tensor,
        times_s: Tensor,
        K: int,
        height: float,
        generator: torch.Generator,
        bank: DetectorErrors | None,
    ) -> CorruptedKeypoints:
        """Corrupt the first K of (B, N, J, 2) keypoints seen at (B, N) seconds, of people `height` tall."""
        draw = CorruptionSampler(generator, keypoints.shape[0], K)
        kind, key_times_s = draw.uniform(draw.B), times_s[:, :K]
        clean = kind < self.clean
        real = (kind > 1 - self.real) if bank is not None else torch.zeros_like(clean)
        dropping = ~clean | (draw.uniform(draw.B) < 0.15)
        noise = self.noise(draw, key_times_s) * (~clean & ~real)[:, None, None, None]
        missing = self.missing_joints(draw, dropping & ~real) | self.out_of_picture(
            draw, keypoints[:, :K], ~clean
        )
        confidence = self.confidence(draw, noise.norm(dim=-1), clean)
        drift, wandering = self.wandering(draw, times_s, clean, real)
        if bank is not None:
            error, reported, slow = bank.draw(times_s, K, generator)
            noise = torch.where(real[:, None, None, None], error, noise)
            confidence = torch.where(real[:, None, None], reported, confidence)
            lasting = (real & wandering)[:, None, None, None]
            noise = noise - torch.where(lasting, slow[:, :K], 0.0)
            drift = drift + torch.where(lasting, slow, 0.0)
        meant = keypoints + drift * height
        observed = self.swapped(draw, meant[:, :K] + noise * height, ~clean & ~real)
        confidence = torch.where(missing, 0.0, confidence) * ~self.absent_joints(draw)[:, None]
        seen = torch.where(confidence[..., None] > 0, observed, 0.0)
        return CorruptedKeypoints(seen, confidence, clean, meant)

    def wandering(
        self, draw: CorruptionSampler, times_s: Tensor, clean: Tensor, real: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Sample drifts of joints, (B, N, J, 2) in heights at (B, N) seconds, and their clips (B,) bool."""
        drift = times_s.new_zeros(*times_s.shape, len(BODY19), 2, dtype=torch.float32)
        if not any(self.wander):
            return drift, torch.zeros_like(clean)
        share = torch.where(real, self.wander[1], self.wander[0])
        chosen = (draw.uniform(draw.B) < share) & ~clean
        rows = chosen.nonzero()[:, 0]
        shape = (len(rows), 1, len(BODY19), 2, NUM_WAVES)
        speed = 2 * math.pi * draw.log_uniform(self.wander_hz, *shape)
        phase = speed * times_s[rows].float()[:, :, None, None, None] + 2 * math.pi * draw.uniform(*shape)
        size = draw.log_uniform(self.wander_size, len(rows), 1, 1, 1) * math.sqrt(2 / NUM_WAVES)
        size = size * torch.exp(0.5 * draw.normal(len(rows), 1, len(BODY19), 1))
        drift[rows] = phase.sin().sum(-1) * size
        return drift, chosen

    def noise(self, draw: CorruptionSampler, times_s: Tensor) -> Tensor:
        """(B, K, J, 2) heavy-tailed noise, in part correlated in time, and displaced limbs."""
        B, K, J = draw.B, draw.K, len(BODY19)
        noise = draw.normal(B, K, J, 2) * torch.where(draw.uniform(B, K, J, 1) < self.heavy, 3.0, 1.0)
        tau = draw.log_uniform(self.correlation_s, B)
        some = (draw.uniform(B) < self.correlated).nonzero()[:, 0]
        noise[some] = _correlated(noise[some], times_s[some].diff(dim=1).float() / tau[some, None])
        size = draw.log_uniform(self.sigma, B, 1, 1, 1) * torch.exp(
            self.joint_spread * draw.normal(B, 1, J, 1)
        )
        noise *= size
        hit = (draw.uniform(B, K) < draw.uniform(B, 1) * self.displaced).nonzero(as_tuple=True)
        n = len(hit[0])
        limb = draw.limbs[draw.integers(len(LIMBS), n)]
        far = draw.log_uniform(self.displacement, n, 1, 1)
        moved = far * (draw.normal(n, 1, 2) * draw.uniform(n, 1, 1) + draw.normal(n, J, 2))
        noise[hit] += moved * limb[..., None]
        return noise

    def swapped(self, draw: CorruptionSampler, keypoints: Tensor, where: Tensor) -> Tensor:
        """Exchange left and right at some keyframes, now and then for two in a row."""
        for sides, share in zip(draw.sides, self.swap, strict=True):
            hit = (draw.uniform(draw.B, draw.K) < draw.uniform(draw.B, 1) * share) & where[:, None]
            again = draw.uniform(draw.B, draw.K - 1) < 0.25
            rows = (hit | F.pad(hit[:, :-1] & again, (1, 0))).nonzero(as_tuple=True)
            poses = keypoints[rows]
            keypoints[rows] = torch.where(sides[:, None], poses[:, MIRRORED], poses)
        return keypoints

    def missing_joints(self, draw: CorruptionSampler, where: Tensor) -> Tensor:
        """(B, K, J) bool: single joints, a limb for one to five keyframes, whole keyframes."""
        B, K, J = draw.B, draw.K, len(BODY19)
        single = draw.uniform(B, K, J) < draw.uniform(B, 1, 1) * self.missing
        start, k = draw.integers(K, B, 1), torch.arange(K, device=single.device)
        lost = (k >= start) & (k <= start + draw.integers(5, B, 1)) & (draw.uniform(B, 1) < self.burst)
        limb = lost[..., None] & draw.limbs[draw.integers(len(LIMBS), B)][:, None]
        frames = draw.uniform(B, K) < draw.uniform(B, 1) * self.frame_missing
        frames[:, 0] = False
        return (single | limb | frames[..., None]) & where[:, None, None]

    def out_of_picture(self, draw: CorruptionSampler, keypoints: Tensor, where: Tensor) -> Tensor:
        """(B, K, J) bool: joints beyond a straight edge that cuts off up to a third of the clip's extent."""
        angle = draw.uniform(draw.B) * 2 * math.pi
        along = torch.einsum("bkjc,bc->bkj", keypoints, torch.stack([angle.cos(), angle.sin()], -1))
        low, high = along.amin((1, 2)), along.amax((1, 2))
        edge = high - draw.uniform(draw.B) / 3 * (high - low)
        cut = where & (draw.uniform(draw.B) < self.truncated)
        return (along > edge[:, None, None]) & cut[:, None, None]

    def absent_joints(self, draw: CorruptionSampler) -> Tensor:
        """(B, J) bool: joints that are missing in the whole clip."""
        chosen = draw.absent[draw.integers(len(ABSENT), draw.B)]
        return chosen & (draw.uniform(draw.B) < self.absent)[:, None]

    @staticmethod
    def confidence(draw: CorruptionSampler, error: Tensor, clean: Tensor) -> Tensor:
        """(B, K, J): 1, or noise about a level, or falling with the error; exact clips mostly say 1."""
        B, shape = draw.B, error.shape
        exact = draw.uniform(B) < torch.where(clean, 0.85, 0.15)
        level = 0.5 + 0.45 * draw.uniform(B, 1, 1) + 0.1 * draw.normal(*shape)
        honest = torch.exp(-error * (5 + 20 * draw.uniform(B, 1, 1))) * (0.7 + 0.3 * draw.uniform(B, 1, 1))
        honest = honest + 0.08 * draw.normal(*shape)
        reported = torch.where((draw.uniform(B) < 0.5)[:, None, None], level, honest)
        return torch.where(exact[:, None, None], 1.0, reported).clamp(0.1, 1.0)


def _correlated(white: Tensor, steps: Tensor) -> Tensor:
    """Turn white noise (B, K, J, 2) into noise of unit variance with memory exp(-steps (B, K - 1))."""
    coloured = [white[:, 0]]
    for k, rho in enumerate(torch.exp(-steps)[..., None, None].unbind(1)):
        coloured.append(rho * coloured[-1] + (1 - rho**2).sqrt() * white[:, k + 1])
    return torch.stack(coloured, 1)
