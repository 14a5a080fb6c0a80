"""`rib train`: fit a net."""

from __future__ import annotations

import sys

from rib.config.app import run_verb
from rib.config.exit_codes import exit_code
from rib.engine.distributed.environment import distributed_env
from rib.engine.settings import TrainSettings
from rib.engine.worker import is_training_worker, run_training_worker


def task(config: TrainSettings) -> float | list[float] | None:
    """Fit, say where the run lies, and give the sweeper its number, or a number an objective."""
    from rib.config.sweeps.pruning import pruner_of_this_job
    from rib.config.sweeps.results import sweep_overrides_of_this_job
    from rib.engine.fit import fit_in_processes

    if config.config_tree and distributed_env().rank == 0:
        import rich

        from rib.config.help.tree import settings_tree

        rich.print(settings_tree("rib train", config.plain()))
    score = fit_in_processes(config, sweep_overrides_of_this_job(), pruner_of_this_job())
    optimize = config.optimize
    if distributed_env().rank == 0:
        told = ""
        if score is not None:
            told = f"{optimize.select} {optimize.metric} {score.value:.6g} at step {score.step}, "
        print(f"{told}run folder {config.run_dir}")
    values = None if score is None else score.objectives(optimize.also)
    return values if values is None or optimize.also else values[0]


def command(arguments: list[str], root: str | None = None) -> None:
    """Entry point for `rib train`; `root` takes the place of its own root config."""
    if is_training_worker():
        raise SystemExit(run_training_worker())
    try:
        run_verb("train", task, arguments, root)
    finally:
        if distributed_env().num_ranks > 1:
            from rib.engine.distributed.rendezvous import dismiss_workers

            dismiss_workers()


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
