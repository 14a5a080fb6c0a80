"""Nets in files: how weights and their recipe lie in a `.safetensors` or in a training checkpoint."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import nn

from rib.io.errors import RibError, error_in_one_line, reason_of_error
from rib.io.files.whole import write_bytes_whole
from rib.io.recipe import build_recipe_from_file

EMA = ("ema.", "averaged.")
"""Where a training checkpoint keeps the weights that count, their average: today, and before."""
LARGEST = 1e8
"""No weight, statistic or buffer of a net that works is as large."""

_GLOBAL = re.compile(r"\bGLOBAL ([\w.]+)|Unsupported (?:class|operand|global) ([\w.]+)")


def write_net_file(
    path: str | Path, net: nn.Module, recipe: Mapping[str, Any], header: Mapping[str, str]
) -> None:
    """Write a net's weights as `.safetensors`, with its recipe and a header."""
    tensors = {name: tensor.contiguous() for name, tensor in net.state_dict().items()}
    write_bytes_whole(path, save(tensors, {**header, "recipe": json.dumps(dict(recipe))}))


def read_safetensors(path: Path) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """The header and the weights of a `.safetensors`."""
    with safe_open(path, framework="pt") as file:
        header = file.metadata() or {}
        return header, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)


def ema_weights(checkpoint: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The averaged weights of a training checkpoint, by the net's own names."""
    state = checkpoint["state_dict"].items()
    return {name.partition(".")[2]: value for name, value in state if name.startswith(EMA)}


def read_torch_file(path: str | Path, map_location: Any = "cpu") -> Any:
    """Read a file of `torch.save`: tensors and plain containers; nothing in it is run.

    Raises:
        RibError: It cannot be read, or holds something else.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's advice on what it takes for something else
            return torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:  # a damaged file raises nearly anything in the unpickler
        raise RibError(
            f"{path} cannot be read as a file of weights ({_reason(error)})",
            "name a file that holds tensors and plain values alone",
        ) from error


def _reason(error: Exception) -> str:
    """Explain why a file cannot be read, without torch's advice to run what is in it."""
    text = error_in_one_line(error)
    named = _GLOBAL.search(text)
    if named:
        return f"it names {named[1] or named[2]}, and nothing in it is ever run"
    if "weights_only" in text or "Weights only" in text:
        return "it holds more than tensors and plain values"
    return reason_of_error(error)


def net_recipe(checkpoint: Mapping[str, Any]) -> Any:
    """What a training checkpoint says its net is.

    Raises:
        ValueError: It holds something else where settings are expected.
    """
    if not isinstance(checkpoint, Mapping):
        raise ValueError("it holds no checkpoint")
    given = checkpoint["hyper_parameters"]
    if not isinstance(given, Mapping):
        raise ValueError("its hyper_parameters are no settings")
    return given["net"]


def net_from_file(recipe: Any, place: str, path: str | Path, state: Any) -> nn.Module:
    """Build the net that a file describes, with the file's weights, for use.

    Its shapes are held against the weights before memory is taken for it, where the class can be built
    without: numbers in a recipe cost nothing, and may be as large as they like.

    Args:
        recipe: What the file says the net is.
        place: The kind of net, a place of `rib.io.registry`.
        path: The file, for messages.
        state: Its weights by name.

    Raises:
        RibError: The recipe names what is not registered, cannot be built, or the weights do not fit it.
    """
    remedy = "name weights that fit the recipe beside them"
    outline: nn.Module | None = None
    with suppress(RibError), torch.device("meta"):
        outline = build_recipe_from_file(recipe, place, path)
    if outline is not None:
        check_weights(outline.state_dict(), state, path, remedy)
    net: nn.Module = build_recipe_from_file(recipe, place, path)
    check_weights(net.state_dict(), state, path, remedy)
    net.load_state_dict(state)
    return net.eval().requires_grad_(False)


def check_weights(own: Mapping[str, torch.Tensor], given: Any, path: str | Path, remedy: str = "") -> None:
    """Hold weights out of a file against those of the net that takes them.

    Args:
        own: The net's own state_dict.
        given: The file's.
        path: The file, for the message.
        remedy: What to do about weights of another net.

    Raises:
        RibError: A name is missing or unknown, a shape or kind (floating, integer) differs, or a number is
            not finite or beyond `LARGEST`; the line names the first.
    """
    if not isinstance(given, Mapping):
        raise RibError(f"{path} holds no weights by name", remedy)
    for name in sorted(map(str, own.keys() ^ given.keys())):
        side = "lacks" if name in own else "has, but this net does not,"
        raise RibError(f"{path} {side} {name[:120]}", remedy)
    for name, tensor in given.items():
        _check_tensor(own[name], tensor, f"{path}: {name}", remedy)


def _check_tensor(own: torch.Tensor, tensor: Any, title: str, remedy: str) -> None:
    if not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided or tensor.is_meta:
        raise RibError(f"{title} is no tensor with numbers in it", remedy)
    if tensor.shape != own.shape:
        raise RibError(f"{title} is {tuple(tensor.shape)}, but this net has {tuple(own.shape)}", remedy)
    if tensor.is_floating_point() != own.is_floating_point() or tensor.is_complex() or tensor.is_quantized:
        kinds = (str(kind).removeprefix("torch.") for kind in (tensor.dtype, own.dtype))
        raise RibError("{} is {}, but this net has {}".format(title, *kinds), remedy)
    if not tensor.is_floating_point() or not tensor.numel():
        return
    least, greatest = (value.item() for value in tensor.detach().float().aminmax())
    if not (least >= -LARGEST and greatest <= LARGEST):  # also where one is no number
        worst = greatest if abs(greatest) > abs(least) or greatest != greatest else least
        raise RibError(
            f"{title} holds {worst:g}, which is no weight of a net that works",
            "name weights of a training that did not diverge",
        )
