"""Callbacks that monitor a fit."""

from __future__ import annotations

import math
import time
from typing import Annotated, Any

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import EarlyStopping

from rib.engine.callbacks.gradients import LooksAtGradients, gradient_norm, place_of_optimizer
from rib.io.errors import RibError
from rib.io.settings.ranges import LARGEST_INT, Count, NonNegative, OneOf, Seed


class StopWhenNotFinite(Callback):
    """Stops the run at the first loss that is not finite, before it reaches the weights, and names the terms.

    A module that keeps its last loss terms in `terms` (name to scalar tensor) has them told.
    """

    def on_before_backward(self, trainer: Trainer, pl_module: LightningModule, loss: torch.Tensor) -> None:
        """Look at the loss that is about to be differentiated."""
        if torch.isfinite(loss).all():
            return
        terms = {
            name: float(value.detach()) for name, value in (getattr(pl_module, "terms", None) or {}).items()
        }
        told = ", ".join(f"{name}={value:g}" for name, value in terms.items())
        guilty = [name for name, value in terms.items() if not math.isfinite(value)]
        raise RibError(
            f"the loss is {float(loss.detach().sum()):g} at step {trainer.global_step}"
            + (f", because of {', '.join(guilty)}" if guilty else "")
            + (f" ({told})" if told else ""),
            "the last checkpoint is whole; resume from it with restore=resume and a smaller learning rate "
            "(task.module.optimizer.lr)",
        )


class StopEarly(EarlyStopping):
    """Ends a run whose metric has not become better for so many validations.

    Args:
        metric: The logged number.
        mode: "min" or "max".
        patience: Validations; None never ends a run.
        min_delta: Smaller changes than this are none, in the metric's unit.
    """

    def __init__(
        self, metric: str, mode: Annotated[str, OneOf("min", "max")], patience: Count | None,
        min_delta: NonNegative,
    ) -> None:  # fmt: skip
        never = patience is None
        super().__init__(
            metric, min_delta, LARGEST_INT if patience is None else patience, mode=mode,
            strict=not never, check_finite=not never, verbose=False,
        )  # fmt: skip


class SeedSteps(Callback):
    """Makes what is drawn while a step is computed, such as dropout, a function of (seed, step, rank).

    A run that is resumed then goes on exactly, and the number of data workers changes nothing.

    Args:
        seed: The run's seed.
    """

    def __init__(self, seed: Seed) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed torch on every device; batches whose gradients are added up for a step differ too."""
        several = max(getattr(trainer, "accumulate_grad_batches", 1), getattr(pl_module, "accumulate", 1))
        place = [batch_idx % several] if several > 1 else []
        words = np.random.SeedSequence([self.seed, trainer.global_step, trainer.global_rank, *place])
        torch.manual_seed(int(words.generate_state(1, np.uint64)[0] >> np.uint64(1)))


class Throughput(Callback):
    """Logs `train/steps_per_s` and `train/data_wait_share`, the part of the time spent waiting for data.

    Args:
        every_num_steps: How often, in batches.
    """

    def __init__(self, every_num_steps: Count) -> None:
        self.every_num_steps = every_num_steps
        self._start = self._ended = 0.0
        self._waited = 0.0
        self._count = 0

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start counting."""
        self._start = self._ended = time.perf_counter()
        self._waited, self._count = 0.0, 0

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """The wait for this batch is over."""
        self._waited += time.perf_counter() - self._ended

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Log once in a while."""
        self._ended = time.perf_counter()
        self._count += 1
        if self._count < self.every_num_steps:
            return
        passed = self._ended - self._start
        pl_module.log("train/steps_per_s", self._count / passed)
        pl_module.log("train/data_wait_share", self._waited / passed)
        self._start, self._waited, self._count = self._ended, 0.0, 0


class GradientNorm(LooksAtGradients):
    """Logs `train/grad_norm`, before it is clipped, and on a GPU `train/gpu_memory_gib`, the peak so far.

    Where several optimizers take turns, each has its own: `train/grad_norm_0`, `train/grad_norm_1`.

    Args:
        every_num_steps: How often, in batches.
    """

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Log once in a while."""
        if not self.looks:
            return
        several = len(trainer.optimizers)
        number = f"_{place_of_optimizer(optimizer, trainer.optimizers)}" if several > 1 else ""
        pl_module.log(f"train/grad_norm{number}", gradient_norm(optimizer))
        if pl_module.device.type == "cuda":
            peak = torch.cuda.max_memory_allocated(pl_module.device) / 2**30
            pl_module.log("train/gpu_memory_gib", peak)
