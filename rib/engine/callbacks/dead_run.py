"""Tells a run that no longer learns: its gradient has vanished, or its validation cannot move."""

from __future__ import annotations

import torch
from pytorch_lightning import LightningModule, Trainer

from rib.engine.callbacks.gradients import LooksAtGradients, gradient_norm, place_of_optimizer
from rib.io.errors import RibError
from rib.io.settings.ranges import Count, NonNegative

REMEDY = "start anew with a smaller task.module.optimizer.lr or another seed; the last checkpoint is whole"


class StopWhenDead(LooksAtGradients):
    """Stops a run whose steps change nothing any more, and says so in one line.

    A saturated output or weights at 0 let a run end without a word, with the net that it began with or a
    worse one. Steps with a learning rate of 0 are not looked at: they may change nothing.

    Args:
        metric: The logged number that stands still where the run is dead.
        every_num_steps: Batches from one look at the net's gradient to the next.
        vanished: The gradient is none where its norm is at most this share of the greatest one seen.
        patience: So many looks, or further validations, that find nothing are enough.
        min_change: A metric that changes by at most this share of itself stands still.
    """

    def __init__(
        self, metric: str, every_num_steps: Count, vanished: NonNegative, patience: Count,
        min_change: NonNegative,
    ) -> None:  # fmt: skip
        super().__init__(every_num_steps)
        self.metric, self.patience = metric, patience
        self.vanished, self.min_change = vanished, min_change
        self._vanished_looks = self._stood = self._step = 0
        self._greatest = self._norm = 0.0
        self._value: float | None = None

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Look at the net's gradient once in a while; a discriminator that has won has none.

        Raises:
            RibError: It has vanished.
        """
        if not self.looks or place_of_optimizer(optimizer, trainer.optimizers) or _rests(trainer):
            return
        self._norm = float(gradient_norm(optimizer))
        self._greatest = max(self._greatest, self._norm)
        self._vanished_looks = self._vanished_looks + 1 if self._norm <= self.vanished * self._greatest else 0
        if self._vanished_looks >= self.patience:
            raise RibError(
                f"the net has stopped learning: its gradient's norm is {self._norm:.3g} at step "
                f"{trainer.global_step}, and was {self._greatest:.3g}",
                REMEDY,
            )

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Compare with the validation before.

        Raises:
            RibError: The metric has stood still, though steps were made.
        """
        found = trainer.callback_metrics.get(self.metric)
        if found is None or trainer.sanity_checking or _rests(trainer):
            return
        value, before = float(found), self._value
        if before is None or abs(value - before) > self.min_change * abs(before):
            self._value, self._stood, self._step = value, 0, trainer.global_step
        elif trainer.global_step > self._step:
            self._stood += 1
        if self._stood >= self.patience:
            raise RibError(
                f"the net has stopped learning: {self.metric} is {value:.9g} since step {self._step}, at "
                f"step {trainer.global_step} too (its gradient's norm is {self._norm:.3g}, and was "
                f"{self._greatest:.3g})",
                REMEDY,
            )


def _rests(trainer: Trainer) -> bool:
    return all(group["lr"] == 0 for optimizer in trainer.optimizers for group in optimizer.param_groups)
