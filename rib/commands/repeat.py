"""`rib repeat`: an interpolation or a training made again, from the settings in its folder."""

from __future__ import annotations

import importlib
import sys

from rib.config.exit_codes import exit_code
from rib.engine.worker import is_training_worker, run_training_worker
from rib.io.errors import RibError

USAGE = """usage: rib repeat FOLDER [key=value ...] [-m for a sweep] [--cfg job to print the config]

FOLDER is a result of `rib interpolate` or a run folder of `rib train`. Its settings are read as data: nothing
in them is run or filled in, and recipes may name only what is registered. Relative paths mean what they meant
where the command was started. Settings typed after it change those of the folder.

A repeated interpolation writes into a new folder beside the first, or into output=. A repeated training gets
a run folder of its own, runs/<name>/<date>, as any training does.

  rib repeat out/                               # the same frames once more, into out_2/
  rib repeat out/ rate=8 output=out8/           # at another rate
  rib repeat out/ render=gan                    # with another choice of a stage
  rib repeat runs/motion/2026-01-31_12-00-00 seed=2
"""


def command(arguments: list[str]) -> None:
    """Entry point for `rib repeat`."""
    if is_training_worker():
        raise SystemExit(run_training_worker())
    if {"-h", "--help"} & set(arguments):
        print(USAGE, end="")
        return
    if not arguments or arguments[0].startswith("-"):
        raise RibError("rib repeat was given no folder first", "type: rib repeat FOLDER [key=value ...]")
    from rib.config.repeat import ROOT, register_repeated_config

    verb, typed, notes = register_repeated_config(arguments[0], arguments[1:])
    for note in notes:
        print(note)
    importlib.import_module(f"rib.commands.{verb}").command(typed, ROOT)


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
