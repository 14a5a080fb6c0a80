"""Time the parts of each step of `rib train` within the run itself: what is left is the framework's."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

import torch
from measure import SKIPPED, training
from pytorch_lightning import LightningModule

from rib.engine import fit as engine
from rib.engine.callbacks.objective import ScoreKeeper
from rib.io.recipe import build_recipe

spent: defaultdict[str, float] = defaultdict(float)
"""Processor seconds in each part, outermost calls alone; `log` is the logging of the module's step."""
running: list[str] = []


def timed(owner: Any, name: str, part: str) -> None:
    """Count the time of a function as a part of the step."""
    call: Callable[..., Any] = getattr(owner, name)

    def wrapper(*arguments: Any, **options: Any) -> Any:
        if part in running or (running and part != "log"):
            return call(*arguments, **options)
        running.append(part)
        begun = time.process_time()
        try:
            return call(*arguments, **options)
        finally:
            spent[part] += time.process_time() - begun
            running.pop()

    setattr(owner, name, wrapper)


def main() -> None:
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    steps, experiment = int(given.pop("steps", 60)), given.pop("experiment", "motion_base")
    config = training(given, steps, experiment)
    data, module = build_recipe(config.task.data), build_recipe(config.task.module)
    data.setup()
    timed(type(data.train_dataloader().dataset), "__getitem__", "batch")
    timed(type(module), "training_step", "training_step")
    adam = import_module("torch.optim.adam")
    for owner, name, part in (
        (torch.Tensor, "backward", "backward"),
        (adam, "adam", "optimizer"),
        (adam.Adam, "_init_group", "optimizer"),
        (torch.optim.Optimizer, "zero_grad", "optimizer"),
        (torch.nn.utils, "clip_grad_norm_", "clip"),
        (import_module(type(module).__module__), "update_ema", "ema"),
        (torch.optim.lr_scheduler.LRScheduler, "step", "schedule"),
        (LightningModule, "log", "log"),
        (LightningModule, "log_dict", "log"),
    ):
        timed(owner, name, part)
    ends: list[tuple[float, dict[str, float]]] = []
    ScoreKeeper.on_train_batch_end = lambda *_: ends.append((time.process_time(), dict(spent)))
    with tempfile.TemporaryDirectory() as folder:
        recipes = {
            name: json.loads(json.dumps(getattr(config, name)).replace('"runs', f'"{folder}'))
            for name in ("callbacks", "logger")
        }
        with contextlib.redirect_stdout(sys.stderr):
            engine.fit_in_processes(replace(config, run_dir=folder, **recipes))
    (begun, before), (ended, after) = ends[SKIPPED], ends[-1]
    parts = {part: after[part] - before.get(part, 0) for part in after}
    logging, step = parts.pop("log"), sum(parts.values())
    counted = len(ends) - 1 - SKIPPED
    for part, seconds in parts.items():
        print(f"{part:14} {1e3 * seconds / counted:8.2f} ms")
    rest = ended - begun - step
    print(f"{'logging':14} {1e3 * logging / counted:8.2f} ms inside training_step")
    print(f"{'the rest':14} {1e3 * rest / counted:8.2f} ms")
    print(f"overhead: {100 * (rest + logging) / (step - logging):.2f} % of a step, {counted} steps")


if __name__ == "__main__":
    main()
