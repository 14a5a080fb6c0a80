"""The formats of an export: each is written, read again and held against torch."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rib.export.model import ExportedModel, facts_of_exported_model
from rib.export.settings import ExportSettings
from rib.io.errors import RibError
from rib.io.weights.net_files import write_net_file

Outputs = Sequence[Tensor]
Reader = Callable[[dict[str, Tensor]], Outputs]
"""Calls an exported net with inputs by name."""


def write_exported_model(model: ExportedModel, path: Path, config: ExportSettings) -> Reader | None:
    """Write a model in the format of the settings.

    Returns:
        What calls the file that was written; None where the package that reads it is not installed.

    Raises:
        RibError: The format needs a package that is not installed.
    """
    return WRITERS[config.format](model, path, config)


def _safetensors(model: ExportedModel, path: Path, config: ExportSettings) -> Reader:
    notes = {key: value for key, value in model.header.items() if key not in ("recipe", "facts", "format")}
    stated = {"licence": config.licence} if config.licence else {}
    write_net_file(path, model.net, model.recipe, {**notes, **stated, **facts_of_exported_model(model)})
    from rib.export.model import open_model_to_export

    core = open_model_to_export(str(path)).core
    return lambda inputs: core(**inputs)


def _torch_export(model: ExportedModel, path: Path, config: ExportSettings) -> Reader:
    program = export_program_of(model, config)
    with _silence():
        torch.export.save(program, path)
        loaded = torch.export.load(path).module()
    return lambda inputs: loaded(*inputs.values())


def _onnx(model: ExportedModel, path: Path, config: ExportSettings) -> Reader | None:
    for package in ("onnx", "onnxscript"):
        if find_spec(package) is None:
            raise RibError(
                f"format=onnx needs the package {package}, which is not installed",
                "type: pip install 'render-in-between[export]'",
            )
    program = export_program_of(model, config)
    with _silence():
        made: Any = torch.onnx.export(
            program, dynamo=True, optimize=False, opset_version=config.opset, verbose=False,
            input_names=list(model.core.INPUTS), output_names=list(model.core.OUTPUTS),
        )  # fmt: skip
        made.save(str(path))
    return onnx_reader(path)


WRITERS = {"safetensors": _safetensors, "onnx": _onnx, "torch_export": _torch_export}


def export_program_of(model: ExportedModel, config: ExportSettings) -> torch.export.ExportedProgram:
    """The net as a program of tensors; `ExportedModel.free_sizes` stay free."""
    example = model.example(config)
    with _silence(), torch.no_grad():
        core = model.core.requires_grad_(False).eval()
        free = model.free_sizes()
        return torch.export.export(core, tuple(example.values()), dynamic_shapes=free, strict=False)


def onnx_reader(path: Path) -> Reader | None:
    """What calls an ONNX file on the CPU; None where onnxruntime is not installed."""
    if find_spec("onnxruntime") is None:
        return None
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda inputs: [
        torch.from_numpy(part)
        for part in session.run(None, {name: value.numpy() for name, value in inputs.items()})
    ]


def export_difference(model: ExportedModel, read: Reader, inputs: dict[str, Tensor]) -> float:
    """Greatest difference between a file's outputs and torch's, as a share of torch's largest."""
    with torch.no_grad():
        pairs = list(zip(model.core(**inputs), read(inputs), strict=True))
    return max(float((a - b).abs().max() / a.abs().max().clamp_min(1e-12)) for a, b in pairs)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the exporter's talk about packages that no net of ours uses out of the terminal."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnx_ir", "onnxscript")]
    before = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
