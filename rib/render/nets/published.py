"""Weights of the published renderer, where a user has them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from rib.io.errors import RibError

RECIPE: dict[str, Any] = {
    "_target_": "rib.render.nets.reference.RendererReference",
    "width": 16, "embedding": 64, "max_channels": 512, "num_down": 4, "mask_width": 32, "mask_down": 3,
    "mask_blocks": 4, "bfloat16": True,
    "conditioning": {
        "_target_": "rib.render.conditioning.reference.ReferenceConditioning",
        "sigma_px": 5.0,
        "threshold": 0.0,
    },
}  # fmt: skip
"""The net that the published weights fit."""

MARK = "ref_embedding.conv_first.layers.conv.weight_orig"
PREFIXES = ("module.", "averaged_model.", "net_G.")
"""What may stand before a name: the traces of the wrappers that it was saved from."""


def published_renderer_state(content: Any, path: str | Path) -> dict[str, Tensor]:
    """The generator's weights in what a published checkpoint holds.

    The file may be the bare state_dict or hold it inside dicts, beside the discriminator's and the
    optimizers'; names may carry the wrappers' prefixes.

    Args:
        content: What `torch.load(..., weights_only=True)` gave.
        path: Where it came from, for the message.

    Raises:
        RibError: There is no such generator in it.
    """
    for state in _dicts(content):
        named = {_bare(name): tensor for name, tensor in state.items() if isinstance(tensor, Tensor)}
        if MARK in named:
            return named
    what = "neither rib's own nor a generator of the published renderer"
    raise RibError(f"{path} cannot be read as renderer weights ({what})", "name a file with its net_G")


def _dicts(content: Any) -> list[Mapping[str, Any]]:
    """All dicts within, the outer ones first."""
    if not isinstance(content, Mapping):
        return []
    return [content, *(inner for value in content.values() for inner in _dicts(value))]


def _bare(name: Any) -> str:
    name = str(name)
    while prefix := next((p for p in PREFIXES if name.startswith(p)), None):
        name = name.removeprefix(prefix)
    return name
