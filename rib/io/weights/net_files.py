"""Nets in files: how weights and their recipe lie in a `.safetensors` or in a training checkpoint."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

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

_GLOBAL = re.compile(r"\bGLOBAL ([\w.]+)|Unsupported (?:class|global) ([\w.]+)")


def write_net_file(
    path: str | Path, net: nn.Module, recipe: Mapping[str, Any], header: Mapping[str, str]
) -> None:
    """Write a net's weights as `.safetensors`, with its recipe and a header."""
    tensors = {name: tensor.contiguous() for name, tensor in net.state_dict().items()}
    write_bytes_whole(path, save(tensors, {**header, "recipe": json.dumps(dict(recipe))}))


class NetFile(NamedTuple):
    """A net as its file describes it; nothing of it is checked or built yet.

    Attributes:
        path: The file.
        recipe: Builds the net; None where the file does not say.
        state: The net's weights by its own names, of a training checkpoint their EMA.
        header: What else a `.safetensors` says, JSON in text; {} of other files.
        content: All that another file holds; {} of a `.safetensors`.
    """

    path: Path
    recipe: Any
    state: dict[str, torch.Tensor]
    header: dict[str, str]
    content: Any


def read_net_file(path: str | Path, kind: str) -> NetFile:
    """Read a net's file as data: a `.safetensors` of ours, or a checkpoint of `rib train` or of torch.

    Args:
        path: The file.
        kind: What the net is of, for messages: motion, renderer.

    Raises:
        RibError: There is no such file, or it is damaged or holds something else.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise RibError(f"there are no {kind} weights at {path}", "name a .safetensors or .ckpt file")
    try:
        if path.suffix == ".safetensors":
            return _read_safetensors(path)
        content = read_torch_file(path)
        if not isinstance(content, Mapping) or "hyper_parameters" not in content:
            return NetFile(path, None, {}, {}, content)
        return NetFile(path, _recipe_in(content), _ema_in(content), {}, content)
    except RibError:
        raise
    except Exception as error:  # a damaged file raises nearly anything on the way
        raise not_a_net_file(path, kind, reason_of_error(error)) from error


def not_a_net_file(path: Path, kind: str, why: str) -> RibError:
    """The error of a file that holds no net of a kind."""
    return RibError(f"{path} cannot be read as {kind} weights ({why})", "name a file that rib wrote")


def _read_safetensors(path: Path) -> NetFile:
    with safe_open(path, framework="pt") as file:
        header = file.metadata() or {}
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    return NetFile(path, json.loads(header["recipe"]), state, header, {})


def _ema_in(checkpoint: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    state = checkpoint["state_dict"].items()
    return {name.partition(".")[2]: value for name, value in state if name.startswith(EMA)}


def _recipe_in(checkpoint: Mapping[str, Any]) -> Any:
    given = checkpoint["hyper_parameters"]
    if not isinstance(given, Mapping):
        raise ValueError("its hyper_parameters are no settings")
    return given["net"]


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
    if "Unsupported operand" in text:
        return "torch did not write it, or it is damaged"
    if "weights_only" in text or "Weights only" in text:
        return "it holds more than tensors and plain values"
    return reason_of_error(error)


def build_net_of_file(file: NetFile, place: str) -> nn.Module:
    """Build the net that a file describes, with the file's weights, for use.

    Its shapes are held against the weights before memory is taken for it, where the class can be built
    without: numbers in a recipe cost nothing, and may be as large as they like.

    Args:
        file: What `read_net_file` gave.
        place: The kind of net, a place of `rib.io.registry`.

    Raises:
        RibError: The recipe names what is not registered, cannot be built, or the weights do not fit it.
    """
    remedy = "name weights that fit the recipe beside them"
    outline: nn.Module | None = None
    with suppress(RibError), torch.device("meta"):
        outline = build_recipe_from_file(file.recipe, place, file.path)
    if outline is not None:
        check_weights(outline.state_dict(), file.state, file.path, remedy)
    net: nn.Module = build_recipe_from_file(file.recipe, place, file.path)
    check_weights(net.state_dict(), file.state, file.path, remedy)
    net.load_state_dict(file.state)
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
