"""`rib benchmark`: hidden frames, predicted and scored."""

from __future__ import annotations

import sys
from pathlib import Path

from rib.benchmark.settings import BenchmarkSettings
from rib.config.app import exit_code, run_verb


def task(config: BenchmarkSettings) -> None:
    """Score the methods, print the table and say where the files lie."""
    from rib.benchmark.run import run_benchmark
    from rib.benchmark.table import print_benchmark_table

    print_benchmark_table(run_benchmark(config))
    print(f"what it looks like: {Path(config.output) / 'contact_sheet.png'}")


def command(arguments: list[str]) -> None:
    """Entry point for `rib benchmark`."""
    run_verb("benchmark", task, arguments)


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
