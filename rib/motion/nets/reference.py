"""`motion_reference`: the published transformer as a motion net, its faults mended where its weights allow.

Letters: B clips, K keyframes, L frames, J joints, D input values.
"""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rib.io.settings.ranges import DividesSetting, Range
from rib.motion.nets.frames_curve import PredictedFramesCurve
from rib.motion.nets.keyframe_features import TORSO, MotionKeyframeBatch, normalise_keyframes
from rib.motion.nets.reference_transformer import NUM_VALUES, ReferenceTransformer, published_position_angles
from rib.structures.skeleton import BODY19

HIP = BODY19.index("mid_hip")
OTHERS = [j for j in range(len(BODY19)) if j != HIP]
OFFSET_PX, SCALE_PX = 256.0, 512.0
"""The published normalisation, whatever the person's size and place."""
USUAL_ERROR = 0.02
"""Expected error of an untrained net, in units of the person's size."""


class MotionReference(nn.Module):
    """Predicts frames at a fixed rate between keyframes.

    What differs when `published` is false: places are seconds and not shares of the clip; a keyframe looks at
    itself as at any other; coordinates are measured in the person's size about its place. Either way a joint
    that is missing lies on the spline through its other observations and not at 0, keyframes are
    learnt from like all frames, and a clip with one keyframe or none has a defined result.

    Args:
        width: Channels of a frame's token.
        num_heads: Attention heads.
        num_layers: Layers of the encoder, and of the decoder.
        hidden: Units of the feed-forward parts.
        dropout: Share of values left out in training.
        frame_rate: Frames a second that are predicted between keyframes.
        published: Compute exactly what the published weights were trained for.
    """

    joint_set = "body19"
    fps: float | None = None  # time is in seconds

    def __init__(
        self,
        width: Annotated[int, Range(1, 8192)],
        num_heads: Annotated[int, Range(1, 8192), DividesSetting("width")],
        num_layers: Annotated[int, Range(1, 100)],
        hidden: Annotated[int, Range(1, 65536)],
        dropout: Annotated[float, Range(0, below=1)],
        frame_rate: Annotated[float, Range(above=0, most=10_000)],
        published: bool,
    ) -> None:
        super().__init__()
        self.frame_rate, self.published = frame_rate, published
        self.transformer = ReferenceTransformer(width, num_heads, num_layers, hidden, dropout)
        self.doubt = nn.Linear(width, len(BODY19))
        nn.init.zeros_(self.doubt.weight)
        nn.init.zeros_(self.doubt.bias)
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.zeros(NUM_VALUES))
        self.register_buffer("std", torch.ones(NUM_VALUES))

    def forward(
        self, times_s: Tensor, keypoints_px: Tensor, confidence: Tensor, present: Tensor | None = None
    ) -> PredictedFramesCurve:
        """The motion through a batch of keyframes; arguments as those of `MotionBase.forward`."""
        if present is None:
            present = torch.ones_like(times_s, dtype=torch.bool)
        keys = normalise_keyframes(times_s, keypoints_px, confidence, present)
        key_frame, segment, u = self._frames(keys)
        values = (joints_to_reference_values(self._normalised(keys)) - self.mean) / self.std
        L = segment.shape[1]
        x = values.new_zeros(len(values), L, NUM_VALUES)
        is_key = torch.zeros(x.shape[:2], dtype=torch.bool, device=x.device)
        # frames of padding keyframes coincide with the last one's: write back to front
        for k in reversed(range(values.shape[1])):
            x = x.scatter(1, key_frame[:, k, None, None].expand(-1, 1, NUM_VALUES), values[:, k, None])
            is_key = is_key.scatter(1, key_frame[:, k, None], True)
        angle = self._angles(keys, segment, u)
        inside = torch.arange(L, device=x.device) <= key_frame[:, -1:]
        told = self.transformer(x, is_key, angle, inside, identity=self.published)
        frames = self._in_pixels(joints_from_reference_values(told.predicted * self.std + self.mean), keys)
        return self._curve(frames, self.doubt(told.decoded), key_frame, keys)

    def _frames(self, keys: MotionKeyframeBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Each keyframe's frame (B, K); each frame's segment and its place in it (0..1), (B, L)."""
        K = keys.present.shape[1]
        steps = (keys.h * self.frame_rate).round().clamp_min(1).long() * keys.present[:, 1:]
        key_frame = F.pad(steps.cumsum(1), (1, 0))
        number = torch.arange(int(key_frame.max()) + 1, device=keys.h.device).expand(len(key_frame), -1)
        last = (keys.num_present - 2).clamp_min(0)[:, None]
        segment = (
            (torch.searchsorted(key_frame, number.contiguous(), right=True) - 1).clamp_min(0).minimum(last)
        )
        if K == 1:
            return key_frame, segment, torch.zeros(segment.shape).to(keys.h)
        u = (number - key_frame.gather(1, segment)) / steps.gather(1, segment).clamp_min(1)
        return key_frame, segment, u.clamp(0, 1)

    def _angles(self, keys: MotionKeyframeBatch, segment: Tensor, u: Tensor) -> Tensor:
        if self.published:
            return published_position_angles(segment.shape[1]).to(u).expand_as(u)
        if keys.h.shape[1] == 0:
            return torch.zeros_like(u)
        begin = (keys.times_s - keys.times_s[:, :1]).float().gather(1, segment)
        return 2 * math.pi * (begin + u * keys.h.gather(1, segment))

    def _normalised(self, keys: MotionKeyframeBatch) -> Tensor:
        if not self.published:
            return keys.x
        return (keys.x * keys.scale_px + keys.centre_px - OFFSET_PX) / SCALE_PX

    def _in_pixels(self, x: Tensor, keys: MotionKeyframeBatch) -> Tensor:
        return x * SCALE_PX + OFFSET_PX if self.published else x * keys.scale_px + keys.centre_px

    @staticmethod
    def _curve(
        frames: Tensor, doubt: Tensor, key_frame: Tensor, keys: MotionKeyframeBatch
    ) -> PredictedFramesCurve:
        at = lambda a, i: a.gather(1, i[..., None].expand(-1, -1, a.shape[2]))  # noqa: E731
        position = at(frames.flatten(2), key_frame).unflatten(2, frames.shape[2:])
        log_error = at(doubt, key_frame) + (USUAL_ERROR * keys.scale_px[..., 0]).log()
        middle = at(doubt, (key_frame[:, :-1] + key_frame[:, 1:]) // 2)
        ends = at(doubt, key_frame)
        torso = (position[:, :, TORSO[0]] - position[:, :, TORSO[1]]).norm(dim=-1)
        tolerance = 0.2 * torch.maximum(torso, keys.scale_px[..., 0, 0])
        none = position[:, :0]
        return PredictedFramesCurve(
            keys.times_s, keys.num_present, position, none, none, log_error,
            middle - 0.5 * (ends[:, :-1] + ends[:, 1:]), tolerance, keys.seen, frames, key_frame,
        )  # fmt: skip


def joints_to_reference_values(x: Tensor) -> Tensor:
    """(..., 19, 2) joints as (..., 38): relative to the hip, and the hip's own position last."""
    hip = x[..., HIP, None, :]
    return torch.cat([x[..., OTHERS, :] - hip, hip], -2).flatten(-2)


def joints_from_reference_values(values: Tensor) -> Tensor:
    """The inverse of `joints_to_reference_values`."""
    x = values.unflatten(-1, (len(BODY19), 2))
    hip = x[..., -1:, :]
    others = x[..., :-1, :] + hip
    return torch.cat([others[..., :HIP, :], hip, others[..., HIP:, :]], -2)
