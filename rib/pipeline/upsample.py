"""Poses in, poses at a higher frame rate out; no picture is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from rib.io.errors import RibError
from rib.io.recipe import build
from rib.io.regular_files import kind_of
from rib.keypoint_files import read_people, write_openpose
from rib.pipeline.outputs import appear_whole
from rib.pipeline.times import target_fps, timeline
from rib.pose.files import detections
from rib.structures.keypoints import PoseSequence
from rib.video import exact_fps

ASSUMED_FPS = 30.0
"""The frame rate of keypoints whose rate nobody told."""

FOLDERS = {
    "rib": {"motion": "{name}"},
    "reference": {"motion": "Predict_motion/{name}", "linear": "Linear_motion/{name}"},
}
"""Which stage writes where, by layout."""


@dataclass(frozen=True)
class Upsampled:
    """One clip's poses at the higher rate.

    Attributes:
        name: The clip's.
        given: Moments read.
        poses: What was written.
        folders: Where.
    """

    name: str
    given: int
    poses: PoseSequence
    folders: tuple[Path, ...]


def upsample(config: Mapping[str, Any]) -> Iterator[Upsampled]:
    """Up-sample a folder of keypoint files, or every such folder inside a folder.

    Each clip's result appears whole before the next clip is read.

    Args:
        config: conf/upsample.yaml, composed to a plain dict.

    Raises:
        RibError: A mistake in the settings or in a clip, which the line names.
    """
    if config["layout"] not in FOLDERS:
        raise RibError(f"layout={config['layout']}: no such layout", f"choose one of: {', '.join(FOLDERS)}")
    given_fps = exact_fps(config["input_fps"] or ASSUMED_FPS)
    fps = target_fps(given_fps, config["rate"], config["fps"])
    folders = FOLDERS[config["layout"]]
    stages = {stage: build(config[stage]) for stage in folders}
    tracker = build(config["tracker"])
    output = Path(config["output"]).expanduser()
    for path in clips(Path(config["input"]).expanduser()):
        poses = _person(path, given_fps, config["keypoints"], tracker)
        times_s = timeline(poses.times_s, fps).times_s
        with appear_whole(output) as work:
            for stage, folder in folders.items():
                dense = stages[stage](poses, times_s)
                write_openpose(dense, work / folder.format(name=path.stem))
                if stage == "motion":
                    result = dense
        where = tuple(output / folder.format(name=path.stem) for folder in folders.values())
        yield Upsampled(path.stem, len(poses), result, where)


def clips(path: Path) -> list[Path]:
    """The clips at a path: itself, or every folder in it that holds JSON.

    Raises:
        RibError: There is none.
    """
    kind, remedy = kind_of(path), "name a folder of JSON files, or of such folders"
    if kind == "a file" or (kind == "a folder" and any(path.glob("*.json"))):
        return [path]
    if kind != "a folder":
        raise RibError(f"input {path} {f'is {kind}' if kind else 'does not exist'}", remedy)
    found = sorted(folder for folder in path.iterdir() if folder.is_dir() and any(folder.glob("*.json")))
    if not found:
        raise RibError(f"{path} holds no .json file and no folder of them", "name a folder of keypoint files")
    return found


def _person(path: Path, fps: Fraction, layout: str, tracker: Any) -> PoseSequence:
    people = read_people(path, layout).aligned()
    people.check_fits()
    if len(people) < 2:
        raise RibError(f"{path} holds poses of {len(people)} frame, but at least two are needed")
    times_s = np.arange(len(people)) * (fps.denominator / fps.numerator)
    return tracker.follow([detections(frame) for frame in people.frames], times_s, people.extent_px())
