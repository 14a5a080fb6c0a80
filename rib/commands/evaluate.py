"""`rib evaluate`: weights scored on data that they were not trained on; `data=` says which kind."""

from __future__ import annotations

import sys

from rib.config.app import Task, run_verb
from rib.config.exit_codes import exit_code
from rib.evaluation.settings import ClipEvaluationSettings
from rib.io.errors import RibError
from rib.motion.evaluation.settings import MotionEvaluationSettings
from rib.pipeline.progress import progress_bar


def score_motion(config: MotionEvaluationSettings) -> None:
    """Score motion weights and the splines beside them, print the tables, and say where the files lie."""
    from rib.engine.checkpoints import describe_training_data
    from rib.io.results.result import write_result_whole
    from rib.motion.evaluation import report, scoring, show

    methods, sequences = scoring.motion_methods(config), scoring.held_out_motion_sequences(config)
    count = len(sequences) * len(config.strides) * len(scoring.corruption_conditions(config))
    print(f"{len(sequences)} sequences of {len({s.clip for s in sequences})} recordings")
    print(f"weights {describe_training_data(config.ckpt)}")
    with write_result_whole(to := report.motion_evaluation_destination(config, sequences[0].clip)) as work:
        rows = [
            scoring.motion_error_row(name, trial, trial.answer(method))
            for trial in progress_bar(scoring.motion_trials(sequences, config), count, "scoring")
            for name, method in methods.items()
        ]
        report.write_motion_evaluation(work, rows, config.plain())
        if config.skeletons:
            show.write_motion_evaluation_video(methods, sequences, config, work)
    report.print_motion_tables(rows)
    print(f"written: {', '.join(str(to.output / part.name) for part in to.parts)}")


def score_clips(config: ClipEvaluationSettings) -> None:
    """Score a renderer on clips."""
    from rib.evaluation.checkpoint_on_clips import evaluate_checkpoint_on_clips

    print(evaluate_checkpoint_on_clips(config, progress_bar))


MOTION, CLIPS = ("evaluate", score_motion), ("evaluate_humanslomo", score_clips)
KINDS: dict[str, tuple[str, Task]] = {"mocap": MOTION, "amass": MOTION, "humanslomo": CLIPS}
"""The root config of each kind of data and what is done with it; motion capture where none is named."""


def command(arguments: list[str]) -> None:
    """Entry point for `rib evaluate`."""
    named = [word for word in arguments if word.startswith("data=")]
    kind = ["mocap", *named][-1].removeprefix("data=")
    if kind not in KINDS:
        raise RibError(f"nothing is scored on data={kind}", f"choose one of: {', '.join(KINDS)}")
    run_verb(*KINDS[kind], [argument for argument in arguments if argument not in named])


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
