"""Torch layers for the operators of TensorFlow Lite: with weights, or functions alone.

B C H W as everywhere; O filters of I channels. Weights are buffers: nothing trains them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import nn

ACTIVATIONS: Mapping[int, Callable[[torch.Tensor], torch.Tensor]] = {
    0: lambda x: x,
    1: F.relu_,
    3: lambda x: F.hardtanh_(x, 0.0, 6.0),
}
"""By the schema's number: none, ReLU, ReLU6."""

Edges = tuple[int, int, int, int]
"""Pixels added left, right, above and below."""


class Convolution(nn.Module):
    """A convolution, its activation after it.

    Args:
        weight_OIHW: Of `O / groups` filters a group.
        bias_O: Added to each filter's output.
        stride: Along height and width.
        dilation: The same.
        groups: 1, or the number of channels where each has filters of its own.
        edges: Zeros around the input.
        activation: A key of the schema's activations.
    """

    def __init__(
        self,
        weight_OIHW: torch.Tensor,
        bias_O: torch.Tensor,
        stride: tuple[int, int],
        dilation: tuple[int, int],
        groups: int,
        edges: Edges,
        activation: int,
    ) -> None:
        super().__init__()
        self.register_buffer("weight", weight_OIHW)
        self.register_buffer("bias", bias_O)
        left, right, above, below = edges
        even = left == right and above == below
        self._padding = (above, left) if even else (0, 0)
        self._edges = None if even else edges
        self._stride, self._dilation, self._groups = stride, dilation, groups
        self._activation = ACTIVATIONS[activation]

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """Give (B, O, H', W')."""
        if self._edges is not None:
            x_BCHW = F.pad(x_BCHW, self._edges)
        out = F.conv2d(
            x_BCHW,
            self.get_buffer("weight"),
            self.get_buffer("bias"),
            self._stride,
            self._padding,
            self._dilation,
            self._groups,
        )
        return self._activation(out)


class FullyConnected(nn.Module):
    """A matrix and a vector, and the activation after them.

    Args:
        weight_OI: The matrix.
        bias_O: The vector.
        activation: A key of the schema's activations.
    """

    def __init__(self, weight_OI: torch.Tensor, bias_O: torch.Tensor, activation: int) -> None:
        super().__init__()
        self.register_buffer("weight", weight_OI)
        self.register_buffer("bias", bias_O)
        self._activation = ACTIVATIONS[activation]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, ...) to (B, O)."""
        rows = x.permute(0, 2, 3, 1) if x.ndim == 4 else x
        return self._activation(F.linear(rows.flatten(1), self.get_buffer("weight"), self.get_buffer("bias")))


class Prelu(nn.Module):
    """A line through 0 with a slope of its own for what is negative in each channel.

    Args:
        slope_C: The slopes.
    """

    def __init__(self, slope_C: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("slope", slope_C)

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """Of the same shape."""
        return F.prelu(x_BCHW, self.get_buffer("slope"))


class Operation(nn.Module):
    """An operator without weights.

    Args:
        function: From its inputs to its output.
    """

    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self._function = function

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Whatever the function gives."""
        return self._function(*inputs)
