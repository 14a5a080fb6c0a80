"""Faults that a run meets by itself: callbacks that settings name, once this file is imported.

`+callbacks.fault={_target_: faults.Fails, step: 2, mark: <file>}`; each strikes once, and leaves its mark.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from rib.io.errors import RibError
from rib.io.registry import register

ERRORS = {"machine": OSError("the machine went away"), "disk": RibError("the disk was full"),
          "ctrl_c": KeyboardInterrupt()}  # fmt: skip


class Fault(pl.Callback):
    """Strikes in the middle of a step.

    Args:
        step: At which step; the validation after that many, for `validation`.
        mark: The file that says that it struck before.
        validation: Whether it strikes in a validation.
    """

    def __init__(self, step: int, mark: str, validation: bool = False) -> None:
        self.step, self.mark, self.validation = step, Path(mark), validation

    def strike(self) -> None:
        """What happens."""

    def on_before_backward(self, trainer: pl.Trainer, *arguments: Any) -> None:
        if not self.validation:
            self._strike_once(trainer)

    def on_validation_batch_start(self, trainer: pl.Trainer, *arguments: Any) -> None:
        if self.validation and not trainer.sanity_checking:
            self._strike_once(trainer)

    def _strike_once(self, trainer: pl.Trainer) -> None:
        if trainer.global_step == self.step and not self.mark.exists():
            self.mark.touch()
            self.strike()


@register("callback")
class Fails(Fault):
    """An error of `ERRORS`."""

    def __init__(self, step: int, mark: str, validation: bool = False, error: str = "machine") -> None:
        super().__init__(step, mark, validation)
        self.error = error

    def strike(self) -> None:
        raise ERRORS[self.error]


@register("callback")
class FailsInRun(Fails):
    """An error at the first step of the sweep's run in a folder of this name."""

    def __init__(self, mark: str, run_dir: str, run: str, error: str) -> None:
        super().__init__(0 if Path(run_dir).name == run else -1, mark, error=error)


@register("callback")
class GetsSignal(Fault):
    """A signal, by its name."""

    def __init__(self, step: int, mark: str, signal: str) -> None:
        super().__init__(step, mark)
        self.signal = signal

    def strike(self) -> None:
        os.kill(os.getpid(), signal.Signals[self.signal])


@register("callback")
class SpoilsFrames(pl.Callback):
    """One value of the frames of this step's batch is none."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer: pl.Trainer, module: Any, batch: Any, batch_idx: int) -> None:
        if trainer.global_step == self.step:
            batch["frames"][0, 1, 0, 0, 0] = torch.nan
