"""`motion_base`: a transformer over keyframes that corrects a natural cubic spline.

Keyframes are denoised in stages; the spline through the corrected keyframes is the prior; corrected tangents
and three residuals a segment shape what lies between. Every head starts at zero, so an untrained net is the
natural cubic spline. Letters: B clips, K keyframes, J joints, P predictors, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rib.io.settings.ranges import DividesSetting, ListSize, Range
from rib.motion.nets.attention import BLOCK, AttentionTimeBias, BandedAttentionLayer
from rib.motion.nets.curve import NUM_RESIDUALS, MotionCurve
from rib.motion.nets.keyframe_features import (
    NUM_FEATURES_PER_JOINT,
    NUM_FEATURES_PER_KEYFRAME,
    TORSO,
    KeyframeFeatures,
    MotionKeyframeBatch,
    compare_with_neighbours,
    normalise_keyframes,
)
from rib.motion.nets.spline_prior import natural_spline_tangents
from rib.motion.nets.stencils import LINE, PREDICTORS
from rib.structures.skeleton import BODY19, joint_set_named

NUM_JOINTS = len(BODY19)
JOINT_WIDTH = 32
"""Hidden units with which a joint decides, shared by all joints."""
MIRRORED = joint_set_named("body19").flip_index.tolist()


class MotionDenoisingStage(nn.Module):
    """One pass of denoising: look at the residuals, talk to the neighbours, move the keyframes.

    A keyframe moves by `gate * (sum of weights * offsets to the predictions + amplitude * free correction)`.
    """

    def __init__(self, width: int, num_heads: int, num_layers: int, expansion: int) -> None:
        super().__init__()
        num_features = NUM_JOINTS * NUM_FEATURES_PER_JOINT + NUM_FEATURES_PER_KEYFRAME
        self.embed = nn.Sequential(nn.Linear(num_features, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.layers = nn.ModuleList(
            BandedAttentionLayer(width, num_heads, expansion) for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(width)
        self.context = nn.Linear(width, NUM_JOINTS * JOINT_WIDTH)
        self.own = nn.Linear(NUM_FEATURES_PER_JOINT, JOINT_WIDTH)
        self.move = _zero(nn.Linear(JOINT_WIDTH, 1 + len(PREDICTORS) + 2))
        self.nudge = _zero(nn.Linear(width, NUM_JOINTS * 2))

    def forward(
        self, z: Tensor | None, x: Tensor, found: KeyframeFeatures, bias: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Tokens (B, K', C), K' padded to a multiple of `BLOCK`, and moved keyframes (B, K, J, 2)."""
        B, K = x.shape[:2]
        embedded = self.embed(torch.cat([found.by_joint.flatten(2), found.rhythm], -1))
        embedded = F.pad(embedded, (0, 0, 0, -K % BLOCK))
        z = embedded if z is None else z + embedded
        for layer, layer_bias in zip(self.layers, bias, strict=True):
            z = layer(z, layer_bias)
        told = self.norm(z)[:, :K]
        context = self.context(told).reshape(B, K, NUM_JOINTS, JOINT_WIDTH)
        out = self.move(F.gelu(context + self.own(found.by_joint)))
        gate, weights, free = out[..., :1].sigmoid(), out[..., 1:-2], out[..., -2:]
        free = free + self.nudge(told).reshape(B, K, NUM_JOINTS, 2)
        guided = (weights.transpose(2, 3)[..., None] * found.offsets).sum(2)
        return z, x + gate * (guided + found.amplitude * free)


class MotionBase(nn.Module):
    """Denoise keyframes and curve the way between them.

    Args:
        width: Channels of a keyframe's token.
        num_heads: Attention heads.
        num_layers: Transformer layers of each denoising stage.
        expansion: Hidden units of the feed-forward parts, as a multiple of `width`.
    """

    joint_set = "body19"
    fps: float | None = None  # time is in seconds

    def __init__(
        self,
        width: Annotated[int, Range(1, 8192)],
        num_heads: Annotated[int, Range(1, 8192), DividesSetting("width")],
        num_layers: Annotated[Sequence[Annotated[int, Range(0, 100)]], ListSize(1, 100)],
        expansion: Annotated[int, Range(1, 64)],
    ) -> None:
        super().__init__()
        self.num_layers = list(num_layers)
        self.time_bias = AttentionTimeBias(sum(num_layers), num_heads)
        self.stages = nn.ModuleList(MotionDenoisingStage(width, num_heads, n, expansion) for n in num_layers)
        self.norm = nn.LayerNorm(width)
        self.turn = _zero(nn.Linear(width, NUM_JOINTS * 4))
        self.join = nn.Sequential(nn.Linear(2 * width + 2, 2 * width), nn.GELU())
        self.bulge = _zero(nn.Linear(2 * width, NUM_JOINTS * NUM_RESIDUALS * 4))
        self.doubt = _zero(nn.Linear(width, NUM_JOINTS))
        self.doubt_between = _zero(nn.Linear(2 * width, NUM_JOINTS))

    def forward(
        self, times_s: Tensor, keypoints_px: Tensor, confidence: Tensor, present: Tensor | None = None
    ) -> MotionCurve:
        """The curve through a batch of keyframes.

        Out of training the net is run on the pose and on its mirror image and the two answers are averaged: a
        mirrored input gives exactly the mirrored output.

        Args:
            times_s: (B, K) float64 seconds, strictly increasing where present.
            keypoints_px: (B, K, 19, 2) float32.
            confidence: (B, K, 19) 0..1, 0 where missing.
            present: (B, K) bool, False at keyframes that only pad the batch, at its end; None: all count.
        """
        if present is None:
            present = torch.ones_like(times_s, dtype=torch.bool)
        keys = normalise_keyframes(times_s, keypoints_px, confidence, present)
        if self.training:
            return self.in_pixels(self.curve(keys), keys)
        curve = self.curve(_doubled(keys))
        return self.in_pixels(_unmirrored(curve), keys)

    def curve(self, keys: MotionKeyframeBatch) -> MotionCurve:
        """The curve in normalised units."""
        x, z, found = keys.x, None, compare_with_neighbours(keys.x, keys)
        for number, (stage, bias) in enumerate(zip(self.stages, self._biases(keys), strict=True)):
            found = compare_with_neighbours(x, keys) if number else found
            z, x = stage(z, x, found, bias)
        assert z is not None
        z = self.norm(z)[:, : x.shape[1]]
        joined = self._joined(z, keys)
        tangent = self._tangents(z, x, found, keys)
        residual = self._residuals(joined, found)
        doubt = self.doubt(z) + (found.amplitude[..., 0] / 4).log()
        torso = (x[:, :, TORSO[0]] - x[:, :, TORSO[1]]).norm(dim=-1)
        height = (x - x.mean(2, keepdim=True)).norm(dim=-1).mean(2)
        return MotionCurve(
            keys.times_s, keys.num_present, x, tangent, residual, doubt, self.doubt_between(joined),
            0.2 * torch.maximum(torso, height), keys.seen,
        )  # fmt: skip

    @staticmethod
    def in_pixels(curve: MotionCurve, keys: MotionKeyframeBatch) -> MotionCurve:
        """Undo the normalisation."""
        size, centre = keys.scale_px, keys.centre_px
        return MotionCurve(
            keys.times_s, keys.num_present, curve.position_px * size + centre, curve.tangent_px * size,
            curve.residual_px * size[..., None], curve.log_error + size[..., 0].log(),
            curve.log_error_between, curve.tolerance_px * size[..., 0, 0], keys.seen,
        )  # fmt: skip

    def _biases(self, keys: MotionKeyframeBatch) -> Sequence[Tensor]:
        """Attention biases of each stage's layers."""
        pad = -keys.present.shape[1] % BLOCK
        times = torch.where(keys.present, (keys.times_s - keys.times_s[:, :1]).float(), 0.0)
        return self.time_bias(F.pad(times, (0, pad)), F.pad(keys.present, (0, pad))).split(self.num_layers)

    def _joined(self, z: Tensor, keys: MotionKeyframeBatch) -> Tensor:
        """(B, K - 1, 2 C) what is known of the pieces: the tokens at both ends and the length."""
        length = torch.stack([(5 * keys.h).clamp_max(5), (10 * keys.h).log()], -1)
        return self.join(torch.cat([z[:, :-1], z[:, 1:], length], -1))

    def _tangents(self, z: Tensor, x: Tensor, found: KeyframeFeatures, keys: MotionKeyframeBatch) -> Tensor:
        """Natural tangents of the corrected keyframes, turned towards the chords beside them and freely."""
        B, K = x.shape[:2]
        natural = natural_spline_tangents(x, keys.h[..., None], keys.num_present[:, None])
        if K == 1:
            return natural
        inside = keys.present[:, 1:, None, None]
        chord = torch.where(inside, x.diff(dim=1) / keys.h[..., None, None], 0.0)
        h = torch.where(keys.present[:, 1:], keys.h, 0.0)
        before, after = F.pad(h, (1, 0)), F.pad(h, (0, 1))
        length = (before + after) / ((before > 0).float() + (after > 0).float()).clamp_min(1)
        length = torch.where(length > 0, length, 1.0)[..., None, None]
        weights, free = self.turn(z).reshape(B, K, NUM_JOINTS, 4).split(2, -1)
        to_before = F.pad(torch.where(inside, chord - natural[:, 1:], 0.0), (0, 0, 0, 0, 1, 0))
        to_after = F.pad(torch.where(inside, chord - natural[:, :-1], 0.0), (0, 0, 0, 0, 0, 1))
        chords = weights[..., :1] * to_before + weights[..., 1:] * to_after
        return natural + chords + found.amplitude * free / length

    def _residuals(self, joined: Tensor, found: KeyframeFeatures) -> Tensor:
        """(B, K - 1, 3, J, 2): along the second differences of the two ends, and freely."""
        B, segments = joined.shape[:2]
        weights, free = self.bulge(joined).reshape(B, segments, NUM_RESIDUALS, NUM_JOINTS, 4).split(2, -1)
        bend, size = found.offsets[:, :, LINE, None], found.amplitude[:, :, None]
        bends = weights[..., :1] * bend[:, :-1] + weights[..., 1:] * bend[:, 1:]
        return bends + 0.5 * (size[:, :-1] + size[:, 1:]) * free


def _zero(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def mirror_motion_joints(x: Tensor) -> Tensor:
    """Swap left and right of (..., J, 2) coordinates about x = 0."""
    x = x[..., MIRRORED, :]
    return torch.stack([-x[..., 0], x[..., 1]], -1)


def _doubled(keys: MotionKeyframeBatch) -> MotionKeyframeBatch:
    """The batch followed by its mirror image."""
    twice = lambda a: torch.cat([a, a])  # noqa: E731
    flipped = lambda a: torch.cat([a, a[..., MIRRORED]])  # noqa: E731
    return MotionKeyframeBatch(
        torch.cat([keys.x, mirror_motion_joints(keys.x)]), flipped(keys.valid), flipped(keys.seen),
        flipped(keys.confidence), twice(keys.present), twice(keys.num_present), twice(keys.times_s),
        twice(keys.h), twice(keys.centre_px), twice(keys.scale_px), twice(keys.stencils),
    )  # fmt: skip


def _unmirrored(curve: MotionCurve) -> MotionCurve:
    """Average the answers to a batch and to its mirror image."""
    parts = {}
    for name in (f.name for f in fields(curve)):
        plain, mirrored = getattr(curve, name).chunk(2)
        if name in ("position_px", "tangent_px", "residual_px"):
            parts[name] = 0.5 * (plain + mirror_motion_joints(mirrored))
        elif name in ("log_error", "log_error_between"):
            parts[name] = 0.5 * (plain + mirrored[..., MIRRORED])
        elif name == "tolerance_px":
            parts[name] = 0.5 * (plain + mirrored)
        else:
            parts[name] = plain
    return MotionCurve(**parts)


def natural_spline_of_keyframes(keys: MotionKeyframeBatch) -> MotionCurve:
    """The natural cubic spline through keyframes, missing joints filled, in px: the untrained net."""
    B, K, J, _ = keys.x.shape
    x = keys.x
    doubt = x.new_zeros(B, K, J)
    tangent = natural_spline_tangents(x, keys.h[..., None], keys.num_present[:, None])
    residual = x.new_zeros(B, max(K - 1, 0), NUM_RESIDUALS, J, 2)
    curve = MotionCurve(
        keys.times_s, keys.num_present, x, tangent, residual, doubt, doubt[:, 1:], x.new_ones(B, K), keys.seen
    )
    return MotionBase.in_pixels(curve, keys)
