"""TensorFlow Lite's files read as data: the operators of a net in order, and its dense constants.

The schema is that of the `tflite` package. Weights that a file keeps in half precision (DEQUANTIZE) or sparse
(DENSIFY) are unpacked here, so that a net sees float32 arrays alone.
"""

from __future__ import annotations

import importlib.util
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rib.io.errors import RibError, reason_of_error

REMEDY = "type: rib download"
_LARGEST_FILE = 2**28
_MOST_NUMBERS = 2**27
"""In one tensor, and in all constants of a file together."""
_MOST_TENSORS = 2**14

_CONVOLUTION = ("Padding", "StrideW", "StrideH", "DilationWFactor", "DilationHFactor")
OPTIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "ADD": ("AddOptions", ("FusedActivationFunction",)),
    "CONCATENATION": ("ConcatenationOptions", ("Axis", "FusedActivationFunction")),
    "CONV_2D": ("Conv2DOptions", (*_CONVOLUTION, "FusedActivationFunction")),
    "DENSIFY": ("", ()),
    "DEPTHWISE_CONV_2D": (
        "DepthwiseConv2DOptions",
        (*_CONVOLUTION, "DepthMultiplier", "FusedActivationFunction"),
    ),
    "DEPTH_TO_SPACE": ("DepthToSpaceOptions", ("BlockSize",)),
    "DEQUANTIZE": ("", ()),
    "FULLY_CONNECTED": ("FullyConnectedOptions", ("FusedActivationFunction", "WeightsFormat")),
    "LOGISTIC": ("", ()),
    "MAX_POOL_2D": (
        "Pool2DOptions",
        ("Padding", "StrideW", "StrideH", "FilterWidth", "FilterHeight", "FusedActivationFunction"),
    ),
    "MEAN": ("ReducerOptions", ("KeepDims",)),
    "PAD": ("", ()),
    "PRELU": ("", ()),
    "RESHAPE": ("", ()),
    "RESIZE_BILINEAR": ("ResizeBilinearOptions", ("AlignCorners", "HalfPixelCenters")),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask"),
    ),
}
"""By the kind of operator that is known, the schema's table of its options, and which of them are read."""


class TfliteOperator(NamedTuple):
    """One step of a net.

    Attributes:
        kind: Its name in the schema, a key of `OPTIONS`.
        inputs: Indices of tensors.
        outputs: The same.
        options: By their names in the schema.
    """

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, int]


@dataclass(frozen=True)
class TfliteGraph:
    """A net as its file describes it.

    Attributes:
        path: The file.
        shapes: Of every tensor, batch and height first: NHWC.
        constants: float32 or int32 arrays by the tensor's index.
        operators: In the order in which they run; none has constants alone as its inputs.
        inputs: Indices of the tensors that the caller gives.
        outputs: Indices of those that the caller gets.
    """

    path: Path
    shapes: tuple[tuple[int, ...], ...]
    constants: Mapping[int, np.ndarray]
    operators: tuple[TfliteOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_tflite_graph(path: str | Path) -> TfliteGraph:
    """Read a net's file; nothing in it is run.

    Raises:
        RibError: There is no such file, it is damaged or too large, or an operator in it is not known; or the
            package of the schema is not installed.
    """
    path = Path(path)
    if importlib.util.find_spec("tflite") is None:
        raise RibError(
            "the networks as torch modules need the package tflite, which is not installed",
            "type: pip install 'render-in-between[pose]'",
        )
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ValueError("it is too large")
        return _graph_in(path, path.read_bytes())
    except RibError:
        raise
    except struct.error as error:
        raise not_a_tflite_net(path, "it points outside itself") from error
    except Exception as error:  # a damaged file raises nearly anything on the way
        raise not_a_tflite_net(path, reason_of_error(error)) from error


def not_a_tflite_net(path: Path, why: str) -> RibError:
    """The error of a file that holds no such net."""
    return RibError(f"{path} cannot be read as a net of TensorFlow Lite ({why})", REMEDY)


def _graph_in(path: Path, content: bytes) -> TfliteGraph:
    from tflite.Model import Model

    if content[4:8] != b"TFL3":
        raise ValueError("it does not begin as one")
    model = Model.GetRootAs(content, 0)
    graph = model.Subgraphs(0)
    if model.SubgraphsLength() != 1 or not 0 < graph.TensorsLength() <= _MOST_TENSORS:
        raise ValueError("it holds no net or several")
    tensors = [graph.Tensors(i) for i in range(graph.TensorsLength())]
    shapes = tuple(_shape(tensor) for tensor in tensors)
    constants = _constants(model, tensors, shapes)
    operators = []
    for operator in _operators(model, graph, len(tensors)):
        source = operator.inputs[0]
        if operator.kind not in ("DEQUANTIZE", "DENSIFY"):
            operators.append(operator)
        elif operator.kind == "DEQUANTIZE":
            constants[operator.outputs[0]] = constants[source].astype(np.float32)
        else:
            constants[operator.outputs[0]] = constants[source]
    inputs, outputs = _indices(graph, "Inputs", len(tensors)), _indices(graph, "Outputs", len(tensors))
    _check_order(operators, constants, inputs, outputs)
    return TfliteGraph(path, shapes, constants, tuple(operators), inputs, outputs)


def _shape(tensor: Any) -> tuple[int, ...]:
    shape = tuple(tensor.Shape(i) for i in range(min(tensor.ShapeLength(), 8)))
    if any(side < 1 for side in shape) or np.prod(shape, dtype=float) > _MOST_NUMBERS:
        raise ValueError(f"a tensor of it has the shape {shape}")
    return shape


def _constants(model: Any, tensors: list[Any], shapes: tuple[tuple[int, ...], ...]) -> dict[int, np.ndarray]:
    """Arrays of all tensors that have data, the sparse ones made dense."""
    from tflite.TensorType import TensorType

    dtypes = {TensorType.FLOAT32: "<f4", TensorType.FLOAT16: "<f2", TensorType.INT32: "<i4"}
    found: dict[int, np.ndarray] = {}
    for index, (tensor, shape) in enumerate(zip(tensors, shapes, strict=True)):
        buffer = model.Buffers(tensor.Buffer())
        if not buffer.DataLength():
            continue
        if sum(array.size for array in found.values()) + np.prod(shape, dtype=float) > _MOST_NUMBERS:
            raise ValueError("its weights are too many")
        numbers = np.frombuffer(buffer.DataAsNumpy().tobytes(), dtypes[tensor.Type()])
        sparsity = tensor.Sparsity()
        found[index] = numbers.reshape(shape) if sparsity is None else _dense(numbers, sparsity, shape)
        if not np.isfinite(found[index]).all():
            raise ValueError("a weight of it is not finite")
    return found


def _dense(values: np.ndarray, sparsity: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Unpack a tensor kept as TACO does: dimension by dimension, dense or as compressed rows.

    Kjolstad et al., "The Tensor Algebra Compiler", 2017.
    """
    order = [sparsity.TraversalOrder(i) for i in range(min(sparsity.TraversalOrderLength(), 8))]
    if (
        order != list(range(len(shape)))
        or sparsity.BlockMapLength()
        or sparsity.DimMetadataLength() != len(shape)
    ):
        raise ValueError("its sparse weights lie in blocks")
    places = np.zeros((1, 0), np.int64)
    for dimension, side in enumerate(shape):
        level = sparsity.DimMetadata(dimension)
        if level.Format() == 0:
            if level.DenseSize() != side:
                raise ValueError("a sparse weight of it has another shape than it says")
            owners = np.repeat(np.arange(len(places)), side)
            along = np.tile(np.arange(side), len(places))
        else:
            ends, along = _vector(level, "Segments"), _vector(level, "Indices")
            counts = np.diff(ends)
            if len(counts) != len(places) or ends[0] or ends[-1] != len(along) or (counts < 0).any():
                raise ValueError("a sparse weight of it has rows that do not fit")
            owners = np.repeat(np.arange(len(places)), counts)
        if len(along) and not 0 <= along.min() <= along.max() < side:
            raise ValueError("a sparse weight of it lies outside its tensor")
        places = np.column_stack([places[owners], along])
    dense = np.zeros(shape, values.dtype)
    dense[tuple(places.T)] = values
    return dense


def _vector(level: Any, part: str) -> np.ndarray:
    from tflite.Int32Vector import Int32Vector
    from tflite.Uint8Vector import Uint8Vector
    from tflite.Uint16Vector import Uint16Vector

    kinds = {1: Int32Vector, 2: Uint16Vector, 3: Uint8Vector}
    vector = kinds[getattr(level, f"Array{part}Type")()]()
    table = getattr(level, f"Array{part}")()
    vector.Init(table.Bytes, table.Pos)
    return np.asarray(vector.ValuesAsNumpy(), np.int64).reshape(-1)


def _operators(model: Any, graph: Any, num_tensors: int) -> Iterator[TfliteOperator]:
    import tflite

    names = {value: name for name, value in vars(tflite.BuiltinOperator).items() if isinstance(value, int)}
    for index in range(min(graph.OperatorsLength(), _MOST_TENSORS)):
        operator = graph.Operators(index)
        code = model.OperatorCodes(operator.OpcodeIndex())
        kind = names.get(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()), "?")
        if kind not in OPTIONS:
            raise ValueError(f"it holds the operator {kind}, which rib does not know")
        table, wanted = OPTIONS[kind]
        options: dict[str, int] = {}
        if table:
            given = getattr(tflite, table)()
            where = operator.BuiltinOptions()
            given.Init(where.Bytes, where.Pos)
            options = {name: int(getattr(given, name)()) for name in wanted}
        inputs = _indices(operator, "Inputs", num_tensors)
        yield TfliteOperator(kind, inputs, _indices(operator, "Outputs", num_tensors), options)


def _indices(owner: Any, part: str, num_tensors: int) -> tuple[int, ...]:
    count = getattr(owner, f"{part}Length")()
    found = tuple(int(getattr(owner, part)(i)) for i in range(min(count, _MOST_TENSORS)))
    if not found or not all(0 <= index < num_tensors for index in found):
        raise ValueError("an operator of it names a tensor that it does not hold")
    return found


def _check_order(
    operators: list[TfliteOperator],
    constants: Mapping[int, np.ndarray],
    inputs: tuple[int, ...],
    outputs: tuple[int, ...],
) -> None:
    """Every tensor is made once, and before it is used."""
    made = {*constants, *inputs}
    for operator in operators:
        if not made.issuperset(operator.inputs) or not made.isdisjoint(operator.outputs):
            raise ValueError("its operators do not follow one another")
        made.update(operator.outputs)
    if not made.issuperset(outputs):
        raise ValueError("an output of it is made by no operator")
