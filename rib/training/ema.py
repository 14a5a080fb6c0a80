"""An exponential moving average (EMA) of a net's weights: what is validated and shipped."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import torch
from torch import nn

Net = TypeVar("Net", bound=nn.Module)

PREFIX = "ema."
"""Where a module's state keeps the weights that count."""
_OLD_PREFIXES = {"averaged.": PREFIX, "opponents.": "discriminators."}


def ema_of(net: Net) -> Net:
    """Copy a net to be its average: without gradients, in evaluation mode."""
    return copy.deepcopy(net).requires_grad_(False).eval()


@torch.no_grad()
def update_ema(ema: nn.Module, net: nn.Module, decay: float, step: int) -> None:
    """Let the average follow the net.

    Early averages are short, so that the first weights are soon forgotten: step n uses at most n / (n + 10).
    Buffers (such as spectral norms' vectors) are copied.

    Args:
        ema: What `ema_of` gave.
        net: The net, after the optimizer's step.
        decay: In 0..1.
        step: Number of that step, from 1.
    """
    decay = min(decay, step / (step + 10))
    torch._foreach_lerp_(list(ema.parameters()), list(net.parameters()), 1 - decay)
    for mean, last in zip(ema.buffers(), net.buffers(), strict=True):
        mean.copy_(last)


def rename_old_ema_state(checkpoint: dict[str, Any]) -> None:
    """Bring a checkpoint of an earlier release, in place, to today's names of its weights."""
    state = checkpoint.get("state_dict", {})  # sharded weights lie in files of their own
    for old, new in _OLD_PREFIXES.items():
        for name in [name for name in state if name.startswith(old)]:
            state[new + name.removeprefix(old)] = state.pop(name)
