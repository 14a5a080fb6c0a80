"""A learning rate by a range test: the rate grows step by step; where the loss falls fastest it is best.

Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017. Lightning's
finder knows modules of one optimizer alone that do not step by hand; this one takes adversaries too, whose
rates keep their ratio.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from pytorch_lightning import Callback, LightningModule, Trainer

from rib.engine.finders.trial import train_for_trial
from rib.engine.settings import LearningRateSearch, TrainSettings
from rib.io.errors import RibError

LOSS = "train/loss"
RECONSTRUCTION = "train/reconstruction_loss"
"""Logged by modules with discriminators: their loss without the terms whose yardstick moves with these."""
SMOOTHING = 0.9
"""Share of the mean loss before in the mean loss after a step."""
DIVERGED = 4.0
"""Times the fresh net's mean loss on the same batches, above which the test ends."""
WIDTHS = 25
"""Standard deviations of the weights of a mean over neighbouring rates that go into the whole range."""
SURE = 3.0
"""Standard errors by which a mean has to differ: it is asked of many means."""


class LearningRateRamp(Callback):
    """Raises the learning rate of every optimizer from step to step, and keeps the loss.

    Args:
        search: From where to where.
        fresh: The fresh net's losses on the same batches; None keeps the rate at 0 to take them.
    """

    def __init__(self, search: LearningRateSearch, fresh: Sequence[float] | None = None) -> None:
        self.search, self.fresh = search, fresh
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
                group["lr"] = 0.0 if self.fresh is None else rate * share

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Take the loss; end where it diverges.

        Raises:
            RibError: The module logs none.
        """
        logged = trainer.callback_metrics
        if LOSS not in logged:
            raise RibError(f"{type(pl_module).__name__} logs no {LOSS}, by which a learning rate is found")
        self.losses.append(float(logged.get(RECONSTRUCTION, logged[LOSS])))
        if self.fresh is not None:
            mean, fresh = (running_mean(losses[: len(self.losses)]) for losses in (self.losses, self.fresh))
            trainer.should_stop |= not mean <= DIVERGED * fresh


def find_learning_rate(config: TrainSettings, search: LearningRateSearch) -> dict[str, Any]:
    """Train for some steps with a growing rate, and suggest the one at which the loss falls fastest.

    Losses count as they differ from the fresh net's on the same batches: from batch to batch they differ more
    than a few steps change them. Where there are discriminators, what these say is left out.

    Returns:
        `rate`, None where the loss fell by no more than it varies, and `steps` that were taken before the
        loss diverged or the rates were through.
    """
    still = LearningRateRamp(search)
    train_for_trial(config, search.num_steps, [still])
    ramp = LearningRateRamp(search, still.losses)
    train_for_trial(config, search.num_steps, [ramp])
    gains = [loss - fresh for loss, fresh in zip(ramp.losses, still.losses, strict=False)]
    rate = suggest_rate(ramp.rates[: len(gains)], gains)
    return {"rate": None if rate is None else float(f"{rate:.2g}"), "steps": len(ramp.losses)}


def running_mean(losses: Sequence[float]) -> float:
    """Mean of losses, the later weighing more."""
    weights = SMOOTHING ** np.arange(len(losses))[::-1]
    return float(weights @ np.asarray(losses) / weights.sum())


def suggest_rate(rates: Sequence[float], above_fresh: Sequence[float]) -> float | None:
    """The rate at which the mean loss falls fastest before it first rises; None where it never surely fell.

    Beyond the first rise a loss means nothing: a net that was destroyed may well end in an answer that costs
    less than that of the fresh one.

    Args:
        rates: Growing.
        above_fresh: The loss at each, less the fresh net's; what follows the first that is not finite is left
            out.
    """
    gains = np.asarray(above_fresh, dtype=np.float64)
    gains = gains[: np.argmin(np.isfinite(gains))] if not np.isfinite(gains).all() else gains
    if len(gains) < 2 or gains.min() >= 0:
        return None
    gains = np.minimum(
        gains, -3 * gains.min()
    )  # how high it rose does not matter, and would blur where it fell
    means, errors = means_with_errors(gains, len(rates) / WIDTHS)
    low, fell, least = means + errors, False, 0
    for here in range(len(means)):
        least = here if low[here] < low[least] else least
        fell |= means[here] < -SURE * errors[here]
        rose = means[here] - means[least] > SURE * math.hypot(errors[here], errors[least])
        if means[here] > SURE * errors[here] or (fell and rose):
            break
    return rates[int(np.argmin(np.diff(means[: least + 1])))] if fell and least else None


def means_with_errors(values: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Means over neighbours, weighed by a Gaussian of `width` values, and their standard errors."""
    place = np.arange(len(values))
    weights = np.exp(-0.5 * ((place[:, None] - place) / max(width, 0.5)) ** 2)
    weights /= weights.sum(1, keepdims=True)
    means, squares = weights @ values, (weights**2).sum(1)
    free = np.clip(
        1 - 2 * weights.diagonal() + squares, 0.1, None
    )  # what fitting the means leaves of the noise
    return means, np.sqrt(weights @ ((values - means) ** 2 / free) * squares)
