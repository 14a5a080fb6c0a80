"""`rib train`: fit a net."""

from __future__ import annotations

import sys
from typing import Any

from rib.config.app import exit_code, run
from rib.engine.follow import follow, follows
from rib.engine.place import place_of


def task(config: dict[str, Any]) -> float | None:
    """Fit, say where the run lies, and give the sweeper its number."""
    from rib.config.sweep import overrides_of_this_job
    from rib.engine.fit import fit

    score = fit(config, overrides_of_this_job())
    if place_of().rank == 0:
        told = "" if score is None else f"{config['monitor']} {score:.6g}, "
        print(f"{told}run folder {config['run_dir']}")
    return score


def command(arguments: list[str], root: str | None = None) -> None:
    """Entry point for `rib train`; `root` takes the place of its own root config."""
    if follows():
        raise SystemExit(follow())
    try:
        run("train", task, arguments, root)
    finally:
        if place_of().num_ranks > 1:
            from rib.engine.meeting import dismiss

            dismiss()


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
