"""Settings of the trainer that a module which steps its optimizers by hand has to follow itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rib.io.errors import RibError


def hand_over_to_module(trainer: Mapping[str, Any], module: Any) -> dict[str, Any]:
    """The trainer's recipe; a module that steps by hand gets what Lightning refuses to do for it.

    These are gradient_clip_val, as `clip_norm`, and accumulate_grad_batches, as `accumulate`: the settings
    shall have one name for all tasks.

    Raises:
        RibError: Gradients are to be added up for a module that steps by hand and does not know how to.
    """
    if getattr(module, "automatic_optimization", True):
        return dict(trainer)
    module.clip_norm = trainer.get("gradient_clip_val")
    number = trainer.get("accumulate_grad_batches") or 1
    if number > 1 and not hasattr(module, "accumulate"):
        raise RibError(
            f"{type(module).__name__} steps by hand and cannot add up gradients",
            "type trainer.accumulate_grad_batches=1",
        )
    module.accumulate = number
    return {**trainer, "gradient_clip_val": None, "accumulate_grad_batches": 1}
