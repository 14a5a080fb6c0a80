"""Nets in files: how weights and their recipe lie in a `.safetensors` or in a training checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from rib.io.files import write_whole

AVERAGED = "averaged."
"""Where a training checkpoint keeps the weights that count: the running mean."""


def write_net(path: str | Path, net: nn.Module, recipe: Mapping[str, Any], header: Mapping[str, str]) -> None:
    """Write a net's weights as `.safetensors`, with its recipe and a header."""
    tensors = {name: tensor.contiguous() for name, tensor in net.state_dict().items()}
    with write_whole(path) as temporary:
        save_file(tensors, temporary, {**header, "recipe": json.dumps(dict(recipe))})


def read_safetensors(path: Path) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """The header and the weights of a `.safetensors`."""
    with safe_open(path, framework="pt") as file:
        header = file.metadata() or {}
        return header, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)


def averaged_weights(checkpoint: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The running mean of a training checkpoint's weights, by the net's own names."""
    state = checkpoint["state_dict"].items()
    return {name.removeprefix(AVERAGED): value for name, value in state if name.startswith(AVERAGED)}
