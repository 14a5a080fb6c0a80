"""Profile of training steps: a trace for chrome://tracing or Perfetto, and the longest operations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from rib.io.files.whole import write_file_whole, write_text_whole
from rib.io.settings.ranges import Count, Whole

ROW = "{:44.44}  {:>8}  {:>10}  {:>6}"


class ProfileSteps(Callback):
    """Profiles steps on rank 0, writes profile/trace.json and profile/operations.txt, and prints the latter.

    Args:
        folder: The run folder.
        skip_num_steps: Steps before the first that counts, in which caches fill.
        num_steps: Steps that count.
        num_operations: Operations in the table.
    """

    def __init__(self, folder: str, skip_num_steps: Whole, num_steps: Count, num_operations: Count) -> None:
        self.folder = Path(folder) / "profile"
        self.skip_num_steps, self.num_steps, self.num_operations = skip_num_steps, num_steps, num_operations
        self._profile: Any = None
        self._done = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin, with the steps to skip."""
        if not trainer.is_global_zero:
            return
        schedule = torch.profiler.schedule(
            wait=0, warmup=self.skip_num_steps, active=self.num_steps, repeat=1
        )
        self._profile = torch.profiler.profile(schedule=schedule, on_trace_ready=self._write, acc_events=True)
        self._profile.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """One more step."""
        if self._profile is not None:
            self._profile.step()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the profile also where fewer steps were trained than asked for."""
        if self._profile is not None:
            self._profile.stop()
            self._profile = None

    def _write(self, profile: Any) -> None:
        with write_file_whole(self.folder / "trace.json") as temporary:
            profile.export_chrome_trace(str(temporary))
        text = profile_table(profile.key_averages(), self.num_steps, self.num_operations)
        write_text_whole(self.folder / "operations.txt", text + "\n")
        print(f"{text}\ntrace {self.folder / 'trace.json'}")


def profile_table(events: Any, num_steps: int, num_operations: int) -> str:
    """The operations that took longest themselves, in ms a step.

    Args:
        events: `torch.profiler.profile.key_averages()`.
        num_steps: Steps that were profiled.
        num_operations: Rows.
    """

    def own_us(event: Any) -> float:
        return float(max(event.self_device_time_total, event.self_cpu_time_total))

    ordered = sorted(events, key=own_us, reverse=True)
    whole_us = sum(map(own_us, ordered)) or 1.0
    rows = [
        ROW.format(
            event.key, f"{event.count / num_steps:.0f}", f"{own_us(event) / num_steps / 1e3:.2f}",
            f"{own_us(event) / whole_us:.0%}",
        )
        for event in ordered[:num_operations]
    ]  # fmt: skip
    return "\n".join([ROW.format("operation", "calls", "ms", "share") + "   (a step)", *rows])
