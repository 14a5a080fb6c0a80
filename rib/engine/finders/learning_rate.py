"""A learning rate by a range test: the rate grows step by step until the loss does not fall any more.

Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017. Lightning's
finder knows modules of one optimizer alone that do not step by hand; this one takes adversaries too, whose
rates keep their ratio.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from rib.engine.finders.trial import train_for_trial
from rib.engine.settings import LearningRateSearch, TrainSettings
from rib.io.errors import RibError

LOSS = "train/loss"
SMOOTHING = 0.9
"""Share of the mean loss before in the mean loss after a step."""
DIVERGED = 4.0
"""Times the least mean loss, above which the test ends."""
MARGIN = 10.0
"""The rate of the least loss is at the edge of what the net stands; so many times less trains."""


class LearningRateRamp(Callback):
    """Raises the learning rate of every optimizer from step to step, and keeps the loss.

    Args:
        search: From where to where.
        still: Keep the rate at 0 instead: the fresh net's loss on the same batches.
    """

    def __init__(self, search: LearningRateSearch, still: bool = False) -> None:
        self.search, self.still = search, still
        self.rates: list[float] = []
        self.losses: list[float] = []
        self._shares: list[list[float]] = []

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take the optimizers' rates as they were set, for their ratios."""
        set_rates = [[g.get("initial_lr", g["lr"]) for g in o.param_groups] for o in trainer.optimizers]
        first = set_rates[0][0]
        self._shares = [[rate / first for rate in rates] for rates in set_rates]

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set this step's rate."""
        low, high = self.search.lowest, self.search.highest
        rate = low * (high / low) ** (trainer.global_step / max(self.search.num_steps - 1, 1))
        self.rates.append(rate)
        for optimizer, shares in zip(trainer.optimizers, self._shares, strict=True):
            for group, share in zip(optimizer.param_groups, shares, strict=True):
                group["lr"] = 0.0 if self.still else rate * share

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Take the loss; end where it diverges.

        Raises:
            RibError: The module logs none.
        """
        if LOSS not in trainer.callback_metrics:
            raise RibError(f"{type(pl_module).__name__} logs no {LOSS}, by which a learning rate is found")
        self.losses.append(float(trainer.callback_metrics[LOSS]))
        means = smoothed(self.losses)
        if not math.isfinite(means[-1]) or means[-1] > DIVERGED * min(means):
            trainer.should_stop = True


def find_learning_rate(config: TrainSettings, search: LearningRateSearch) -> dict[str, float]:
    """Train for some steps with a growing rate, and suggest one well below that of the least loss.

    Losses count as they differ from the fresh net's on the same batches: from batch to batch they differ more
    than a few steps change them.

    Returns:
        `rate`, and `steps` that were taken before the loss diverged or the rates were through.

    Raises:
        RibError: The loss never fell.
    """
    ramp, still = LearningRateRamp(search), LearningRateRamp(search, still=True)
    train_for_trial(config, search.num_steps, [ramp])
    train_for_trial(config, len(ramp.losses), [still])
    gains = [loss - fresh for loss, fresh in zip(ramp.losses, still.losses, strict=True)]
    rate = suggest_rate(ramp.rates[: len(gains)], gains)
    if rate is None:
        told = f"no learning rate between {search.lowest:g} and {search.highest:g} made the loss fall"
        raise RibError(told, "type find.lr.lowest= and find.lr.highest= of another range")
    return {"rate": float(f"{rate:.2g}"), "steps": len(ramp.losses)}


def smoothed(losses: Sequence[float]) -> list[float]:
    """Running means, each of those before it, the nearer weighing more; unbiased at the start."""
    mean, means = 0.0, []
    for number, loss in enumerate(losses, 1):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        means.append(mean / (1 - SMOOTHING**number))
    return means


def suggest_rate(rates: Sequence[float], above_fresh: Sequence[float]) -> float | None:
    """A tenth of the rate at which the mean loss was least beside the fresh net's; None where it never fell.

    Args:
        rates: Growing.
        above_fresh: The loss at each, less the fresh net's; those that are not finite are left out.
    """
    means = smoothed([gain for gain in above_fresh if math.isfinite(gain)])
    least = min(range(len(means)), key=means.__getitem__, default=None)
    return rates[least] / MARGIN if least is not None and means[least] < 0 else None
