"""Layers of the published renderer: spatially adaptive normalisation and the residual blocks built on it.

Park et al., "Semantic Image Synthesis with Spatially-Adaptive Normalization", CVPR 2019. Parameters are named
as in the published weights. Letters: N pictures, C channels, K channels of the condition, H and W their size.
"""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from rib.render.nets.spectral import SpectralConv2d

SLOPE = 0.2
"""Of the leaky ReLU."""


class NamedLayers(nn.Module):
    """Named layers, so that parameters are called `layers.<name>`."""

    def __init__(self, **layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleDict(layers)


class PlainConv(NamedLayers):
    """A convolution that keeps the size, without spectral normalisation."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__(conv=nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2))

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, out_channels, H, W)."""
        return self.layers["conv"](x)


class ConvActivation(NamedLayers):
    """A spectral convolution, an affine instance normalisation if wanted, a leaky ReLU if wanted."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        normalised: bool,
        kernel: int = 3,
        activated: bool = True,
    ) -> None:
        conv = SpectralConv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2)
        super().__init__(
            conv=conv, **({"norm": nn.InstanceNorm2d(out_channels, affine=True)} if normalised else {})
        )
        self.activated = activated

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, out_channels, H / stride, W / stride)."""
        x = self.layers["conv"](x)
        if "norm" in self.layers:
            x = self.layers["norm"](x)
        return F.leaky_relu_(x, SLOPE) if self.activated else x


class SpadeNorm(nn.Module):
    """Instance normalisation whose scale and shift come from a condition, place by place."""

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.mlps = nn.ModuleList([nn.ModuleList([PlainConv(condition, 2 * channels, 1)])])

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(N, C, H, W) by a condition (N, K, H, W)."""
        make: Any = self.mlps[0][0]  # type: ignore[index]
        scale, shift = make(condition).chunk(2, 1)
        return F.instance_norm(x) * (1 + scale) + shift


class SpadeConv(NamedLayers):
    """A spectral convolution after SPADE and, if wanted, a leaky ReLU."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, condition: int, activated: bool
    ) -> None:
        super().__init__(
            norm=SpadeNorm(in_channels, condition),
            conv=SpectralConv2d(in_channels, out_channels, kernel, padding=kernel // 2),
        )
        self.activated = activated

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, out_channels, H, W)."""
        x = self.layers["norm"](x, condition)
        return self.layers["conv"](F.leaky_relu_(x, SLOPE) if self.activated else x)


class SpadeBlock(nn.Module):
    """Two SPADE convolutions beside a way past them, which is a convolution where the width changes."""

    def __init__(self, in_channels: int, out_channels: int, condition: int) -> None:
        super().__init__()
        hidden = min(in_channels, out_channels)
        self.conv_block_0 = SpadeConv(in_channels, hidden, 3, condition, activated=True)
        self.conv_block_1 = SpadeConv(hidden, out_channels, 3, condition, activated=True)
        if in_channels != out_channels:
            self.conv_block_s = SpadeConv(in_channels, out_channels, 1, condition, activated=False)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, out_channels, H, W)."""
        past = self.conv_block_s(x, condition) if hasattr(self, "conv_block_s") else x
        return self.conv_block_1(self.conv_block_0(x, condition), condition).add_(past)


class NormResidualBlock(nn.Module):
    """Two convolutions, each normalised after, beside a way past them."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv_block_0 = ConvActivation(in_channels, out_channels, 1, True)
        self.conv_block_1 = ConvActivation(out_channels, out_channels, 1, True, activated=False)
        if in_channels != out_channels:
            self.conv_block_s = ConvActivation(in_channels, out_channels, 1, True, kernel=1, activated=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, out_channels, H, W)."""
        past = self.conv_block_s(x) if hasattr(self, "conv_block_s") else x
        return self.conv_block_1(self.conv_block_0(x)).add_(past)
