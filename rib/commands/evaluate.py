"""`rib evaluate`: motion weights and the splines beside them, scored on held-out motion capture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rib.config.app import exit_code, run


def task(config: dict[str, Any]) -> None:
    """Score, print the tables, and say where the files lie."""
    from rib.motion import evaluation, evaluation_report
    from rib.motion.show import write_video
    from rib.pipeline.watch import bar

    methods, sequences = evaluation.methods(config), evaluation.held_out(config)
    count = len(sequences) * len(config["strides"]) * len(evaluation.conditions(config))
    print(f"{len(sequences)} sequences of {len({s.clip for s in sequences})} recordings")
    rows = [
        evaluation.row(name, trial, trial.answer(method))
        for trial in bar(evaluation.trials(sequences, config), count, "scoring")
        for name, method in methods.items()
    ]
    output = Path(config["output"]).expanduser()
    evaluation_report.print_tables(rows)
    evaluation_report.write(output, rows, config)
    print(f"every number: {output / 'evaluation.json'}, {output / 'evaluation.csv'}")
    if config["skeletons"]:
        print(f"skeletons: {write_video(methods, sequences, config)}")


def command(arguments: list[str]) -> None:
    """Entry point for `rib evaluate`."""
    run("evaluate", task, arguments)


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
