"""`rib train`: fit a net."""

from __future__ import annotations

import sys
from typing import Any

from rib.config.app import exit_code, run


def task(config: dict[str, Any]) -> float | None:
    """Fit, say where the run lies, and give the sweeper its number."""
    from rib.engine.fit import fit

    score = fit(config)
    told = "" if score is None else f"{config['monitor']} {score:.6g}, "
    print(f"{told}run folder {config['run_dir']}")
    return score


def command(arguments: list[str]) -> None:
    """Entry point for `rib train`."""
    run("train", task, arguments)


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
