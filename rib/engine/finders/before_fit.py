"""Search a learning rate and a batch size before a run's first step; tell, keep and use them."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rib.engine.settings import FindSettings, TrainSettings
from rib.io.errors import RibError
from rib.io.files.whole import write_text_whole
from rib.io.recipe import with_setting

NAME = "found.json"
LR, THEIR_LR = "optimizer.lr", "discriminator_optimizer.lr"
log = logging.getLogger(__name__)


def with_findings_kept(config: TrainSettings) -> TrainSettings:
    """The settings of a run whose folder holds what was found before: nothing is searched twice."""
    try:
        found = json.loads((Path(config.run_dir) / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return config
    return _used(config, found) if isinstance(found, Mapping) else config


def find_before_fit(config: TrainSettings) -> TrainSettings:
    """Search what `config.find` asks for, tell it, keep it, and give the settings to train with.

    A run that goes on has its rate and its data from where it stopped: nothing is searched for it.

    Raises:
        RibError: What is asked for cannot be found.
    """
    find = config.find
    if config.restore == "resume" or not (find.lr or find.batch_size):
        return config
    found: dict[str, Any] = {}
    if find.batch_size:
        from rib.engine.finders.batch_size import batch_size_setting, find_batch_size

        place, _ = batch_size_setting(config.task.data)
        rows = find_batch_size(config, find.batch_size)
        for row in rows["tried"]:
            _tell(f"a batch of {row['size']}: {row['seconds']:.3f} s a step, {row['peak_gib']:.2f} GiB")
        found["batch_size"] = {"setting": place, **rows}
        _tell(
            _result(f"task.data.{place}", rows["size"], "the largest batch that was found to fit", find.use)
        )
        config = _used(config, {"batch_size": found["batch_size"]}) if find.use else config
    if find.lr:
        from rib.engine.finders.learning_rate import find_learning_rate

        set_rate = _set_rate(config)
        found["lr"] = find_learning_rate(config, find.lr)
        if found["lr"]["rate"] is None:
            _tell(_no_rate(found["lr"]["steps"], set_rate))
        else:
            steps = f"at which the loss fell fastest in {found['lr']['steps']} steps"
            _tell(_result(f"task.module.{LR}", found["lr"]["rate"], steps, find.use))
    run_dir = Path(config.run_dir)
    run_dir.mkdir(parents=True, exist_ok=True)
    found = {**found, "used": find.use}
    write_text_whole(run_dir / NAME, json.dumps(found, indent=2) + "\n")
    return _used(replace(config, find=find), found)


def _result(setting: str, value: Any, why: str, used: bool) -> str:
    done = "the run trains with it" if used else f"it is not used: type {setting}={value:g} for that"
    return f"found {setting}={value:g}, {why}; {done}"


def _no_rate(steps: int, set_rate: float) -> str:
    return (
        f"no learning rate is proposed: in {steps} steps the loss fell by no more than it varies; "
        f"task.module.{LR}={set_rate:g} stays; more steps (find.lr.num_steps=) or larger batches may tell"
    )


def _tell(line: str) -> None:
    print(line, flush=True)
    log.info(line)


def _used(config: TrainSettings, found: Mapping[str, Any]) -> TrainSettings:
    """The settings with what was found in place; nothing is left to be searched."""
    if not found.get("used", True):
        return replace(config, find=FindSettings())
    data, module = config.task.data, config.task.module
    if batch := found.get("batch_size"):
        data = with_setting(data, batch["setting"], batch["size"])
    if rate := (found.get("lr") or {}).get("rate"):
        before = _set_rate(config)
        module = with_setting(module, LR, rate)
        theirs = module.get(THEIR_LR.partition(".")[0])
        if isinstance(theirs, Mapping) and isinstance(theirs.get("lr"), int | float):
            module = with_setting(module, THEIR_LR, theirs["lr"] * rate / before)
    searched = replace(
        config.find,
        lr=None if found.get("lr") else config.find.lr,
        batch_size=None if found.get("batch_size") else config.find.batch_size,
    )
    return replace(config, task=replace(config.task, data=data, module=module), find=searched)


def _set_rate(config: TrainSettings) -> float:
    """The learning rate that is set.

    Raises:
        RibError: The module's recipe has none where rib's own have it.
    """
    optimizer = config.task.module.get("optimizer")
    rate = optimizer.get("lr") if isinstance(optimizer, Mapping) else None
    if not isinstance(rate, int | float):
        raise RibError(f"the module has no setting task.module.{LR} to be found", "leave find.lr out")
    return float(rate)
