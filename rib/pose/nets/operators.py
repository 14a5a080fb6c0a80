"""The operators of TensorFlow Lite as torch modules: each takes its inputs and gives its output.

B T J C H W D as everywhere. Whatever has four dimensions lies as (B, C, H, W) here and as (B, H, W, C) in the
file; `_AXES` turns the file's axes into ours. Everything else lies as the file has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from rib.io.weights.tflite_files import TfliteGraph, TfliteOperator
from rib.pose.nets.layers import ACTIVATIONS, Convolution, Edges, FullyConnected, Operation, Prelu

_AXES = (0, 2, 3, 1)
"""Where the file's axes B, H, W, C lie in ours."""
_SAME = 0


def build_operator(graph: TfliteGraph, operator: TfliteOperator, edges: Edges | None = None) -> nn.Module:
    """Make the module of an operator.

    Args:
        graph: The net that it is part of.
        operator: What the file says of it.
        edges: Zeros that the operator before it would have added around its input, which it now adds itself.

    Raises:
        KeyError: One of its options is not known.
        ValueError: The same.
    """
    return _BUILDERS[operator.kind](graph, operator, edges)


def spatial_edges(graph: TfliteGraph, operator: TfliteOperator) -> Edges | None:
    """The zeros that a PAD adds around pictures, or None where it adds channels or pads something else."""
    amounts = _constant(graph, operator, 1)
    if amounts.shape != (4, 2) or amounts[[0, 3]].any() or (amounts < 0).any():
        return None
    (above, below), (left, right) = amounts[1:3].tolist()
    return left, right, above, below


def _constant(graph: TfliteGraph, operator: TfliteOperator, place: int) -> np.ndarray:
    return graph.constants[operator.inputs[place]]


def _weight(array: np.ndarray, *axes: int) -> torch.Tensor:
    return torch.from_numpy(np.array(array.transpose(axes) if axes else array, np.float32, order="C"))


def _pair(options: Mapping[str, int], along_height: str, along_width: str) -> tuple[int, int]:
    pair = options[along_height], options[along_width]
    if min(pair) < 1:
        raise ValueError(f"an operator of it has a step of {pair}")
    return pair


def _same_edges(
    graph: TfliteGraph,
    operator: TfliteOperator,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int] = (1, 1),
) -> Edges:
    """TensorFlow's: SAME gives ceil(size / stride), the odd pixel right and below; VALID adds none."""
    if operator.options["Padding"] != _SAME:
        return 0, 0, 0, 0
    found: list[int] = []
    for size, side, step, apart in zip(
        graph.shapes[operator.inputs[0]][1:3], kernel, stride, dilation, strict=True
    ):
        missing = max((-(-size // step) - 1) * step + (side - 1) * apart + 1 - size, 0)
        found += [missing // 2, missing - missing // 2]
    above, below, left, right = found
    return left, right, above, below


def _convolution(graph: TfliteGraph, operator: TfliteOperator, edges: Edges | None) -> nn.Module:
    """CONV_2D has its weights as O, H, W, I, DEPTHWISE_CONV_2D as 1, H, W, O."""
    weight = _constant(graph, operator, 1)
    stride = _pair(operator.options, "StrideH", "StrideW")
    dilation = _pair(operator.options, "DilationHFactor", "DilationWFactor")
    kernel = weight.shape[1], weight.shape[2]
    own = _same_edges(graph, operator, kernel, stride, dilation)
    depthwise = operator.kind == "DEPTHWISE_CONV_2D"
    return Convolution(
        _weight(weight, *((3, 0, 1, 2) if depthwise else (0, 3, 1, 2))),
        _weight(_constant(graph, operator, 2)),
        stride,
        dilation,
        graph.shapes[operator.inputs[0]][3] if depthwise else 1,
        own if edges is None else edges,
        operator.options["FusedActivationFunction"],
    )


def _fully_connected(graph: TfliteGraph, operator: TfliteOperator, _: Edges | None) -> nn.Module:
    if operator.options["WeightsFormat"]:
        raise ValueError("the weights of it are shuffled")
    weight, bias = _constant(graph, operator, 1), _constant(graph, operator, 2)
    return FullyConnected(_weight(weight), _weight(bias), operator.options["FusedActivationFunction"])


def _prelu(graph: TfliteGraph, operator: TfliteOperator, _: Edges | None) -> nn.Module:
    return Prelu(_weight(_constant(graph, operator, 1).reshape(-1)))


def _add(graph: TfliteGraph, operator: TfliteOperator, _: Edges | None) -> nn.Module:
    activation = ACTIVATIONS[operator.options["FusedActivationFunction"]]
    return Operation(lambda a, b: activation(a + b))


def _logistic(graph: TfliteGraph, operator: TfliteOperator, _: Edges | None) -> nn.Module:
    return Operation(torch.sigmoid)


def _concatenation(graph: TfliteGraph, operator: TfliteOperator, _: Edges | None) -> nn.Module:
    axis, activation = operator.options["Axis"], operator.options["FusedActivationFunction"]
    rank = len(graph.shapes[operator.outputs[0]])
    axis = _AXES[axis] if rank == 4 else axis
    return Operation(lambda *parts: ACTIVATIONS[activation](torch.cat(parts, axis)))


def _depth_to_space(graph: TfliteGraph, operator: TfliteOperator, _: Edges | None) -> nn.Module:
    """The file's channels are row, column, channel of the block; torch's pixel shuffle has channels first."""
    side = operator.options["BlockSize"]

    def spread(x_BCHW: torch.Tensor) -> torch.Tensor:
        shuffled = x_BCHW.unflatten(1, (side * side, -1)).transpose(1, 2).flatten(1, 2)
        return F.pixel_shuffle(shuffled, side)

    return Operation(spread)


def _max_pool(graph: TfliteGraph, operator: TfliteOperator, _: Edges | None) -> nn.Module:
    options = operator.options
    kernel, stride = _pair(options, "FilterHeight", "FilterWidth"), _pair(options, "StrideH", "StrideW")
    edges = _same_edges(graph, operator, kernel, stride)
    activation = ACTIVATIONS[options["FusedActivationFunction"]]

    def pool(x_BCHW: torch.Tensor) -> torch.Tensor:
        if any(edges):
            x_BCHW = F.pad(x_BCHW, edges, value=-torch.inf)
        return activation(F.max_pool2d(x_BCHW, kernel, stride))

    return Operation(pool)


def _mean(graph: TfliteGraph, operator: TfliteOperator, _: Edges | None) -> nn.Module:
    axes = _constant(graph, operator, 1).reshape(-1).tolist()
    if sorted(axes) != [1, 2] or len(graph.shapes[operator.inputs[0]]) != 4:
        raise ValueError("it means over more than height and width")
    keep = bool(operator.options["KeepDims"])
    return Operation(lambda x_BCHW: x_BCHW.mean((2, 3), keepdim=keep))


def _pad(graph: TfliteGraph, operator: TfliteOperator, _: Edges | None) -> nn.Module:
    amounts = _constant(graph, operator, 1)
    if amounts.shape != (4, 2) or amounts[0].any() or amounts.min() < 0:
        raise ValueError("it pads something else than pictures")
    (above, below), (left, right), (front, back) = amounts[1:].tolist()
    return Operation(lambda x_BCHW: F.pad(x_BCHW, (left, right, above, below, front, back)))


def _reshape(graph: TfliteGraph, operator: TfliteOperator, _: Edges | None) -> nn.Module:
    before, after = graph.shapes[operator.inputs[0]], graph.shapes[operator.outputs[0]]
    if before[0] != 1 or after[0] != 1 or len(after) == 4:
        raise ValueError("it mixes the pictures of a batch")

    def flatten(x: torch.Tensor) -> torch.Tensor:
        rows = x.permute(0, 2, 3, 1) if x.ndim == 4 else x
        return rows.reshape(len(x), *after[1:])

    return Operation(flatten)


def _resize_bilinear(graph: TfliteGraph, operator: TfliteOperator, _: Edges | None) -> nn.Module:
    height, width = _constant(graph, operator, 1).reshape(2).tolist()
    if operator.options["AlignCorners"] or not operator.options["HalfPixelCenters"]:
        raise ValueError("it resizes with pixels that are not centred at .5")
    return Operation(
        lambda x_BCHW: F.interpolate(x_BCHW, (height, width), mode="bilinear", align_corners=False)
    )


def _strided_slice(graph: TfliteGraph, operator: TfliteOperator, _: Edges | None) -> nn.Module:
    parts = [_constant(graph, operator, place).reshape(4).tolist() for place in (1, 2, 3)]
    if any(operator.options.values()) or parts[0][0] != 0 or parts[1][0] != 1 or min(parts[2]) < 1:
        raise ValueError("it slices in a way that rib does not know")
    rows, columns, channels = (slice(*ends) for ends in list(zip(*parts, strict=True))[1:])
    return Operation(lambda x_BCHW: x_BCHW[:, channels, rows, columns])


_BUILDERS: Mapping[str, Callable[[TfliteGraph, TfliteOperator, Edges | None], nn.Module]] = {
    "ADD": _add,
    "CONCATENATION": _concatenation,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "DEPTH_TO_SPACE": _depth_to_space,
    "FULLY_CONNECTED": _fully_connected,
    "LOGISTIC": _logistic,
    "MAX_POOL_2D": _max_pool,
    "MEAN": _mean,
    "PAD": _pad,
    "PRELU": _prelu,
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": _resize_bilinear,
    "STRIDED_SLICE": _strided_slice,
}
"""By the operator's kind; DEQUANTIZE and DENSIFY are done when the file is read."""


def activations_of(graph: TfliteGraph, operator: TfliteOperator) -> Sequence[int]:
    """Those inputs of an operator that are made while the net runs."""
    return [index for index in operator.inputs if index not in graph.constants]
