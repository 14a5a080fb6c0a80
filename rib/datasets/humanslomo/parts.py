"""One clip of a list, or one video without a list, becomes one part: a small store, whole or absent.

A part is called by a hash of everything it depends on, so that a run that was stopped goes on where it was. A
part that cannot be made leaves a note with the reason instead, and is tried again next time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import torch

from rib.clips.write import StoredClip, write_clips
from rib.datasets.humanslomo.find import Finding, find_clips, frames_of
from rib.datasets.humanslomo.footage import Crop, Footage
from rib.datasets.humanslomo.lists import ListedClip, frame_number
from rib.datasets.humanslomo.make import Stages, see, test_clip, training_clips
from rib.io.cache import key_of
from rib.io.errors import RibError
from rib.io.shards import Piece
from rib.video import ArraySource, VideoSource
from rib.video.cuts import find_cuts

PART_VERSION = 1


@dataclass(frozen=True)
class Making:
    """Settings under which work items are made.

    Attributes:
        stages: Recipes of `pose`, `mask` and `background`.
        strides: Training clips are kept at every n-th frame, for each n.
        finding: What makes a clip where no list says it.
        threads: Threads of each process, or None to leave that as it is.
    """

    stages: Mapping[str, Mapping[str, Any]]
    strides: tuple[int, ...]
    finding: Finding
    threads: int | None


@dataclass(frozen=True)
class Part(Piece):
    """A work item: a clip of a list, or a video without one.

    Attributes:
        footage: The video or folder of frames.
        clip: The clip's frames, or None to look for clips in the whole video.
        given: For a clip of the test: the frames that the test gives. None for training.
        crop: The part of the pictures that is kept (clips of lists).
        fps: Frames a second that a list's frame numbers count in, or None.
    """

    footage: Footage
    clip: ListedClip | None
    given: tuple[str, ...] | None
    crop: Crop
    fps: float | None


def describe(
    folder: Path, making: Making, footage: Footage, crop: Crop, clip: ListedClip | None = None,
    given: tuple[str, ...] | None = None, fps: float | None = None,
) -> Part:  # fmt: skip
    """A part, called by what it depends on: the footage's size and time of change, the list, the settings."""
    stat = footage.path.stat()
    name = clip.name if clip else footage.path.stem
    content = (
        PART_VERSION, str(footage.path), stat.st_size, stat.st_mtime_ns, clip, given, crop, fps,
        json.dumps(making.stages, sort_keys=True), making.strides, repr(making.finding),
    )  # fmt: skip
    key = key_of(content)
    return Part(name, folder, key, footage, clip, given, crop, fps)


def prepare_part(part: Part, making: Making) -> str | None:
    """Make a part unless it is there.

    Returns:
        Why it was skipped, or None.
    """
    return part.make(lambda path: write_clips(path, _clips(part, making)))


def _clips(part: Part, making: Making) -> Iterator[StoredClip]:
    stages = _stages(json.dumps(making.stages, sort_keys=True), making.threads)
    if part.clip is None:
        yield from _found(part, making, stages)
        return
    seen = see(part.name, part.footage.clip(part.clip.frames, part.crop, part.fps), stages)
    if part.given is None:
        made = list(training_clips(seen, stages, making.strides, shortest=3))
        if not made:
            raise RibError(f"{len(seen.frames)} frames are too few to train on")
        yield from made
        return
    numbers = {frame_number(name): place for place, name in enumerate(part.clip.frames)}
    missing = [name for name in part.given if frame_number(name) not in numbers]
    if missing:
        raise RibError(f"the frame {missing[0]} is given to the test, but is none of the clip's")
    yield test_clip(seen, stages, [numbers[frame_number(name)] for name in part.given])


def _found(part: Part, making: Making, stages: Stages) -> Iterator[StoredClip]:
    """Every clip of a whole video; they are called by its name and their first frame."""
    video = VideoSource(part.footage.path)
    cuts = find_cuts(video, **making.finding.cuts)
    poses = stages.pose(video, cuts)
    found = find_clips(poses, cuts, making.finding)
    if not found:
        raise RibError(
            f"nobody is followed for {making.finding.shortest} frames of it "
            f"({int(poses.present.sum())} of {len(video)} show a person)"
        )
    for clip, frames in frames_of(video, found):
        name = f"{part.name}_{clip.first:06d}"
        own = clip.poses(poses)
        seen = see(name, ArraySource(frames, times_s=own.times_s), stages, own)
        yield from training_clips(seen, stages, making.strides, making.finding.shortest)


@cache
def _stages(recipes: str, threads: int | None) -> Stages:
    """Built once in a process."""
    if threads is not None:
        torch.set_num_threads(threads)
        cv2.setNumThreads(threads)
    return Stages.from_recipes(json.loads(recipes))
