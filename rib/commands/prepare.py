"""`rib prepare`: a collection to one store."""

from __future__ import annotations

import sys
from typing import Any

from rib.config.app import exit_code, run


def task(config: dict[str, Any]) -> None:
    """Prepare the collection, and say what was done and what was left out."""
    from rib.io.recipe import build
    from rib.pipeline.watch import counter

    with counter("preparing") as progress:
        report = build(config["data"]["prepare"], progress=progress)
    print(f"{report.prepared} prepared, {report.reused} done before, {len(report.skipped)} skipped")
    shown = sorted(report.skipped.items())[: config["max_reasons"]]
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
    run("prepare", task, arguments)


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
