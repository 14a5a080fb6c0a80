"""A net's file, such as the weights that come with rib, as what a training begins from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rib.io.errors import RibError
from rib.io.recipe import locate_recipe_target
from rib.io.registry import REGISTRY

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule

SUFFIX = ".safetensors"
REMEDY = "name weights of the same net="


def shipped_weights_of_module(module: Mapping[str, Any]) -> Path:
    """The weights that come with rib for a module's kind of net.

    Args:
        module: Recipe of the module that is trained.

    Raises:
        RibError: None come with rib.
    """
    shipped = getattr(locate_recipe_target(module["_target_"]), "shipped_weights", None)
    if shipped is None:
        raise RibError(
            f"restore=finetune needs a checkpoint: no weights of {module['_target_']} come with rib",
            "type ckpt=PATH of a .ckpt or .safetensors file",
        )
    path: Path = shipped()
    return path


def check_net_to_finetune(path: Path, module: Mapping[str, Any]) -> None:
    """Hold the net that a file names against the one that a module's recipe trains.

    Raises:
        RibError: The file cannot be read, or holds another net.
    """
    from rib.io.weights.net_files import not_a_net_file, read_net_file

    recipe, wanted = read_net_file(path, "net").recipe, module.get("net")
    if not isinstance(recipe, Mapping) or not isinstance(wanted, Mapping):
        raise not_a_net_file(path, "net", "it names no net")
    given, ours = (REGISTRY.canonical(str(one.get("_target_"))) for one in (recipe, wanted))
    if given != ours:
        raise RibError(f"{path} holds {given[:120]}, but this run trains {ours}", REMEDY)


def load_net_to_finetune(module: LightningModule, path: Path) -> None:
    """Give a module's net, and its EMA, the weights of a net's file; discriminators begin anew.

    That they do is told in a line, as where a checkpoint has none.

    Raises:
        RibError: The weights belong to another net, or are none; the line names the first difference.
    """
    from rib.engine.checkpoints import DISCRIMINATORS, load_weights_to_finetune
    from rib.io.weights.net_files import read_net_file
    from rib.training.ema import PREFIX

    parts = ("net.", PREFIX)
    net, own = read_net_file(path, "net").state, module.state_dict()
    given = {name: tensor for name, tensor in own.items() if not name.startswith((*parts, *DISCRIMINATORS))}
    given |= {f"{part}{name}": tensor for part in parts for name, tensor in net.items()}
    load_weights_to_finetune(module, {"state_dict": given}, path)
