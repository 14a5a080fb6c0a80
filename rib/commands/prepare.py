"""`rib prepare`: a collection to one store."""

from __future__ import annotations

import sys
from pathlib import Path

from rib.config.app import run_verb
from rib.config.exit_codes import exit_code
from rib.datasets.settings import PrepareSettings


def task(config: PrepareSettings) -> None:
    """Prepare the collection, and say what was done and what was left out."""
    from rib.io.preparation.own_store import prepared_store
    from rib.io.recipe import build_recipe
    from rib.io.settings.paths import paths_read_by_command
    from rib.pipeline.progress import progress_counter

    recipe, reads = config.data.prepare, paths_read_by_command(config)
    adds = "chain" in recipe  # samples of more videos come beside those that are there
    with (
        prepared_store(Path(recipe["output"]), reads, config.overwrite, adds),
        progress_counter("preparing") as progress,
    ):
        report = build_recipe(recipe, progress=progress)
    print(f"{report.prepared} prepared, {report.reused} done before, {len(report.skipped)} skipped")
    shown = sorted(report.skipped.items())[: config.max_reasons]
    for name, reason in shown:
        print(f"  {name}: {reason}")
    if hidden := len(report.skipped) - len(shown):
        print(f"  and {hidden} more")
    if report.store is None:
        print(f"{report.waiting} files wait for other shards")
    else:
        print(f"store {report.store}")


def command(arguments: list[str]) -> None:
    """Entry point for `rib prepare`."""
    run_verb("prepare", task, arguments)


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
