"""The published motion transformer (Ho et al., BMVC 2021), with the names of its weights.

An encoder denoises keyframes, straight lines between them are embedded by the same layer, and a decoder adds
a residual to every frame. Letters: B clips, L frames, C channels, D input values (two for each of 19 joints).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NUM_VALUES = 38


class PredictedMotionFrames(NamedTuple):
    """The net's answer at every frame.

    Attributes:
        predicted: (B, L, D), the motion.
        keyframes: (B, L, D), the encoder's answer, which counts at keyframes.
        decoded: (B, L, C), the decoder's tokens.
    """

    predicted: Tensor
    keyframes: Tensor
    decoded: Tensor


class MotionEncoderLayer(nn.Module):
    """Pre-norm self-attention and feed-forward; positions are added to queries and keys."""

    def __init__(self, width: int, num_heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, num_heads, dropout, batch_first=True)
        self.linear1, self.linear2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, place: Tensor, hidden: Tensor, bias: Tensor | None) -> Tensor:
        """Frames (B, L, C) with places like them; `hidden` (B, L) float is -inf at keys that nobody sees."""
        z = self.norm1(x)
        x = x + self.dropout(_attend(self.self_attn, z + place, z + place, z, hidden, bias))
        z = self.linear2(self.dropout(F.leaky_relu(self.linear1(self.norm2(x)))))
        return x + self.dropout(z)


class MotionDecoderLayer(nn.Module):
    """Pre-norm self-attention, attention to the encoder's tokens, feed-forward."""

    def __init__(self, width: int, num_heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, num_heads, dropout, batch_first=True)
        self.multihead_attn = nn.MultiheadAttention(width, num_heads, dropout, batch_first=True)
        self.linear1, self.linear2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, memory: Tensor, place: Tensor, padding: Tensor | None, hidden: Tensor
    ) -> Tensor:
        """Frames (B, L, C); `padding`, `hidden` (B, L) are -inf at keys left out of the attentions."""
        z = self.norm1(x)
        x = x + self.dropout(_attend(self.self_attn, z + place, z + place, z, padding, None))
        z = self.norm2(x)
        x = x + self.dropout(_attend(self.multihead_attn, z + place, memory + place, memory, hidden, None))
        z = self.linear2(self.dropout(F.leaky_relu(self.linear1(self.norm3(x)))))
        return x + self.dropout(z)


class TransformerStack(nn.Module):
    """Layers and the norm after them."""

    def __init__(self, layers: list[nn.Module], width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(width)


class ReferenceTransformer(nn.Module):
    """Keyframes among empty frames in, all frames out.

    Memory and time grow with the square of L.

    Args:
        width: Channels of a frame's token.
        num_heads: Attention heads.
        num_layers: Layers of the encoder, and of the decoder.
        hidden: Units of the feed-forward parts.
        dropout: Share of values left out in training.
    """

    def __init__(self, width: int, num_heads: int, num_layers: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.input_embed = nn.Linear(NUM_VALUES, width)
        sizes = (width, num_heads, hidden, dropout)
        self.encoder = TransformerStack([MotionEncoderLayer(*sizes) for _ in range(num_layers)], width)
        self.decoder = TransformerStack([MotionDecoderLayer(*sizes) for _ in range(num_layers)], width)
        self.joints_embed = nn.Linear(width, NUM_VALUES)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(
        self, x_BLD: Tensor, is_key_BL: Tensor, angle_BL: Tensor, present_BL: Tensor | None, identity: bool
    ) -> PredictedMotionFrames:
        """Denoise the keyframes and fill in the frames between them.

        Args:
            x_BLD: Normalised values at keyframes, 0 elsewhere.
            is_key_BL: bool; at least one frame of a clip is a keyframe.
            angle_BL: The frames' places in time, radians.
            present_BL: bool, False at frames that only pad the batch; None: all count.
            identity: Add the identity matrix to the encoder's scores, as the published weights were trained
                (torch 1.4 added float masks to scores).
        """
        place = sinusoidal_positions(angle_BL, self.input_embed.out_features).to(x_BLD)
        not_key = _minus_infinity(~is_key_BL, x_BLD)
        padding = None if present_BL is None else _minus_infinity(~present_BL, x_BLD)
        bias = torch.eye(x_BLD.shape[1]).to(x_BLD) if identity else None
        memory = self.input_embed(x_BLD)
        for layer in self.encoder.layers:
            memory = layer(memory, place, not_key, bias)
        memory = self.encoder.norm(memory)
        keyframes = self.joints_embed(memory) + x_BLD
        lines = linear_between_keyframes(keyframes, is_key_BL, angle_BL)
        z = self.input_embed(lines)
        for layer in self.decoder.layers:
            z = layer(z, memory, place, padding, not_key)
        z = self.decoder.norm(z)
        return PredictedMotionFrames(self.joints_embed(z) + lines, keyframes, z)


def sinusoidal_positions(angle_BL: Tensor, width: int) -> Tensor:
    """(B, L, width): sine and cosine of the angle at falling frequencies; pairs of pairs share one."""
    i = torch.arange(width // 2, device=angle_BL.device)
    slowness = 10000.0 ** (2 * (i // 2) / (width // 2))
    phase = angle_BL[..., None].float() / slowness
    return torch.stack([phase.sin(), phase.cos()], -1).flatten(-2)


def linear_between_keyframes(x_BLD: Tensor, is_key_BL: Tensor, time_BL: Tensor) -> Tensor:
    """Straight lines through the values at keyframes; held before the first and after the last."""
    L = x_BLD.shape[1]
    index = torch.arange(L, device=x_BLD.device).expand_as(is_key_BL)
    before = torch.where(is_key_BL, index, -1).cummax(1).values
    after = torch.where(is_key_BL, index, L).flip(1).cummin(1).values.flip(1)
    left, right = (torch.where(a == bad, b, a) for a, b, bad in ((before, after, -1), (after, before, L)))
    t_left, t_right = time_BL.gather(1, left), time_BL.gather(1, right)
    span = torch.where(t_right > t_left, t_right - t_left, 1.0)
    share = ((time_BL - t_left) / span).clamp(0, 1).to(x_BLD)[..., None]
    at = lambda i: x_BLD.gather(1, i[..., None].expand_as(x_BLD))  # noqa: E731
    return torch.lerp(at(left), at(right), share)


def published_position_angles(num_frames: int) -> Tensor:
    """(1, L) places of the published weights: once round, whatever the clip's length."""
    return (torch.arange(num_frames) / (num_frames - 1 + 1e-6) * 2 * math.pi)[None]


def _attend(
    attention: nn.MultiheadAttention,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    hidden: Tensor | None,
    bias: Tensor | None,
) -> Tensor:
    return attention(q, k, v, key_padding_mask=hidden, attn_mask=bias, need_weights=False)[0]


def _minus_infinity(where: Tensor, like: Tensor) -> Tensor:
    return torch.zeros(where.shape).to(like).masked_fill(where, -math.inf)
