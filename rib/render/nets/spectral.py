"""Convolutions whose largest singular value is 1 (Miyato et al., ICLR 2018).

The estimate moves on only when it is told to, once a step: a net may so be run several times in a step, under
gradient checkpointing too, and every run sees the same weights.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FIRST_ITERATIONS = 15
"""Rounds of the power method on the weights that a net starts with."""


class SpectralConv2d(nn.Module):
    """A convolution with `weight_orig` divided by its largest singular value; parameters named as torch's.

    Args:
        in_channels: Channels in.
        out_channels: Channels out.
        kernel: Width of the kernel.
        stride: Step of the kernel.
        padding: Zeros around the picture.
    """

    weight_u: Tensor
    weight_v: Tensor

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, padding: int = 0
    ) -> None:
        super().__init__()
        self.stride, self.padding = stride, padding
        start = nn.Conv2d(in_channels, out_channels, kernel)
        assert start.bias is not None
        self.bias = nn.Parameter(start.bias.detach())
        self.weight_orig = nn.Parameter(start.weight.detach())
        self.register_buffer("weight_u", F.normalize(torch.randn(out_channels), dim=0))
        self.register_buffer("weight_v", F.normalize(torch.randn(in_channels * kernel**2), dim=0))
        for _ in range(FIRST_ITERATIONS):
            self.iterate()

    @torch.no_grad()
    def iterate(self) -> None:
        """One round of the power method."""
        matrix = self.weight_orig.flatten(1)
        with torch.autocast(matrix.device.type, enabled=False):
            v = F.normalize(matrix.T @ self.weight_u, dim=0, eps=1e-12)
            self.weight_v.copy_(v)
            self.weight_u.copy_(F.normalize(matrix @ v, dim=0, eps=1e-12))

    def weight(self) -> Tensor:
        """The weights that are used, (out_channels, in_channels, kernel, kernel)."""
        # clones: the vectors may move on before the gradient is asked for
        u, v = self.weight_u.clone(), self.weight_v.clone()
        with torch.autocast(u.device.type, enabled=False):
            return self.weight_orig / torch.dot(u, self.weight_orig.flatten(1) @ v)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, out_channels, h, w)."""
        return F.conv2d(x, self.weight(), self.bias, self.stride, self.padding)


def iterate_spectral_norms(net: nn.Module) -> None:
    """Move the estimates of all of a net's convolutions on by one round."""
    for module in net.modules():
        if isinstance(module, SpectralConv2d):
            module.iterate()


def fold_spectral_norms(net: nn.Module) -> nn.Module:
    """Put plain convolutions with the weights in use in the place of spectral ones: for inference alone."""
    for name, child in net.named_children():
        if isinstance(child, SpectralConv2d):
            weight = child.weight().detach()
            plain = nn.Conv2d(
                weight.shape[1],
                weight.shape[0],
                (weight.shape[2], weight.shape[3]),
                child.stride,
                child.padding,
            )
            plain.load_state_dict({"weight": weight, "bias": child.bias.detach()})
            setattr(net, name, plain.to(weight))
        else:
            fold_spectral_norms(child)
    return net
