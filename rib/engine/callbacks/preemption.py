"""A machine is taken away: save first, then leave, and be queued again where a cluster runs the job.

Slurm and submitit announce it with SIGUSR1 or SIGUSR2. SIGTERM and Ctrl-C end a run in the same way, but
nothing queues it again, and a second Ctrl-C ends it at once; under submitit, where SIGTERM comes just before
SIGUSR2, it is passed over.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from rib.engine.run_folder.status import PREEMPTED, read_run_status, write_run_status
from rib.io.settings.ranges import Count

log = logging.getLogger(__name__)
PREEMPTION = (signal.SIGUSR1, signal.SIGUSR2)
SIGNALS = (*PREEMPTION, signal.SIGTERM, signal.SIGINT)


class SaveOnPreemption(Callback):
    """Writes last.ckpt and ends the run after the step in which a signal came; the next start goes on there.

    Args:
        folder: Where the run keeps its checkpoints.
        every_num_steps: How often several processes ask one another for signals, in batches.
    """

    def __init__(self, folder: str, every_num_steps: Count) -> None:
        self.last = Path(folder) / "last.ckpt"
        self.every_num_steps = every_num_steps
        self._signal: signal.Signals | None = None
        self._leaving = False
        self._before: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Listen; Lightning has set its own handlers by now, and takes all back in the end."""
        self._signal, self._leaving = None, False
        if threading.current_thread() is not threading.main_thread():
            return
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        if self._queues_again() is not None:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Listen no more."""
        self._restore()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Listen no more."""
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _queues_again(self) -> Any:
        """The handler of whoever announces preemption and has the job queued again, which is submitit's."""
        return next((h for n in PREEMPTION if callable(h := self._before.get(n))), None)

    def _note(self, number: int, frame: Any) -> None:
        if number == signal.SIGINT and self._signal == signal.SIGINT:
            raise KeyboardInterrupt
        self._signal = signal.Signals(number)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save together, where any process was told to leave; the step's metrics are logged after this."""
        told = self._signal is not None
        if trainer.world_size > 1:
            if (batch_idx + 1) % self.every_num_steps and not trainer.is_last_batch:
                return
            told = trainer.strategy.reduce_boolean_decision(told, all=False)
        if told:
            trainer.save_checkpoint(self.last, weights_only=False)
            log.warning("%s at step %d: saved %s", self._signal, trainer.global_step, self.last)
            self._leaving = True

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Leave together."""
        if self._leaving:
            trainer.strategy.barrier()
            self._leave(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave together before a long validation; the run that goes on makes it."""
        if self._leaving:
            trainer.strategy.barrier()
            self._leave(trainer)

    def _leave(self, trainer: Trainer) -> None:
        if not trainer.is_global_zero:
            raise SystemExit(0)  # rank 0 is who has the job queued again
        if self._signal == signal.SIGINT:
            raise KeyboardInterrupt
        if self._signal == signal.SIGTERM:
            raise SystemExit(128 + signal.SIGTERM)
        run_dir = Path(trainer.default_root_dir)
        status = read_run_status(run_dir)
        if status is not None:
            write_run_status(run_dir, replace(status, state=PREEMPTED))
        number = self._signal or signal.SIGUSR2
        if (queue_again := self._queues_again()) is not None:  # submitit's, which queues the job and exits
            queue_again(number, None)
        elif "SLURM_JOB_ID" in os.environ:
            subprocess.run(["scontrol", "requeue", _slurm_job()], check=False)
        raise SystemExit(128 + number)


def _slurm_job() -> str:
    array = os.environ.get("SLURM_ARRAY_JOB_ID")
    return f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}" if array else os.environ["SLURM_JOB_ID"]
