"""Renderer nets in files: recipe and weights together, so that a file alone is enough."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rib.io.errors import RibError, reason_of_error
from rib.io.registry import REGISTRY
from rib.io.weights.net_files import (
    ema_weights,
    net_from_file,
    net_recipe,
    read_safetensors,
    read_torch_file,
    write_net_file,
)
from rib.render.nets import published

FORMAT = "rib.renderer 1"
SHIPPED = "renderer_base.safetensors"


def shipped_renderer_weights() -> Path:
    """The weights that come with the package."""
    return Path(str(files("rib.render") / "weights" / SHIPPED))


def save_renderer_net(
    path: str | Path, net: nn.Module, recipe: Mapping[str, Any], notes: Mapping[str, str]
) -> None:
    """Write a net's weights as `.safetensors`, with its recipe and notes in the header.

    Args:
        path: The file to write.
        net: What `recipe` builds, trained.
        recipe: The net's recipe, a plain dict.
        notes: What else to say: data, commit, figures.
    """
    write_net_file(path, net, recipe, {**notes, "format": FORMAT})


def load_renderer_net(path: str | Path, wanted: str) -> nn.Module:
    """The net alone of `load_renderer_net_and_recipe`."""
    return load_renderer_net_and_recipe(path, wanted)[0]


def load_renderer_net_and_recipe(
    path: str | Path, wanted: str | None = None, as_trained: bool = False
) -> tuple[nn.Module, dict[str, Any]]:
    """A net for use and its recipe, from `save_renderer_net`'s file or from a training checkpoint.

    Args:
        path: `.safetensors`, Lightning's `.ckpt`, or a checkpoint of the published renderer.
        wanted: Dotted path of the class that is needed, or None for any.
        as_trained: Leave its parameters as the file has them, where others serve inference better.

    Raises:
        RibError: The file is absent, damaged or none of ours, or it holds another net.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise RibError(f"there are no renderer weights at {path}", "name a .safetensors or .ckpt file")
    read = _read_safetensors if path.suffix == ".safetensors" else _read_pickled
    try:
        recipe, state = read(path)
    except RibError:
        raise
    except Exception as error:  # a damaged file raises nearly anything on the way
        raise RibError(f"{path} cannot be read as renderer weights ({reason_of_error(error)})") from error
    recipe = REGISTRY.checked(recipe, "renderer net", path)
    if wanted is not None and recipe["_target_"] != (needed := REGISTRY.canonical(wanted)):
        raise RibError(
            f"{path} holds {recipe['_target_']}, but {needed} is needed", "name a checkpoint of that net"
        )
    net = net_from_file(recipe, "renderer net", path, state)
    if as_trained or not hasattr(net, "for_inference"):
        return net, recipe
    return net.for_inference(), recipe  # type: ignore[operator]


def _read_safetensors(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    header, state = read_safetensors(path)
    if header.get("format") != FORMAT:
        raise ValueError(f"its format is {header.get('format')!r}, not {FORMAT!r}")
    return json.loads(header["recipe"]), state


def _read_pickled(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    checkpoint = read_torch_file(path)
    if isinstance(checkpoint, Mapping) and "hyper_parameters" not in checkpoint:
        return published.RECIPE, published.published_renderer_state(checkpoint, path)
    return net_recipe(checkpoint), ema_weights(checkpoint)
