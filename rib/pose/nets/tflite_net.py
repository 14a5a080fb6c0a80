"""A net out of a TensorFlow Lite file as a torch module."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torch.func import functional_call

from rib.io.errors import RibError, reason_of_error
from rib.io.weights.tflite_files import TfliteGraph, TfliteOperator, not_a_tflite_net, read_tflite_graph
from rib.pose.nets.layers import Edges
from rib.pose.nets.operators import activations_of, build_operator, spatial_edges


class TfliteNet(nn.Module):
    """A net's operators one after the other, for one picture or many, on the device where its weights are.

    Args:
        graph: The net as its file describes it; of one input, a picture.
        pinned: Whether the file is known to the byte; else every shape in it is held against what it gives.

    Raises:
        RibError: An operator has options or shapes that do not fit.
    """

    def __init__(self, graph: TfliteGraph, pinned: bool = False) -> None:
        super().__init__()
        try:
            self._build(graph)
            if not pinned:  # it takes a second, most of it torch's imports
                self._check(graph)
        except RibError:
            raise
        except Exception as error:  # shapes that do not fit raise nearly anything in torch
            raise not_a_tflite_net(graph.path, reason_of_error(error)) from error

    @classmethod
    def of_file(cls, path: str | Path, pinned: bool = False) -> TfliteNet:
        """Read a net, in evaluation mode.

        Raises:
            RibError: There is no such file, or it holds no net that rib can run.
        """
        net = cls(read_tflite_graph(path), pinned).eval()
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return net

    @property
    def size_px(self) -> tuple[int, int]:
        """Height and width of the pictures that it takes."""
        return self._size_px

    def forward(
        self, pictures_B3HW: torch.Tensor, see: Callable[[int, torch.Tensor], None] | None = None
    ) -> list[torch.Tensor]:
        """Run the net.

        Args:
            pictures_B3HW: RGB in the range that the net was trained on, in the precision of its weights.
            see: Is shown every operator's output, with its index in the file.

        Returns:
            Its outputs in the file's order; what has four dimensions there is (B, C, H, W) here.
        """
        known = {self._input: pictures_B3HW.contiguous(memory_format=torch.channels_last)}
        for operator, (sources, made), free in zip(self.operators, self._steps, self._free, strict=True):
            known[made] = operator(*(known[index] for index in sources))
            if see is not None:
                see(made, known[made])
            for index in free:
                del known[index]
        return [known[index] for index in self._outputs]

    def _build(self, graph: TfliteGraph) -> None:
        shape = graph.shapes[graph.inputs[0]]
        if len(graph.inputs) != 1 or len(shape) != 4 or shape[0] != 1 or shape[3] != 3:
            raise ValueError("it takes something else than one picture")
        self._size_px = shape[1], shape[2]
        self._input, self._outputs = graph.inputs[0], graph.outputs
        self._steps: list[tuple[list[int], int]] = []
        self.operators = nn.ModuleList()
        padded = _paddings_to_fold(graph)
        for operator in graph.operators:
            made = operator.outputs[0]
            if made in padded:
                continue
            sources = list(activations_of(graph, operator))
            before = padded.get(sources[0])
            if before is not None:
                sources[0] = before[0]
            self.operators.append(build_operator(graph, operator, None if before is None else before[1]))
            self._steps.append((sources, made))
        last_use = {index: step for step, (sources, _) in enumerate(self._steps) for index in sources}
        self._free = [
            [index for index in set(sources) if last_use[index] == step and index not in self._outputs]
            for step, (sources, _) in enumerate(self._steps)
        ]

    @torch.no_grad()
    def _check(self, graph: TfliteGraph) -> None:
        """Hold every operator's output against the file's shape, for two pictures, without computing it."""

        def see(index: int, x: torch.Tensor) -> None:
            said = graph.shapes[index]
            found = x.permute(0, 2, 3, 1).shape if x.ndim == 4 else x.shape
            if tuple(found) != (2, *said[1:]):
                raise ValueError(f"an operator of it gives {tuple(found[1:])}, but it says {said[1:]}")

        outline = {name: weight.to("meta") for name, weight in self.named_buffers()}
        pictures = torch.empty(2, 3, *self._size_px, device="meta")
        functional_call(self, outline, (pictures, see))


def _paddings_to_fold(graph: TfliteGraph) -> dict[int, tuple[int, Edges]]:
    """By the output of a PAD that a convolution alone reads: its input, and the zeros that it adds."""
    readers: dict[int, list[TfliteOperator]] = {}
    for operator in graph.operators:
        for index in operator.inputs:
            readers.setdefault(index, []).append(operator)
    found = {}
    for operator in graph.operators:
        made = operator.outputs[0]
        edges = spatial_edges(graph, operator) if operator.kind == "PAD" else None
        reader = readers.get(made, [])
        if edges is None or made in graph.outputs or len(reader) != 1 or reader[0].inputs[0] != made:
            continue
        if reader[0].kind in ("CONV_2D", "DEPTHWISE_CONV_2D") and reader[0].options["Padding"] == 1:
            found[made] = operator.inputs[0], edges
    return found
