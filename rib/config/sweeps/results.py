"""Results of a sweep: a table on the screen, sweep.csv, sweep.html, and the runs that failed and why."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from rib.config.overrides.explain import ConfigError
from rib.config.overrides.literal import escape_interpolation, quote_override_value
from rib.config.sweeps.cluster import ONE_RUN
from rib.config.sweeps.page import sweep_page
from rib.config.sweeps.table import SweepTable, objectives_of_sweep
from rib.engine.distributed.environment import distributed_env
from rib.engine.run_folder.folder import claim_run_folder
from rib.engine.run_folder.status import DONE, FAILED, RunStatus, read_run_status, write_run_status
from rib.io.errors import RibError, error_in_one_line
from rib.io.files.whole import write_text_whole

_folders: list[Path] = []


class ClaimSweepFolder(Callback):
    """Takes the folder of a run, or of a sweep, for it alone; named in conf/train.yaml."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra before a run that is no sweep's."""
        _claim(config, "run")

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra before the first run of a sweep."""
        _claim(config, "sweep")
        _folders[:] = [Path(str(config.hydra.sweep.dir)).absolute()]


def _claim(config: DictConfig, mode: str) -> None:
    """Make the folder that the config names by the time, under another name where it is there already.

    A folder that the user named is left to what `restore` says.
    """
    key = f"hydra.{mode}.dir"
    typed = [override.lstrip("+") for override in config.hydra.overrides.hydra]
    named = "hydra.run.dir" if ONE_RUN in typed else key
    if any(override.startswith(f"{named}=") for override in typed):
        return
    try:
        folder = claim_run_folder(Path(str(config.hydra[mode].dir)))
    except OSError:
        return  # Hydra is going to say so
    with open_dict(config.hydra), read_write(config.hydra):
        config.hydra[mode].dir = escape_interpolation(str(folder))
        config.hydra.overrides.hydra.append(
            f"{key}={quote_override_value(str(folder))}"
        )  # the runs compose anew


def sweep_overrides_of_this_job() -> tuple[str, ...]:
    """Read the overrides of this run, or of this trial of a sweep, as they were typed."""
    if not HydraConfig.initialized():
        return ()
    # Hydra's own list would resolve `${...}` in them
    words: Any = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
    return tuple(str(word) for word in words)


def refuse_idle_sweep() -> None:
    """Refuse a launcher or a sweep where only one run was asked for: Hydra would not use them.

    Raises:
        RibError: `launch=` or `sweep=` without -m.
    """
    hydra = HydraConfig.get()
    for group in ("launch", "sweep"):
        option = hydra.runtime.choices.get(group)
        if hydra.mode == RunMode.RUN and option:
            raise RibError(f"{group}={option} is for the runs of a sweep", "type -m after the command's verb")


def note_failed_trial(run_dir: Path, error: Exception) -> None:
    """Leave a word of a run that failed before it could itself.

    Only rank 0 writes into the run's folder: a status of another rank's, which composes the same settings at
    the same time, would look to rank 0 like a run that was there before. Ranks tell one another.
    """
    if distributed_env().num_ranks > 1:
        from rib.engine.distributed.rendezvous import report_early_rank_failure

        report_early_rank_failure(error)
    if distributed_env().rank == 0 and read_run_status(run_dir) is None:
        write_run_status(
            run_dir,
            RunStatus(FAILED, error=error_in_one_line(error), overrides=sweep_overrides_of_this_job()),
        )


def report_sweep(error: Exception | None) -> None:
    """Print the table of the sweep that just ended, if one did, and write it into its folder.

    Raises:
        RibError: Some of its runs failed, or did not end. Where a bug of ours is the reason, that is only
            printed: `error` itself is to end the process.
    """
    if not _folders:
        return
    folder = _folders.pop()
    runs = runs_of_sweep(folder)
    if not runs:
        if error is None and (alone := read_run_status(folder)) is not None:
            told = "" if alone.score is None else f", score {alone.score:.6g} at step {alone.step}"
            print(f"{alone.state}{told}, run folder {folder}")
        return
    table = SweepTable.of(runs, objectives_of_sweep(folder))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table.rows())
    write_text_whole(folder / "sweep.csv", text.getvalue())
    write_text_whole(folder / "sweep.html", sweep_page(table, folder.name))
    print(f"\n{_aligned(table.rows(all_metrics=False))}\n\n{_best(table)}sweep folder {folder}")
    if isinstance(error, RibError) and error.what not in " ".join(s.error or "" for s in runs.values()):
        return  # not one run's mistake but the sweep's
    bad = {number: status for number, status in runs.items() if status.state not in DONE}
    if bad:
        told = "; ".join(f"run {n} {s.state}" + (f": {s.error}" if s.error else "") for n, s in bad.items())
        mistake = RibError(
            f"{len(bad)} of {len(runs)} runs did not finish: {told}",
            f"the same command with hydra.sweep.dir={folder} restore=continue goes on with them",
        )
        if error is None or isinstance(error, (RibError, OSError, *ConfigError)):
            raise mistake from error
        print(f"rib: {mistake}", file=sys.stderr)


def runs_of_sweep(folder: Path) -> dict[int, RunStatus]:
    """The runs of a sweep folder by number."""
    found = {
        int(path.parent.name): read_run_status(path.parent)
        for path in folder.glob("*/status.json")
        if path.parent.name.isdigit()
    }
    return {number: status for number, status in sorted(found.items()) if status is not None}


def _best(table: SweepTable) -> str:
    """Name the run, or with several objectives those, that no other is better than."""
    if not (best := table.best()):
        return ""
    told = ", ".join(f"{name} {' '.join(f'{v:.6g}' for v in values)}" for name, values in best.items())
    return f"best by {', '.join(table.objectives)}: run {told}\n"


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
