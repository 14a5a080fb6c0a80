"""The norm of an optimizer's gradient, and the base of callbacks that look at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from rib.io.settings.ranges import Count


def gradient_norm(optimizer: torch.optim.Optimizer) -> torch.Tensor:
    """Compute the norm over an optimizer's parameters, () on their device; whole where they are sharded."""
    gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)
    whole: torch.Tensor = norm.full_tensor() if hasattr(norm, "full_tensor") else norm
    return whole


def place_of_optimizer(optimizer: Any, optimizers: Sequence[Any]) -> int:
    """Number of an optimizer among a trainer's, either of which Lightning may have wrapped."""
    inner = getattr(optimizer, "optimizer", optimizer)
    return next(i for i, one in enumerate(optimizers) if getattr(one, "optimizer", one) is inner)


class LooksAtGradients(Callback):
    """Base of callbacks that look at gradients once in a while, before a step of an optimizer.

    Args:
        every_num_steps: Batches from one look to the next.
    """

    def __init__(self, every_num_steps: Count) -> None:
        self.every_num_steps = every_num_steps
        self._batch = 0

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Note the batch's number."""
        self._batch = batch_idx

    @property
    def looks(self) -> bool:
        """Whether it is this batch's turn."""
        return (self._batch + 1) % self.every_num_steps == 0
