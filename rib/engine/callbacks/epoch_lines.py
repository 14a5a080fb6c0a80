"""A line an epoch in the place of a progress bar, for logs and pipes."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from pytorch_lightning import Callback, LightningModule, Trainer

from rib.engine.callbacks.objective import ScoreKeeper

MOST_METRICS = 6


class EpochLines(Callback):
    """Prints `epoch 3 of 10, step 400: val/ratio 1.21 (best 1.19 at step 300), ...` on stderr.

    Args:
        keeper: Knows the metric that the run is judged by, and its best.
    """

    def __init__(self, keeper: ScoreKeeper) -> None:
        self.keeper = keeper
        self._begun, self._step = 0.0, 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start counting: a run that goes on within an epoch does not start that epoch."""
        self.on_train_epoch_start(trainer, pl_module)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start counting."""
        self._begun, self._step = time.monotonic(), trainer.global_step

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Tell what is known by now."""
        if not trainer.is_global_zero:
            return
        seconds = time.monotonic() - self._begun
        speed = (trainer.global_step - self._step) / max(seconds, 1e-9)
        number = Path(trainer.default_root_dir).name
        of_sweep = f"run {number}, " if number.isdigit() else ""
        most = trainer.max_epochs
        of_epochs = f" of {most}" if most is not None and most > 0 else ""
        print(
            f"{of_sweep}epoch {trainer.current_epoch + 1}{of_epochs}, step {trainer.global_step}: "
            f"{self._metrics(trainer)}{speed:.3g} steps/s, {seconds:.0f} s",
            file=sys.stderr,
            flush=True,
        )

    def _metrics(self, trainer: Trainer) -> str:
        """The metric first, with its best, then the loss and other numbers of validation."""
        judged = self.keeper.optimize.metric
        known = trainer.callback_metrics
        names = [judged, "train/loss", *sorted(name for name in known if name.startswith("val/"))]
        told = []
        for name in [name for name in dict.fromkeys(names) if name in known][:MOST_METRICS]:
            best = self.keeper.best if name == judged else None
            told.append(
                f"{name} {float(known[name]):.4g}"
                + (f" (best {best.value:.4g} at step {best.step})" if best is not None else "")
            )
        return f"{', '.join(told)}; " if told else ""
