"""`rib benchmark`: hidden frames, predicted and scored; or time and memory by stage (`speed=true`)."""

from __future__ import annotations

import sys
from pathlib import Path

from rib.benchmark.settings import BenchmarkSettings
from rib.benchmark.speed.settings import SpeedBenchmarkSettings
from rib.config.app import run_verb
from rib.config.exit_codes import exit_code


def task(config: BenchmarkSettings) -> None:
    """Score the methods, print the table and say where the files lie."""
    from rib.benchmark.run import run_benchmark
    from rib.benchmark.table import print_benchmark_table

    print_benchmark_table(run_benchmark(config))
    print(f"what it looks like: {Path(config.output) / 'contact_sheet.png'}")


def speed_task(config: SpeedBenchmarkSettings) -> None:
    """Measure, tell the totals and say where the files lie."""
    from rib.benchmark.speed.run import run_speed_benchmark, speed_in_words

    for line in speed_in_words(run_speed_benchmark(config)):
        print(line)
    print(f"by stage: {Path(config.output) / 'speed.csv'}")


def command(arguments: list[str]) -> None:
    """Entry point for `rib benchmark`."""
    words = ("speed=true", "speed=false")
    chosen = [argument for argument in arguments if argument in words]
    others = [argument for argument in arguments if argument not in words]
    if chosen[-1:] == ["speed=true"]:
        run_verb("benchmark_speed", speed_task, others)
    else:
        run_verb("benchmark", task, others)


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
