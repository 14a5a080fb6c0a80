"""Time a step of experiment=motion_base as shipped and the same step in a bare loop, in turns."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback

from rib.config.compose import compose
from rib.engine import fit as engine
from rib.engine.settings import TrainSettings
from rib.io.recipe import build_recipe

SKIPPED = 10
"""Steps before the first that counts."""


class StepTimes(Callback):
    """The processor time at which steps ended."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_train_batch_end(self, *arguments: Any) -> None:
        self.ends.append(time.process_time())


def framework(config: TrainSettings) -> list[float]:
    """Seconds of each step of `rib train`, validation left out."""
    times = StepTimes()
    with tempfile.TemporaryDirectory() as folder:
        callbacks, logger = _in(folder, config.callbacks), _in(folder, config.logger)
        settings = replace(config, run_dir=folder, callbacks=callbacks, logger=logger)
        build_trainer = engine._trainer

        def with_times(*arguments: Any) -> Any:
            trainer = build_trainer(*arguments)
            trainer.callbacks.append(times)
            return trainer

        engine._trainer = with_times
        try:
            with contextlib.redirect_stdout(sys.stderr):
                engine.fit_in_processes(settings)
        finally:
            engine._trainer = build_trainer
    return [b - a for a, b in pairwise(times.ends)][SKIPPED:]


def bare(config: TrainSettings, num_steps: int) -> list[float]:
    """Seconds of each step of a loop with nothing around it."""
    torch.manual_seed(config.seed)
    data, module = build_recipe(config.task.data), build_recipe(config.task.module)
    data.setup()
    batches = data.train_dataloader().dataset
    module.log = module.log_dict = lambda *arguments, **options: None
    chosen = module.configure_optimizers()
    optimizer, schedule = chosen["optimizer"], chosen["lr_scheduler"]["scheduler"]
    module.train()
    ends = []
    for number in range(num_steps):
        loss = module.training_step(batches[number], number)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), config.trainer["gradient_clip_val"])
        optimizer.step()
        with torch.no_grad():
            pairs = list(module.ema.parameters()), list(module.net.parameters())
            torch._foreach_lerp_(*pairs, 0.002)
        schedule.step()
        ends.append(time.process_time())
    return [b - a for a, b in pairwise(ends)][SKIPPED:]


def _in(folder: str, recipes: Any) -> Any:
    """The same recipes for another run folder."""
    return json.loads(json.dumps(recipes).replace('"runs', f'"{folder}'))


def training(given: Mapping[str, str], steps: int, experiment: str = "motion_base") -> TrainSettings:
    """Settings of a training on one thread without validation, on synthetic motion where nothing is given."""
    synthetic = [
        "task.data.folder=synthetic",
        "task.data.held_out=[]",
        "task.data.validation=[synthetic/0000]",
    ]
    overrides = [f"{key}={value}" for key, value in given.items()] or synthetic
    torch.set_num_threads(1)
    config = compose("train", f"experiment={experiment}", *overrides, f"trainer.max_steps={steps}")
    config.trainer["limit_val_batches"] = 0
    return config


def main() -> None:
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    steps, repeats = int(given.pop("steps", 150)), int(given.pop("repeats", 3))
    config = training(given, steps)
    rounds = [(framework(config), bare(config, steps)) for _ in range(repeats)]
    # the same batches in both and in every round: the least time of each step counts
    ours, theirs = ([min(times) for times in zip(*(r[side] for r in rounds), strict=True)] for side in (0, 1))
    share = sum(ours) / sum(theirs) - 1
    print(f"steps: {len(ours)}, least of {repeats} times each")
    mean_ms = [1e3 * sum(times) / len(times) for times in (ours, theirs)]
    print(f"rib train: {mean_ms[0]:.1f} ms, bare loop: {mean_ms[1]:.1f} ms a step")
    print(f"overhead: {100 * share:.2f} %")
    Path(__file__).with_name("result.json").write_text(
        json.dumps(
            {
                "steps": len(ours),
                "repeats": repeats,
                "rib_s": sum(ours),
                "bare_s": sum(theirs),
                "overhead": share,
            },
            indent=2,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
