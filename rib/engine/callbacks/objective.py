"""The callback that keeps a run's score and ends a run that a sweep gives up."""

from __future__ import annotations

import logging
import math
from dataclasses import asdict
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from rib.engine.score import Pruner, RunScore, is_better, read_run_score
from rib.engine.settings import OptimizeSettings
from rib.io.errors import RibError
from rib.io.recipe import did_you_mean

log = logging.getLogger(__name__)


class ScoreKeeper(Callback):
    """Keeps the best validation and the last, and ends a run that a sweep's pruner gives up.

    Args:
        optimize: What counts.
        pruner: Asked at every validation by the process that leads the run; None in the others.
    """

    def __init__(self, optimize: OptimizeSettings, pruner: Pruner | None = None) -> None:
        self.optimize, self.pruner = optimize, pruner
        self.best: RunScore | None = None
        self.last: RunScore | None = None
        self.pruned = False

    @property
    def score(self) -> RunScore | None:
        """The validation that `optimize.select` names; None where the metric was never logged."""
        return self.best if self.optimize.select == "best" else self.last

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take the metric, show it to loggers that keep a score, and ask the pruner.

        Raises:
            RibError: The metric was not logged.
        """
        if trainer.sanity_checking:
            return
        logged = trainer.callback_metrics
        for name in (self.optimize.metric, *self.optimize.also):
            if name not in logged:
                told = f"optimize names {name}, which this task does not log"
                raise RibError(told, did_you_mean(name, sorted(logged)))
        if not self._take(trainer):
            return
        assert self.last is not None
        for logger in trainer.loggers:
            if self.score is not None and hasattr(logger, "log_score"):
                logger.log_score(self.score.value, trainer.global_step)
        ends = self.pruner is not None and self.pruner(self.last.step, self.last.value)
        if trainer.world_size > 1:
            ends = trainer.strategy.reduce_boolean_decision(ends, all=False)
        if ends:
            log.info("the sweep's pruner ends the run at step %d", self.last.step)
            self.pruned = trainer.should_stop = True

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Without validation the metric is one of training."""
        if self.last is None:
            self._take(trainer)

    def _take(self, trainer: Trainer) -> bool:
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        value = metrics.get(self.optimize.metric, math.nan)
        if not math.isfinite(value):
            return False
        finite = {name: number for name, number in metrics.items() if math.isfinite(number)}
        self.last = RunScore(value, trainer.global_step, finite)
        if self.best is None or is_better(value, self.best.value, self.optimize.mode):
            self.best = self.last
        return True

    def state_dict(self) -> dict[str, Any]:
        """Called by Lightning for every checkpoint."""
        kept = {"best": self.best, "last": self.last}
        return {name: None if score is None else asdict(score) for name, score in kept.items()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Called by Lightning where a run goes on."""
        self.best, self.last = (read_run_score(state_dict.get(name)) for name in ("best", "last"))
