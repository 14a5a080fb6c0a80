"""Poses in, poses at a higher frame rate out; no picture is looked at."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from rib.io.cache import cache_key
from rib.io.errors import RibError
from rib.io.files.regular import kind_of_file
from rib.io.recipe import build_recipe
from rib.io.results.result import (
    ResultDestination,
    ResultPart,
    is_result_finished,
    refuse_finished_result,
    refuse_foreign_files,
    refuse_output_touching_input,
    write_result_whole,
)
from rib.io.settings.paths import paths_read_by_command
from rib.keypoint_files import read_people_keypoints, write_openpose_json
from rib.pipeline.settings import UpsampleSettings
from rib.pipeline.timeline import constant_rate_timeline, target_output_fps
from rib.pose.files import follow_people_of_files
from rib.structures.keypoints import PoseSequence
from rib.video import exact_fps
from rib.video.reading.sequence import in_numeric_order, missing_numbers

ASSUMED_FPS = 30.0
"""The frame rate of keypoints whose rate nobody told."""

FOLDERS = {
    "rib": {"motion": "{name}"},
    "reference": {"motion": "Predict_motion/{name}", "linear": "Linear_motion/{name}"},
}
"""Which stage writes where, by layout."""


@dataclass(frozen=True)
class UpsampledPoses:
    """One clip's poses at the higher rate.

    Attributes:
        name: The clip's.
        given: Moments read.
        poses: What was written, or None where that was done before.
        folders: Where.
        notes: What may be wrong with the files, in sentences.
    """

    name: str
    given: int
    poses: PoseSequence | None
    folders: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def upsample_poses(config: UpsampleSettings) -> Iterator[UpsampledPoses]:
    """Up-sample a folder of keypoint files, or every such folder inside a folder.

    Each clip's result appears whole before the next clip is read. Clips that are done with these very
    settings are not done again, unless all are: then that is told.

    Args:
        config: Of conf/upsample.yaml.

    Raises:
        RibError: A mistake in the settings or in a clip, which the line names.
    """
    given_fps = exact_fps(config.input_fps or ASSUMED_FPS)
    fps = target_output_fps(given_fps, config.rate, config.fps)
    folders = FOLDERS[config.layout]
    recipes = {"motion": config.motion, "linear": config.linear}
    stages = {stage: build_recipe(recipes[stage]) for stage in folders}
    tracker = build_recipe(config.tracker)
    for name, path, to in _destinations(config, folders.values()):
        where = tuple(to.output / part.name for part in to.parts)
        if not to.overwrite and is_result_finished(to.output, to.key, to.made_from):
            yield UpsampledPoses(name, 0, None, where)
            continue
        poses = _person(path, given_fps, config.keypoints, tracker)
        times_s = constant_rate_timeline(poses.times_s, fps).times_s
        with write_result_whole(to) as work:
            for stage, folder in folders.items():
                dense = stages[stage](poses, times_s)
                write_openpose_json(dense, work / folder.format(name=name))
                if stage == "motion":
                    result = dense
        yield UpsampledPoses(name, len(poses), result, where, tuple(_notes(path, poses)))


def _notes(path: Path, poses: PoseSequence) -> list[str]:
    """What is taken as it is and may not be meant: files that are missing, and nobody in any."""
    files = in_numeric_order(path.glob("*.json")) if path.is_dir() else []
    nobody = [] if poses.present.any() else ["no person is in any of the files"]
    return missing_numbers(files, "file") + nobody


def _destinations(
    config: UpsampleSettings, folders: Iterable[str]
) -> list[tuple[str, Path, ResultDestination]]:
    """Every clip with its name and where its poses go; what is in the way is told before any is read."""
    output, reads = Path(config.output).expanduser(), paths_read_by_command(config)
    found = []
    for path in clips_to_upsample(Path(config.input).expanduser()):
        name = upsampled_clip_name(path)
        parts = [ResultPart(folder.format(name=name), (".json",)) for folder in folders]
        overwrite, made_from = config.overwrite, _made_from(config, path)
        # a file and a folder of one name are two clips, and neither replaces what came of the other
        key = f"upsample-{name if path.is_dir() else path.name}"
        to = ResultDestination(output, key, parts, reads, overwrite, made_from)
        refuse_output_touching_input(to)
        refuse_foreign_files(to)
        if not is_result_finished(output, to.key, made_from):
            refuse_finished_result(to)
        found.append((name, path, to))
    if all(is_result_finished(output, to.key) for _, _, to in found):
        refuse_finished_result(found[0][2])
    return found


def _made_from(config: UpsampleSettings, path: Path) -> str:
    """Settings and input of a clip as a short text."""
    elsewhere = ("output", "overwrite", "device", "input")
    settings = {key: value for key, value in config.plain().items() if key not in elsewhere}
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    stats = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return cache_key((json.dumps(settings, sort_keys=True, default=str), path.is_dir(), stats))


def upsampled_clip_name(path: Path) -> str:
    """Name a clip's poses: the folder's whole name, or the file's without its suffix."""
    return path.absolute().name if path.is_dir() else path.stem


def clips_to_upsample(path: Path) -> list[Path]:
    """The clips at a path: itself, or every folder in it that holds JSON.

    Raises:
        RibError: There is none.
    """
    kind, remedy = kind_of_file(path), "name a folder of JSON files, or of such folders"
    files = (
        [file for file in path.glob("*.json") if not file.name.startswith(".")] if kind == "a folder" else []
    )
    if files:
        _refuse_twice(path, files)
    if kind == "a file" or files:
        return [path]
    if kind != "a folder":
        raise RibError(f"input {path} {f'is {kind}' if kind else 'does not exist'}", remedy)
    found = sorted(
        folder
        for folder in path.iterdir()
        if not folder.name.startswith(".") and folder.is_dir() and any(folder.glob("*.json"))
    )
    if not found:
        raise RibError(f"{path} holds no .json file and no folder of them", "name a folder of keypoint files")
    return found


def _refuse_twice(path: Path, files: Sequence[Path]) -> None:
    """Refuse a JSON file beside a folder of its name: one of them would be left out without a word."""
    for file in files:
        if file.with_suffix("").is_dir() and any(file.with_suffix("").glob("*.json")):
            raise RibError(
                f"{path} holds both {file.name} and a folder {file.stem}/: their poses would be called alike",
                f"name one of them: input={file}",
            )


def _person(path: Path, fps: Fraction, layout: str, tracker: Any) -> PoseSequence:
    people = read_people_keypoints(path, layout).aligned()
    people.check_fits()
    if len(people) < 2:
        raise RibError(f"{path} holds poses of {len(people)} frame, but at least two are needed")
    return follow_people_of_files(people, fps, tracker)
