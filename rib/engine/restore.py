"""Start of a run: anew, from a checkpoint, or at the point its own folder shows that it stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rib.engine.net_to_finetune import SUFFIX, check_net_to_finetune, shipped_weights_of_module
from rib.engine.run_folder.status import DONE, NAME, PREEMPTED, RunStatus, read_run_status
from rib.engine.settings import TrainSettings
from rib.io.errors import RibError
from rib.io.registry import REGISTRY
from rib.io.renamed import ADDED

LAST = Path("checkpoints") / "last.ckpt"
"""Where a run folder keeps the checkpoint that it can go on from (conf/callbacks/default.yaml)."""


def finished_run_status(config: TrainSettings) -> RunStatus | None:
    """The status of a run that is found finished with these very settings, where it is to be gone on with.

    Raises:
        RibError: The folder holds a run of other settings.
    """
    run_dir = Path(config.run_dir)
    if config.restore != "continue" and not _started_again(run_dir):
        return None
    status = read_run_status(run_dir)
    if status is None:
        return None
    try:
        before = REGISTRY.renamed(json.loads((run_dir / "config.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(before, Mapping):
        return None
    now = REGISTRY.renamed(json.loads(json.dumps(config.plain(), default=str)))
    for key in ("task.module", "task.data", "seed", "optimize"):
        if _as_today(_at(before, key), _at(now, key)) != _at(now, key) and (
            key != "optimize" or key in before
        ):
            raise RibError(
                f"{run_dir} holds a run with other settings of {key}",
                "repeat the command that made it, or name another folder",
            )
    longer = before.get("trainer") != now["trainer"]  # it may go on to more steps
    return status if status.state in DONE and not longer else None


def _as_today(before: Any, now: Any) -> Any:
    """A recipe of before, with today's value of what its class did not take then."""
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        return before
    added = ADDED.get(str(now.get("_target_")), {})
    return {**{name: now[name] for name in added if name in now}, **before}


def _at(settings: Any, key: str) -> Any:
    """What stands at a dotted key; None where nothing does."""
    for name in key.split("."):
        settings = settings.get(name) if isinstance(settings, Mapping) else None
    return settings


def first_start(config: TrainSettings) -> TrainSettings:
    """The same settings with `restore` and `ckpt` of the run's first start, where it is to be gone on with.

    A run that began from a checkpoint did so for good: without one of its own it begins there again, and
    `rib repeat` does what it did. `ckpt` beside restore=continue names the weights from which a run begins
    whose folder holds nothing yet, as with restore=finetune.
    """
    if config.restore != "continue":
        return config
    try:
        before = json.loads((Path(config.run_dir) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        before = None
    if isinstance(before, Mapping) and before.get("restore") in ("finetune", "resume"):
        given = before.get("ckpt")
        return replace(config, restore=before["restore"], ckpt=None if given is None else str(given))
    if before is None and config.ckpt is not None:
        return replace(config, restore="finetune")
    return config


def settle_restore(config: TrainSettings) -> TrainSettings:
    """The same settings with `restore` and `ckpt` as this start of the run needs them.

    A run that the cluster preempted, or whose job it started again, goes on from its own last checkpoint, as
    does one with restore=continue; where it has written none it begins as at its first start.

    Raises:
        RibError: `restore` and `ckpt` do not go together, or the checkpoint is none.
    """
    restore, run_dir = config.restore, Path(config.run_dir)
    last = run_dir / LAST
    if (restore == "continue" or _started_again(run_dir)) and last.is_file():
        try:
            _read(last)
        except RibError as error:
            remedy = f"type restore=resume ckpt=... with another of {last.parent}, or remove it to begin anew"
            raise RibError(error.what, remedy) from error
        return replace(config, restore="resume", ckpt=str(last))
    if restore in ("fresh", "finetune") and (run_dir / NAME).exists() and not _started_again(run_dir):
        raise RibError(
            f"{run_dir} already holds a run", "type restore=continue to go on with it, or name another folder"
        )
    config = first_start(config)
    restore = config.restore
    if restore in ("fresh", "continue"):
        if config.ckpt is not None:
            raise RibError(
                f"ckpt={config.ckpt} was given with restore={restore}",
                "type restore=resume or restore=finetune",
            )
        return replace(config, restore="fresh")
    if config.ckpt is None and restore == "resume":
        raise RibError(f"restore={restore} needs a checkpoint", "type ckpt=PATH of a .ckpt file")
    path = Path(config.ckpt or shipped_weights_of_module(config.task.module)).expanduser().absolute()
    if restore == "finetune" and path.suffix == SUFFIX:
        check_net_to_finetune(path, config.task.module)
        return replace(config, ckpt=str(path))
    _check_task(path, _read(path), config)
    return replace(config, ckpt=str(path))


def drop_logs_after_checkpoint(run_dir: Path, ckpt: Path) -> None:
    """Take what was logged after a checkpoint out of the folder of a run that goes on from it."""
    from rib.engine.checkpoints import DUE, KEY
    from rib.engine.loggers.csv_logger import drop_metrics_from_step

    content = _read(ckpt)
    described = content.get(KEY)
    due = isinstance(described, Mapping) and described.get(DUE) is True
    drop_metrics_from_step(run_dir / "metrics.csv", int(content["global_step"]), validation_comes_again=due)


def _started_again(run_dir: Path) -> bool:
    """Whether a cluster took this run's machine away before and now gives it one again."""
    status = read_run_status(run_dir)
    if status is None:
        return False
    return status.state == PREEMPTED or int(os.environ.get("SLURM_RESTART_COUNT") or 0) > 0


def _check_task(path: Path, content: Mapping[str, Any], config: TrainSettings) -> None:
    from rib.engine.checkpoints import KEY

    described = content.get(KEY)
    module = described.get("module") if isinstance(described, Mapping) else None
    if not isinstance(module, Mapping):
        return
    given, wanted = (
        REGISTRY.canonical(str(recipe.get("_target_"))) for recipe in (module, config.task.module)
    )
    if given != wanted:
        raise RibError(
            f"{path} is a checkpoint of {given[:120]}, but this task trains {wanted}",
            "name a checkpoint of the same task=",
        )


def _read(path: Path) -> dict[str, Any]:
    from rib.engine.checkpoints import read_checkpoint

    content = read_checkpoint(path)
    if not isinstance(content.get("global_step"), int):
        raise RibError(f"{path} does not say at which step it was written", "name one of `rib train`")
    return content
