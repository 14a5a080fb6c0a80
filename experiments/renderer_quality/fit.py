"""Fit renderer_base to the drawings of all clips but some, with the loop that `render.fit` uses.

    python fit.py samples=samples.h5 without=walk_*,jacks_* steps=1200 out=RUN [pixels=1] [lr=1e-3]

Writes RUN/curve.csv (means of 50 steps), RUN/last.safetensors while it runs and RUN/final.safetensors.
`rib train experiment=renderer_base task.data.samples=samples.h5 'task.data.held_out=[walk_*,jacks_*]'` does
the same with checkpoints to resume from.
"""

from __future__ import annotations

import fnmatch
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from rib.config.compose import compose
from rib.io.recipe import build_recipe
from rib.render.nets.checkpoint import load_renderer_net, save_renderer_net
from rib.render.refine.dataset import RefinerSample, read_refiner_samples
from rib.render.refine.fitting import RefinerFitRecipe, Report

TOLD_STEPS, KEPT_STEPS, LEAST_GATE = 50, 250, 0.3


def learnt(samples: list[Path], without: list[str]) -> list[RefinerSample]:
    """The trusted intervals of all clips but those whose name fits a pattern."""
    return [
        interval
        for file in samples
        for name, intervals in read_refiner_samples(file).items()
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in without)
        for interval in intervals
        if interval.gate >= LEAST_GATE
    ]


def curve(out: Path, net: torch.nn.Module, recipe: Mapping[str, object]) -> Report:
    """Write the curve and the last weights now and then."""
    start, told = time.perf_counter(), []

    def report(step: int, terms: Mapping[str, float]) -> None:
        told.append(list(terms.values()))
        if step % TOLD_STEPS == 0:
            means = ",".join(f"{mean:.5f}" for mean in np.mean(told[-TOLD_STEPS:], 0))
            with (out / "curve.csv").open("a") as file:
                file.write(f"{step},{means},{time.perf_counter() - start:.0f}\n")
        if step % KEPT_STEPS == 0:
            save_renderer_net(out / "last.safetensors", net, recipe, {"steps": str(step)})

    return report


def main(arguments: list[str]) -> None:
    """See the module."""
    given = dict(argument.split("=", 1) for argument in arguments)
    out = Path(given["out"])
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(1)
    task = compose("train", "experiment=renderer_base", "task.data.samples=x")
    net, crops = build_recipe(task.net), build_recipe(task.task.data["crops"])
    if "start" in given:
        net.load_state_dict(load_renderer_net(given["start"], task.net["_target_"]).state_dict())
    fit = RefinerFitRecipe(
        perceptual=1.0,
        pixels=float(given.get("pixels", 1.5)),
        lr=float(given.get("lr", 1e-3)),
        warmup_steps=50,
        weight_decay=0.01,
        ema_decay=float(given.get("ema_decay", 0.995)),
        clip_norm=1.0,
    )
    intervals = learnt([Path(file) for file in given["samples"].split(",")], given["without"].split(","))
    steps = int(given["steps"])
    print(
        f"{len(intervals)} intervals, {sum(len(interval.channels) for interval in intervals)} frames",
        flush=True,
    )
    fitted = fit.fit(net, intervals, crops, steps, 1, curve(out, net, task.net))
    save_renderer_net(
        out / "final.safetensors", fitted, task.net, {"steps": str(steps), "without": given["without"]}
    )


if __name__ == "__main__":
    main(sys.argv[1:])
