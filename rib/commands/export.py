"""`rib export`: a trained net taken out, with its card."""

from __future__ import annotations

import sys

from rib.config.app import run_verb
from rib.config.exit_codes import exit_code
from rib.export.settings import ExportSettings


def task(config: ExportSettings) -> None:
    """Export, and say where it lies."""
    from rib.export.run import export_model

    print(export_model(config))


def command(arguments: list[str]) -> None:
    """Entry point for `rib export`."""
    run_verb("export", task, arguments)


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
