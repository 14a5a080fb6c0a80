"""A net out of a file of weights, of whichever kind it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rib.export.settings import ExportSettings
from rib.io.errors import RibError
from rib.io.registry import REGISTRY
from rib.io.weights.net_files import NetFile, read_net_file
from rib.motion.nets import checkpoint as motion_files
from rib.motion.nets.motion_net import MotionNet
from rib.render.nets import checkpoint as renderer_files
from rib.render.nets.renderer_net import RendererNet

SHIPPED = {
    "motion_base": motion_files.shipped_motion_weights,
    "renderer_base": renderer_files.shipped_renderer_weights,
}
"""The weights that come with rib, by the word that `ckpt=` takes."""
QUERIES = 24
"""Moments that an exported motion net is checked on."""


@dataclass(frozen=True)
class ExportedModel:
    """A net that is taken out.

    Attributes:
        kind: "motion" or "renderer".
        path: The file that it comes from.
        core: The net as a function of tensors, for use.
        net: The net with the parameters that were trained.
        recipe: Builds it.
        header: What a .safetensors says about itself, or {}.
    """

    kind: str
    path: Path
    core: MotionNet | RendererNet
    net: nn.Module
    recipe: dict[str, Any]
    header: dict[str, str]

    def example(self, config: ExportSettings) -> dict[str, Tensor]:
        """Inputs that it is traced and checked on."""
        if isinstance(self.core, MotionNet):
            return self.core.example(config.clips, config.keyframes, QUERIES, config.seed)
        width, height = config.size_wh
        return self.core.example((width, height), config.seed)

    def free_sizes(self) -> dict[str, dict[int, Any]]:
        """Dimensions of each input that stay free: a motion net's moments, a renderer's pictures."""
        free = torch.export.Dim.DYNAMIC
        if self.kind == "motion":
            return {name: {1: free} if name == "query_s" else {} for name in self.core.INPUTS}
        return {name: {0: free} for name in self.core.INPUTS}


def open_model_to_export(ckpt: str) -> ExportedModel:
    """The net in a file, in the checked way: a recipe from a file names registered classes alone.

    Args:
        ckpt: The path, or a word of `SHIPPED`.

    Raises:
        RibError: The file is absent, damaged, or holds no net that rib knows.
    """
    path = SHIPPED[ckpt]() if ckpt in SHIPPED and not Path(ckpt).exists() else Path(ckpt)
    if not path.is_file():
        raise RibError(f"there are no weights at {ckpt}", f"name a file, or one of {', '.join(SHIPPED)}")
    file = read_net_file(path, "net")
    kind, header = _kind(file), file.header
    if kind == "motion":
        net, recipe = motion_files.load_motion_net_and_recipe(path)
        return ExportedModel(kind, path, MotionNet(net), net, recipe, header)
    net, recipe = renderer_files.load_renderer_net_and_recipe(path, as_trained=True)
    core = RendererNet.of(renderer_files.load_renderer_net_and_recipe(path)[0])
    return ExportedModel(kind, path, core, net, recipe, header)


def _kind(file: NetFile) -> str:
    if file.header:
        return "motion" if "facts" in file.header else "renderer"
    if file.recipe is None:
        return "renderer"  # one of the published design; its reader says where it does not fit
    try:
        target = REGISTRY.canonical(str(file.recipe["_target_"]))
    except (KeyError, TypeError) as error:
        remedy = "name a checkpoint of `rib train`"
        raise RibError(f"{file.path} does not say what net it holds", remedy) from error
    return "motion" if target in REGISTRY.allowed("motion net") else "renderer"


def facts_of_exported_model(model: ExportedModel) -> dict[str, str]:
    """What a `.safetensors` of the net has to say beside its recipe, to be read again."""
    if model.kind == "motion":
        return {"facts": json.dumps(vars(motion_files.facts_of_motion_net(model.net)))}
    return {"format": renderer_files.FORMAT}
