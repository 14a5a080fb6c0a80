"""Renderer nets in files: recipe and weights together, so that a file alone is enough."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from torch import nn

from rib.io.errors import RibError
from rib.io.registry import REGISTRY
from rib.io.weights.net_files import build_net_of_file, not_a_net_file, read_net_file, write_net_file
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
    file = read_net_file(path, "renderer")
    if file.header and file.header.get("format") != FORMAT:
        why = f"its format is {file.header.get('format')!r}, not {FORMAT!r}"
        raise not_a_net_file(file.path, "renderer", why)
    if file.recipe is None:
        state = published.published_renderer_state(file.content, file.path)
        file = file._replace(recipe=published.RECIPE, state=state)
    recipe = REGISTRY.checked(file.recipe, "renderer net", file.path)
    if wanted is not None and recipe["_target_"] != (needed := REGISTRY.canonical(wanted)):
        raise RibError(
            f"{file.path} holds {recipe['_target_']}, but {needed} is needed", "name a checkpoint of that net"
        )
    net = build_net_of_file(file._replace(recipe=recipe), "renderer net")
    if as_trained or not hasattr(net, "for_inference"):
        return net, recipe
    return net.for_inference(), recipe  # type: ignore[operator]
