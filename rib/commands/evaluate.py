"""`rib evaluate`: weights scored on data that they were not trained on; `data=` says which kind."""

from __future__ import annotations

import sys
from typing import Any

from rib.config.app import exit_code, run
from rib.io.errors import RibError


def score_motion(config: dict[str, Any]) -> None:
    """Score motion weights and the splines beside them, print the tables, and say where the files lie."""
    from rib.io.results import whole_result
    from rib.motion.evaluation import report as evaluation_report
    from rib.motion.evaluation import scoring as evaluation
    from rib.motion.evaluation.show import write_video
    from rib.pipeline.watch import bar

    methods, sequences = evaluation.methods(config), evaluation.held_out(config)
    count = len(sequences) * len(config["strides"]) * len(evaluation.conditions(config))
    print(f"{len(sequences)} sequences of {len({s.clip for s in sequences})} recordings")
    with whole_result(to := evaluation_report.destination(config, sequences[0].clip)) as work:
        rows = [
            evaluation.row(name, trial, trial.answer(method))
            for trial in bar(evaluation.trials(sequences, config), count, "scoring")
            for name, method in methods.items()
        ]
        evaluation_report.write(work, rows, config)
        if config["skeletons"]:
            write_video(methods, sequences, {**config, "output": str(work)})
    evaluation_report.print_tables(rows)
    print(f"written: {', '.join(str(to.output / part.name) for part in to.parts)}")


def score_clips(config: dict[str, Any]) -> None:
    """Score a renderer on clips."""
    from rib.evaluation.checkpoint_on_clips import evaluate_clips
    from rib.pipeline.watch import bar

    print(evaluate_clips(config, bar))


MOTION, CLIPS = ("evaluate", score_motion), ("evaluate_humanslomo", score_clips)
KINDS = {"mocap": MOTION, "amass": MOTION, "humanslomo": CLIPS}
"""The root config of each kind of data and what is done with it; motion capture where none is named."""


def command(arguments: list[str]) -> None:
    """Entry point for `rib evaluate`."""
    named = [argument for argument in arguments if argument.startswith("data=")]
    kind = named[-1].removeprefix("data=") if named else "mocap"
    if kind not in KINDS:
        raise RibError(f"nothing is scored on data={kind}", f"choose one of: {', '.join(KINDS)}")
    root, task = KINDS[kind]
    run(root, task, [argument for argument in arguments if argument not in named])


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
