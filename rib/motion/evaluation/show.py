"""One sequence of an evaluation as skeletons: truth, net and spline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rib.io.errors import RibError
from rib.io.recipe import did_you_mean
from rib.motion.evaluation.protocol import MotionTestSequence as Motion
from rib.motion.evaluation.scoring import Method, corruption_conditions, motion_trials
from rib.motion.evaluation.settings import MotionEvaluationSettings
from rib.motion.evaluation.skeleton_video import write_motion_video


def write_motion_evaluation_video(
    methods: Mapping[str, Method], sequences: Sequence[Motion], config: MotionEvaluationSettings, folder: Path
) -> Path:
    """Write what `config.show` asks for into a folder; returns the file.

    Raises:
        RibError: There is no such recording, condition or spline.
    """
    show = config.show
    clip = show.clip or sequences[0].clip
    _known("show.clip", clip, [sequence.clip for sequence in sequences])
    _known("show.condition", show.condition, [condition.name for condition in corruption_conditions(config)])
    _known("show.baseline", show.baseline, list(methods))
    first = next(sequence for sequence in sequences if sequence.clip == clip)
    chosen = replace(config, strides=[show.stride])
    trial = next(t for t in motion_trials([first], chosen) if t.condition.name == show.condition)
    panels = {
        "truth": first.joints_px,
        "net": trial.answer(methods["net"]),
        show.baseline: trial.answer(methods[show.baseline]),
    }
    path = folder / f"{Path(clip).name}.{show.format}"
    write_motion_video(path, panels, show.stride, show.size_px, show.codec, show.crf)
    return path


def _known(key: str, word: str, choices: list[str]) -> None:
    if word not in choices:
        raise RibError(f"{key}={word}: there is none", did_you_mean(word, sorted(set(choices))))
