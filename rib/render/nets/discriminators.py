"""Patch discriminators at several scales (Isola et al., CVPR 2017; Wang et al., CVPR 2018).

Letters: N pictures, C channels, H and W their height and width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch.nn.functional as F
from torch import Tensor, nn

from rib.io.settings.ranges import Range
from rib.render.nets.spectral import SpectralConv2d

KERNEL = 4
SLOPE = 0.2
"""Of the leaky ReLU."""


@dataclass(frozen=True)
class PatchOutput:
    """One scale's logits and features of N pictures.

    Attributes:
        score: (N, 1, h, w), one number a patch; above 0 the more real.
        features: The activations on the way, each (N, c, h, w).
    """

    score: Tensor
    features: list[Tensor]


class DiscriminatorConvNorm(nn.Module):
    """A spectral convolution and, if wanted, an affine instance normalisation and a leaky ReLU after it."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int, normalised: bool
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleDict(
            {"conv": SpectralConv2d(in_channels, out_channels, kernel, stride, padding=(kernel - 1) // 2)}
        )
        if normalised:
            self.layers["norm"] = nn.InstanceNorm2d(out_channels, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, out_channels, h, w)."""
        x = self.layers["conv"](x)
        return F.leaky_relu(self.layers["norm"](x), SLOPE) if "norm" in self.layers else x


class PatchDiscriminator(nn.Module):
    """Judges patches of one scale.

    Args:
        channels: Channels in.
        width: Channels of the first layer; they double with every layer.
        max_channels: Greatest number of channels.
        num_layers: Layers before the score; all but the last halve the picture.
    """

    def __init__(self, channels: int, width: int, max_channels: int, num_layers: int) -> None:
        super().__init__()
        self.num_layers = num_layers
        in_channels = channels
        for layer in range(num_layers):
            out_channels = min(width * 2**layer, max_channels)
            stride = 2 if layer < num_layers - 1 else 1
            setattr(
                self,
                f"layer{layer}",
                nn.Sequential(DiscriminatorConvNorm(in_channels, out_channels, KERNEL, stride, True)),
            )
            in_channels = out_channels
        setattr(self, f"layer{num_layers}", nn.Sequential(DiscriminatorConvNorm(in_channels, 1, 3, 1, False)))

    def forward(self, x: Tensor) -> PatchOutput:
        """Judge pictures (N, C, H, W)."""
        features: list[Tensor] = []
        for layer in range(self.num_layers):
            x = getattr(self, f"layer{layer}")(x)
            features.append(x)
        return PatchOutput(getattr(self, f"layer{self.num_layers}")(x), features)


class MultiScaleDiscriminator(nn.Module):
    """The same logits for a picture and of it at half, a quarter, ... of its size.

    Args:
        channels: Channels in.
        width: See `PatchDiscriminator`.
        max_channels: See `PatchDiscriminator`.
        num_layers: See `PatchDiscriminator`.
        num_scales: How many.
    """

    def __init__(
        self,
        channels: int,
        width: Annotated[int, Range(1, 4096)],
        max_channels: Annotated[int, Range(1, 65536)],
        num_layers: Annotated[int, Range(1, 32)],
        num_scales: Annotated[int, Range(1, 16)],
    ) -> None:
        super().__init__()
        self.num_scales = num_scales
        for scale in range(num_scales):
            setattr(
                self, f"discriminator_{scale}", PatchDiscriminator(channels, width, max_channels, num_layers)
            )

    def forward(self, x: Tensor) -> list[PatchOutput]:
        """Judge pictures (N, C, H, W), the whole size first."""
        found = []
        for scale in range(self.num_scales):
            found.append(getattr(self, f"discriminator_{scale}")(x))
            x = F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)
        return found
