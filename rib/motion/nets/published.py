"""Weights of the published motion model, where a user has them, as a file of ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rib.io.errors import RibError, reason_of_error
from rib.io.weights.net_files import check_weights, read_torch_file
from rib.motion.nets.checkpoint import save_motion_net
from rib.motion.nets.reference import MotionReference
from rib.motion.nets.reference_transformer import NUM_VALUES

RECIPE: dict[str, Any] = {
    "_target_": "rib.motion.nets.reference.MotionReference",
    "width": 128, "num_heads": 8, "num_layers": 6, "hidden": 256, "dropout": 0.1, "frame_rate": 60,
    "published": True,
}  # fmt: skip


def convert_published_motion_weights(
    weights: str | Path, statistics: str | Path | None, output: str | Path
) -> None:
    """Write published weights as a `.safetensors` file for `motion.weights=` and `rib evaluate ckpt=`.

    Args:
        weights: A file of `torch.save` that holds the state_dict, bare or inside a dict.
        statistics: An `.npz` with `mean` and `std` of the 38 normalised values (19 x 2, relative to the hip,
            which comes last), or None for 0 and 1.
        output: The file to write.

    Raises:
        RibError: A file cannot be read or does not fit.
    """
    net = MotionReference(**{key: value for key, value in RECIPE.items() if key != "_target_"})
    load_published_motion_weights(net, _read(Path(weights)), weights)
    if statistics is not None:
        mean, std = _statistics(Path(statistics))
        net.mean.copy_(mean)
        net.std.copy_(std)
    save_motion_net(output, net.eval(), RECIPE, {"data": "the published weights of Render In-between"})


def load_published_motion_weights(
    net: MotionReference, state: Mapping[str, torch.Tensor], path: str | Path = "the state_dict"
) -> None:
    """Give a net the weights of a published state_dict, all of them.

    Args:
        net: Takes them.
        state: Weights by name.
        path: Where they come from, for the message.

    Raises:
        RibError: A name is missing or unknown, a shape differs, or they are no weights of a net that works.
    """
    check_weights(net.transformer.state_dict(), state, path, "name weights of the published motion model")
    net.transformer.load_state_dict(dict(state))


def _read(path: Path) -> dict[str, torch.Tensor]:
    content: Any = read_torch_file(path)
    while isinstance(content, dict) and not any(
        isinstance(value, torch.Tensor) for value in content.values()
    ):
        inner = [value for value in content.values() if isinstance(value, dict)]
        if not inner:
            raise RibError(f"{path} holds no state_dict", "name a file of torch.save")
        content = max(inner, key=len)
    if not isinstance(content, dict):
        raise RibError(f"{path} holds no state_dict", "name a file of torch.save")
    return {str(name).removeprefix("module."): tensor for name, tensor in content.items()}


def _statistics(path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    try:
        with np.load(path, allow_pickle=False) as data:
            mean, std = (torch.from_numpy(data[key]).float().flatten() for key in ("mean", "std"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RibError(
            f"{path} cannot be read as statistics ({reason_of_error(error)})", "save mean and std in an .npz"
        ) from error
    if len(mean) != NUM_VALUES or len(std) != NUM_VALUES or not _usable(mean, std):
        raise RibError(
            f"{path} holds {len(mean)} means and {len(std)} deviations, but {NUM_VALUES} finite means and "
            "deviations above 0 are needed"
        )
    return mean, std


def _usable(mean: torch.Tensor, std: torch.Tensor) -> bool:
    return bool(mean.isfinite().all() and std.isfinite().all() and (std > 0).all())
