"""`rib train`: fit a net."""

from __future__ import annotations

import sys

from rib.config.app import exit_code, run
from rib.engine.distributed.environment import distributed_env
from rib.engine.settings import TrainSettings
from rib.engine.worker import is_worker, work


def task(config: TrainSettings) -> float | None:
    """Fit, say where the run lies, and give the sweeper its number."""
    from rib.config.sweeps.results import overrides_of_this_job
    from rib.engine.fit import fit

    score = fit(config, overrides_of_this_job())
    if distributed_env().rank == 0:
        told = "" if score is None else f"{config.monitor} {score:.6g}, "
        print(f"{told}run folder {config.run_dir}")
    return score


def command(arguments: list[str], root: str | None = None) -> None:
    """Entry point for `rib train`; `root` takes the place of its own root config."""
    if is_worker():
        raise SystemExit(work())
    try:
        run("train", task, arguments, root)
    finally:
        if distributed_env().num_ranks > 1:
            from rib.engine.distributed.rendezvous import dismiss

            dismiss()


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
