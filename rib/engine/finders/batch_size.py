"""The largest batch that fits: sizes are doubled and trained with for a few steps."""

from __future__ import annotations

import gc
import os
import resource
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback
from pytorch_lightning.utilities.memory import is_oom_error

from rib.engine.finders.trial import train_for_trial
from rib.engine.settings import BatchSizeSearch, TrainSettings
from rib.io.errors import RibError
from rib.io.recipe import with_setting

PLACES = ("batch_size", "crops.batch_size", "windows.tokens")
"""Where data modules keep the size of a batch: windows, crops, or keyframes."""


class StepTimes(Callback):
    """Takes the time at the end of each step."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_train_batch_end(self, *arguments: Any) -> None:
        """Take the time."""
        self.ends.append(time.perf_counter())

    @property
    def seconds_a_step(self) -> float:
        """From the end of the first step to that of the last, which leaves out what is made once."""
        return (self.ends[-1] - self.ends[0]) / (len(self.ends) - 1)


def batch_size_setting(data: Mapping[str, Any]) -> tuple[str, int]:
    """The dotted place of the size of a batch inside the data's recipe, and its value.

    Raises:
        RibError: It has none of the places that are known.
    """
    for place in PLACES:
        value: Any = data
        for key in place.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, int):
            return place, value
    raise RibError(
        f"{data.get('_target_')} has no size of a batch ({', '.join(PLACES)})", "leave it out of preset="
    )


def find_batch_size(config: TrainSettings, search: BatchSizeSearch) -> dict[str, Any]:
    """Double the batch until the next one would not fit, or is `search.most_times` the one that is set.

    Returns:
        `size`, and `tried`: of each size its seconds a step and the peak memory in GiB.

    Raises:
        RibError: Not even the batch that is set fits.
    """
    place, size = batch_size_setting(config.task.data)
    tried: list[dict[str, float]] = []
    before, largest = peak_gib(), size * search.most_times
    while size <= largest:
        found = _trial(config, with_setting(config.task.data, place, size), search.num_steps)
        if found is None:
            break
        tried.append({"size": size, **found})
        if before + 2 * (found["peak_gib"] - before) > search.memory_share * memory_gib():
            break
        size *= 2
    if not tried:
        raise RibError(
            f"the memory is too small for task.data.{place}={size}", f"type task.data.{place}={size // 2}"
        )
    return {"size": tried[-1]["size"], "tried": tried}


def _trial(config: TrainSettings, data: Mapping[str, Any], num_steps: int) -> dict[str, float] | None:
    """Seconds a step and peak memory, or None where it does not fit."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    steps = StepTimes()
    try:
        train_for_trial(config, num_steps, [steps], data)
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError) or is_oom_error(error):
            return None
        raise
    return {"seconds": round(steps.seconds_a_step, 4), "peak_gib": round(peak_gib(), 3)}


def peak_gib() -> float:
    """The most memory that this process ever took, on the GPU where there is one."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**30
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def memory_gib() -> float:
    """The GPU's memory, or what this process may take of the machine's."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory / 2**30
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):  # of a container, where it has a bound
        machine = min(machine, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return machine / 2**30
