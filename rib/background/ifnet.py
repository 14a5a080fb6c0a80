"""IFNet 4.0, the flow network of RIFE (Huang et al., ECCV 2022, arXiv:2011.06294), for inference.

Four blocks refine one estimate from coarse to fine. Layer names are those of the published weights.
Letters: N pairs of pictures, H and W their padded size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import nn

from rib.background.upsampling import add_enlarged_planes, enlarge_planes
from rib.background.warp import backward_warp, grid_sample_pixel_grid

STATE = 5
"""Channels of the estimate: flow to a (x, y), flow to b (x, y), logit of a's share."""
AT_ONCE_PX = 2**18
"""Warping takes some 60 bytes a pixel; it goes over larger pictures some rows at a time."""
LEAP_PX = 32
"""A second step longer than this towards both pictures means that the first block looked too closely."""


def _conv(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, stride, 1), nn.PReLU(out_channels))


class IFBlock(nn.Module):
    """One step of refinement: a correction of the estimate, seen at a coarser resolution.

    Args:
        in_channels: 7 for the first block (a, b, t), 12 for later ones (warped a and b, t, estimate).
        width: Channels inside.
    """

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv0 = nn.Sequential(
            _conv(in_channels, width // 2, stride=2), _conv(width // 2, width, stride=2)
        )
        self.convblock = nn.Sequential(*(_conv(width, width) for _ in range(8)))
        self.lastconv = nn.ConvTranspose2d(width, STATE, 4, 2, 1)

    def forward(self, x: torch.Tensor, scale: int) -> torch.Tensor:
        """Map (N, in_channels, H / scale, W / scale) to a correction (N, 5, H / 2 scale, W / 2 scale).

        Its flows are in pixels of the picture, (H, W). Convolutions run in the type of the weights; pictures
        and flows are float32.
        """
        x = self.conv0(x)
        # convolutions run channels_last, warps are faster with planes: change over where it is small
        correction = self.lastconv(self.convblock(x) + x).float().contiguous()
        correction[:, :4] *= 2 * scale
        return correction

    def see(self, parts: Sequence[torch.Tensor]) -> torch.Tensor:
        """Channels (N or 1, c, h, w) side by side, in the type and the order that the convolutions take."""
        num, (height, width) = max(len(part) for part in parts), parts[0].shape[2:]
        size = num, sum(part.shape[1] for part in parts), height, width
        like = self.lastconv.weight
        seen = torch.empty(size, dtype=like.dtype, device=like.device, memory_format=torch.channels_last)
        first = 0
        for part in parts:
            seen[:, first : first + part.shape[1]] = part
            first += part.shape[1]
        return seen


class IFNet(nn.Module):
    """Estimates, for a time between two pictures, the flows to both and the share of each."""

    def __init__(self) -> None:
        super().__init__()
        self.block0 = IFBlock(7, 192)
        self.block1 = IFBlock(12, 128)
        self.block2 = IFBlock(12, 96)
        self.block3 = IFBlock(12, 64)

    def forward(self, pair: torch.Tensor, fractions: torch.Tensor, coarseness: int = 1) -> torch.Tensor:
        """Estimate flows and shares.

        Args:
            pair: (N, 2, 3, H, W), pictures a and b; H and W multiples of 64 * coarseness.
            fractions: (N,), 0 at a and 1 at b.
            coarseness: The finest block sees every `coarseness`-th pixel; a power of two.

        Returns:
            (N, 5, H, W): flow to a and to b in pixels, logit of a's share.
        """
        estimate, stride_px = self._coarse(pair, fractions, coarseness)
        far = (stride_px > LEAP_PX).view(-1, 2, 2).any(2).all(1)
        if not far.any():
            return self._fine(pair, fractions, estimate, coarseness)
        # the published second look; each pair decides for itself, so that batches do not matter
        if far.all():
            del estimate
            twice, _ = self._coarse(pair, fractions, 2 * coarseness)
            return self._fine(pair, fractions, twice, 2 * coarseness)
        result = torch.empty_like(estimate)
        twice, _ = self._coarse(pair[far], fractions[far], 2 * coarseness)
        result[far] = self._fine(pair[far], fractions[far], twice, 2 * coarseness)
        result[~far] = self._fine(pair[~far], fractions[~far], estimate[~far], coarseness)
        return result

    def _coarse(
        self, pair: torch.Tensor, t: torch.Tensor, coarseness: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The estimate after two blocks, and how far the last corrected each flow at most, (N, 4)."""
        scale = 8 * coarseness
        seen = self.block0.see((_shrink(pair.flatten(1, 2), scale), _plane(t, pair, scale)))
        estimate = enlarge_planes(self.block0(seen, scale), 2 * scale)
        step = self._step(self.block1, pair, t, estimate, 4 * coarseness)
        return estimate, add_enlarged_planes(estimate, step, 8 * coarseness)[:, :4]

    def _fine(
        self, pair: torch.Tensor, t: torch.Tensor, estimate: torch.Tensor, coarseness: int
    ) -> torch.Tensor:
        """The estimate after all blocks, in the place of the one that was given."""
        for block, scale in ((self.block2, 2 * coarseness), (self.block3, coarseness)):
            add_enlarged_planes(estimate, self._step(block, pair, t, estimate, scale), 2 * scale)
        return estimate

    def _step(
        self, block: IFBlock, pair: torch.Tensor, t: torch.Tensor, estimate: torch.Tensor, scale: int
    ) -> torch.Tensor:
        small = _shrink(estimate, scale)
        warped = small.new_empty(len(small), 6, *small.shape[2:])
        for rows in _strips(pair, scale):
            near, inner = _middles(estimate[..., rows, :], scale), _middles(_grid(pair, rows), scale)
            part = warp_pair(pair, near, inner).flatten(1, 2)
            warped[..., rows.start // scale : rows.stop // scale, :] = _shrink(part, min(scale, 2))
        return block(block.see((warped, _plane(t, pair, scale), small[:, 4:], small[:, :4] / scale)), scale)


def warp_pair(pair: torch.Tensor, estimate: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """Bring both pictures (N, 2, 3, H, W) to the wanted time by the flows of (N, 5, h, w).

    The grid (1, 2, h, w) says where its pixels lie, as `grid_sample_pixel_grid` does. Gives (N, 2, 3, h, w).
    """
    height, width = grid.shape[2:]
    flows = estimate[:, :4].reshape(-1, 2, height, width)
    return backward_warp(pair.flatten(0, 1), flows, grid).view(-1, 2, 3, height, width)


def merge_warped_pair(pair: torch.Tensor, estimate: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The picture (N, 3, H, W) at the wanted time and a's share (N, 1, H, W) of it, in the logit's place."""
    share = estimate[:, 4:].sigmoid_()
    merged = torch.empty_like(pair[:, 0])
    for rows in _strips(pair, 1):
        at = (..., rows, slice(None))
        a, b = warp_pair(pair, estimate[at], _grid(pair, rows)).unbind(1)
        merged[at] = torch.lerp(b, a, share[at])
    return merged, share


def _grid(pair: torch.Tensor, rows: slice) -> torch.Tensor:
    return grid_sample_pixel_grid(pair.shape[3], pair.shape[4], pair.device, rows)


def _strips(pair: torch.Tensor, multiple: int) -> Iterator[slice]:
    """Runs of rows, multiples of `multiple`, that cover the pictures (N, 2, 3, H, W)."""
    height, width = pair.shape[3:]
    num_rows = max(1, AT_ONCE_PX // (width * multiple)) * multiple
    for first in range(0, height, num_rows):
        yield slice(first, min(first + num_rows, height))


def _middles(x: torch.Tensor, scale: int) -> torch.Tensor:
    """The four pixels amid each square of `scale` x `scale`: shrunk bilinearly no other counts."""
    if scale <= 2:
        return x
    num, channels, height, width = x.shape
    middle = slice(scale // 2 - 1, scale // 2 + 1)
    squares = x.view(num, channels, height // scale, scale, width // scale, scale)
    return squares[:, :, :, middle, :, middle].reshape(num, channels, 2 * height // scale, 2 * width // scale)


def _shrink(x: torch.Tensor, scale: int) -> torch.Tensor:
    if scale == 1:
        return x
    return F.interpolate(x, scale_factor=1 / scale, mode="bilinear", align_corners=False)


def _plane(t: torch.Tensor, pair: torch.Tensor, scale: int) -> torch.Tensor:
    """Times (N,) as a plane each, (N, 1, H / scale, W / scale)."""
    height, width = pair.shape[3:]
    return t.view(-1, 1, 1, 1).expand(-1, 1, height // scale, width // scale)


def load_ifnet_weights(net: IFNet, published: dict[str, torch.Tensor]) -> None:
    """Fill the net from the published state_dict; its teacher and refinement nets stay unused."""
    net.load_state_dict({key: published[f"module.{key}"] for key in net.state_dict()})
