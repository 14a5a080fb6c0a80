"""Self-attention among neighbouring keyframes, with a bias learnt from seconds.

Letters: B clips, K keyframes, N blocks of `BLOCK` keyframes, H heads, D channels a head, C channels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BLOCK = 8
"""A keyframe sees those at most this many keyframes away: cost is linear in K."""


def attention_blocks(x: Tensor, fill: float = 0.0) -> Tensor:
    """Cut (B, K, ...) with K a multiple of `BLOCK` into what each block sees: (B, N, 3 BLOCK, ...)."""
    B, K = x.shape[:2]
    pad = [0, 0] * (x.dim() - 2) + [BLOCK, BLOCK]
    x = F.pad(x, pad, value=fill).reshape(B, K // BLOCK + 2, BLOCK, *x.shape[2:])
    return torch.cat([x[:, :-2], x[:, 1:-1], x[:, 2:]], 2)


class AttentionTimeBias(nn.Module):
    """Attention bias of every layer and head from the time and the number of keyframes between two keyframes.

    Args:
        num_layers: Layers served.
        num_heads: Heads a layer.
        width: Hidden units.
    """

    HORIZONS_S = (0.07, 0.2, 0.6)
    offset: Tensor

    def __init__(self, num_layers: int, num_heads: int, width: int = 32) -> None:
        super().__init__()
        self.num_layers, self.num_heads = num_layers, num_heads
        self.mlp = nn.Sequential(nn.Linear(8, width), nn.GELU(), nn.Linear(width, num_layers * num_heads))
        # on a device named here: the outline of a net is built without memory, where PyTorch imports its
        # compiler, 90 MB and a second, to count
        place = torch.arange(3 * BLOCK, device="cpu")
        offset = place[None] - BLOCK - place[:BLOCK, None]
        self.register_buffer("offset", offset.float(), persistent=False)

    def forward(self, times_BK: Tensor, present_BK: Tensor) -> Tensor:
        """(layers, B * N, H, BLOCK, 3 BLOCK) from seconds and a mask, K a multiple of `BLOCK`."""
        B, K = times_BK.shape
        dt = attention_blocks(times_BK)[:, :, None, :] - times_BK.reshape(B, K // BLOCK, BLOCK, 1)
        far, offset = dt.abs(), self.offset.expand_as(dt)
        decay = [torch.exp(-far / horizon) for horizon in self.HORIZONS_S]
        features = [dt.clamp(-4, 4), *decay, dt.sign() * decay[1], offset / BLOCK, torch.tanh(offset / 2)]
        bias = self.mlp(torch.stack([*features, (offset == 0).float()], -1))
        seen = attention_blocks(present_BK.float())[:, :, None, :] * (offset.abs() <= BLOCK)
        bias = bias.masked_fill(((seen == 0) & (offset != 0))[..., None], -1e4)
        bias = bias.reshape(-1, BLOCK, 3 * BLOCK, self.num_layers, self.num_heads)
        return bias.permute(3, 0, 4, 1, 2).contiguous()


class BandedAttentionLayer(nn.Module):
    """A pre-norm transformer layer (Xiong et al., 2020) whose attention stays within `BLOCK` keyframes.

    Args:
        width: Channels.
        num_heads: Heads.
        expansion: Hidden units of the feed-forward part, as a multiple of `width`.
    """

    def __init__(self, width: int, num_heads: int, expansion: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.norm_attention, self.norm_feed = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value, self.merge = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.expand, self.contract = nn.Linear(width, expansion * width), nn.Linear(expansion * width, width)

    def forward(self, x_BKC: Tensor, bias: Tensor) -> Tensor:
        """(B, K, C) with K a multiple of `BLOCK`; `bias` (B * N, H, BLOCK, 3 BLOCK)."""
        x = x_BKC + self.merge(self._attend(self.norm_attention(x_BKC), bias))
        return x + self.contract(F.gelu(self.expand(self.norm_feed(x))))

    def _attend(self, x_BKC: Tensor, bias: Tensor) -> Tensor:
        B, K, C = x_BKC.shape
        query, key, value = self.query_key_value(x_BKC).split(C, -1)
        heads = lambda a: a.reshape(bias.shape[0], -1, self.num_heads, C // self.num_heads).transpose(1, 2)  # noqa: E731
        query, key, value = heads(query), heads(attention_blocks(key)), heads(attention_blocks(value))
        scores = query @ key.transpose(2, 3) * (C // self.num_heads) ** -0.5 + bias
        return (scores.softmax(-1) @ value).transpose(1, 2).reshape(B, K, C)
