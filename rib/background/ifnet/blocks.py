"""Blocks of IFNet 4.0 and 4.6 (`rib.background.ifnet.net`): each corrects an estimate of flows and shares.

Letters: N pairs of pictures, H and W their padded size, h and w what a block sees.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

STATE = 5
"""Channels of the estimate: flow to a (x, y), flow to b (x, y), logit of a's share."""
SLOPE = 0.2
"""Of version 4.6's activations below 0."""


def _conv(in_channels: int, out_channels: int, stride: int, activation: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, stride, 1), activation)


class IFBlock(nn.Module, ABC):
    """One step of refinement: a correction of the estimate, seen at a coarser resolution.

    Attributes:
        cell: A pixel of the correction covers so many pixels per side of what the block sees.
    """

    conv0: nn.Sequential
    convblock: nn.Sequential
    lastconv: nn.Module
    cell: int

    @abstractmethod
    def inside(self, x: torch.Tensor) -> torch.Tensor:
        """Map features (N, width, h, w), a quarter of what is seen per side, to features of the same size."""

    @abstractmethod
    def last(self, x: torch.Tensor) -> torch.Tensor:
        """Map features (N, width, h, w) to a correction (N, 5, 4 h / cell, 4 w / cell) in its own pixels."""

    def forward(self, x: torch.Tensor, scale: int) -> torch.Tensor:
        """Map (N, channels, H / scale, W / scale) to a correction (N, 5, H / cell scale, W / cell scale).

        Its flows are in pixels of the picture, (H, W). Convolutions run in the type of the weights; pictures
        and flows are float32.
        """
        # convolutions run channels_last, warps are faster with planes: change over where it is small
        correction = self.last(self.inside(self.conv0(x))).float().contiguous()
        correction[:, :4] *= self.cell * scale
        return correction

    def see(self, parts: Sequence[torch.Tensor]) -> torch.Tensor:
        """Channels (N or 1, c, h, w) side by side, in the type and the order that the convolutions take."""
        num, (height, width) = max(len(part) for part in parts), parts[0].shape[2:]
        size = num, sum(part.shape[1] for part in parts), height, width
        like = next(self.parameters())
        seen = torch.empty(size, dtype=like.dtype, device=like.device, memory_format=torch.channels_last)
        first = 0
        for part in parts:
            seen[:, first : first + part.shape[1]] = part
            first += part.shape[1]
        return seen


class IFBlock40(IFBlock):
    """A block of version 4.0: eight convolutions beside one shortcut.

    Args:
        in_channels: 7 for the first block (a, b, t), 12 for later ones (warped a and b, t, estimate).
        width: Channels inside.
    """

    cell = 2

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv0 = nn.Sequential(
            _conv(in_channels, width // 2, 2, nn.PReLU(width // 2)),
            _conv(width // 2, width, 2, nn.PReLU(width)),
        )
        self.convblock = nn.Sequential(*(_conv(width, width, 1, nn.PReLU(width)) for _ in range(8)))
        self.lastconv = nn.ConvTranspose2d(width, STATE, 4, 2, 1)

    def inside(self, x: torch.Tensor) -> torch.Tensor:
        """See `IFBlock`."""
        return self.convblock(x) + x  # type: ignore[no-any-return]

    def last(self, x: torch.Tensor) -> torch.Tensor:
        """See `IFBlock`."""
        return self.lastconv(x)  # type: ignore[no-any-return]


class ResidualConv(nn.Module):
    """A convolution beside a shortcut; the factors that the weights have for its channels are in it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, width, h, w) to the same size."""
        return F.leaky_relu_(self.conv(x).add_(x), SLOPE)


class IFBlock46(IFBlock):
    """A block of version 4.6: eight shortcuts, and a correction as fine as what it sees.

    Args:
        in_channels: See `IFBlock40`.
        width: Channels inside.
    """

    cell = 1

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv0 = nn.Sequential(
            _conv(in_channels, width // 2, 2, nn.LeakyReLU(SLOPE, inplace=True)),
            _conv(width // 2, width, 2, nn.LeakyReLU(SLOPE, inplace=True)),
        )
        self.convblock = nn.Sequential(*(ResidualConv(width) for _ in range(8)))
        self.lastconv = nn.Sequential(nn.ConvTranspose2d(width, 4 * STATE, 4, 2, 1))

    def inside(self, x: torch.Tensor) -> torch.Tensor:
        """See `IFBlock`."""
        return self.convblock(x)  # type: ignore[no-any-return]

    def last(self, x: torch.Tensor) -> torch.Tensor:
        """See `IFBlock`; each pixel's channels become four pixels."""
        x = self.lastconv(x)
        num, _, height, width = x.shape
        fine = x.new_empty(num, STATE, height, 2, width, 2, dtype=torch.float32)
        fine.copy_(x.unflatten(1, (STATE, 2, 2)).permute(0, 1, 4, 2, 5, 3))
        return fine.view(num, STATE, 2 * height, 2 * width)
