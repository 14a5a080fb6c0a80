"""Work items of HumanSlomo: a clip of a list, or a video without one, as a small store, whole or absent.

An item is called by a hash of everything it depends on, so that a run that was stopped goes on where it was.
One that cannot be made leaves a note with the reason instead, and is tried again next time.
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

from rib.clips.write import StoredClip, write_clip_store
from rib.datasets.humanslomo.find import ClipCriteria, find_clips_in_video, frames_of_found_clips
from rib.datasets.humanslomo.footage import Footage, FootageCrop
from rib.datasets.humanslomo.lists import ListedClip, listed_frame_number
from rib.datasets.humanslomo.make import (
    HumanSlomoStages,
    find_person_in_humanslomo_clip,
    humanslomo_test_clip,
    humanslomo_training_clips,
)
from rib.io.cache import cache_key, file_state
from rib.io.errors import RibError
from rib.io.preparation.work_items import WorkItem
from rib.video import ArraySource, VideoSource
from rib.video.cuts import find_scene_cuts

PART_VERSION = 1


@dataclass(frozen=True)
class ClipItemSettings:
    """Settings under which work items are made.

    Attributes:
        stages: Recipes of `pose`, `mask` and `background`.
        strides: Training clips are kept at every n-th frame, for each n.
        finding: What makes a clip where no list says it.
        threads: Threads of each process, or None to leave that as it is.
    """

    stages: Mapping[str, Mapping[str, Any]]
    strides: tuple[int, ...]
    finding: ClipCriteria
    threads: int | None


@dataclass(frozen=True)
class ClipItem(WorkItem):
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
    crop: FootageCrop
    fps: float | None


def describe_clip_item(
    folder: Path, settings: ClipItemSettings, footage: Footage, crop: FootageCrop,
    clip: ListedClip | None = None, given: tuple[str, ...] | None = None, fps: float | None = None,
) -> ClipItem:  # fmt: skip
    """Describe an item, called by what it depends on: the footage's stat, the list, the settings."""
    name = clip.name if clip else footage.path.stem
    content = (
        PART_VERSION, *file_state(footage.path), clip, given, crop, fps,
        json.dumps(settings.stages, sort_keys=True), settings.strides, repr(settings.finding),
    )  # fmt: skip
    key = cache_key(content)
    return ClipItem(name, folder, key, footage, clip, given, crop, fps)


def prepare_clip_item(item: ClipItem, settings: ClipItemSettings) -> str | None:
    """Make an item unless it is there.

    Returns:
        Why it was skipped, or None.
    """
    return item.make(lambda path: write_clip_store(path, _clips(item, settings)))


def _clips(item: ClipItem, settings: ClipItemSettings) -> Iterator[StoredClip]:
    stages = _stages(json.dumps(settings.stages, sort_keys=True), settings.threads)
    if item.clip is None:
        yield from _found(item, settings, stages)
        return
    seen = find_person_in_humanslomo_clip(
        item.name, item.footage.clip(item.clip.frames, item.crop, item.fps), stages
    )
    if item.given is None:
        made = list(humanslomo_training_clips(seen, stages, settings.strides, shortest=3))
        if not made:
            raise RibError(f"{len(seen.frames)} frames are too few to train on")
        yield from made
        return
    numbers = {listed_frame_number(name): place for place, name in enumerate(item.clip.frames)}
    missing = [name for name in item.given if listed_frame_number(name) not in numbers]
    if missing:
        raise RibError(f"the frame {missing[0]} is given to the test, but is none of the clip's")
    yield humanslomo_test_clip(seen, stages, [numbers[listed_frame_number(name)] for name in item.given])


def _found(item: ClipItem, settings: ClipItemSettings, stages: HumanSlomoStages) -> Iterator[StoredClip]:
    """Every clip of a whole video; they are called by its name and their first frame."""
    video = VideoSource(item.footage.path)
    cuts = find_scene_cuts(video, **settings.finding.cuts)
    poses = stages.pose(video, cuts)
    found = find_clips_in_video(poses, cuts, settings.finding)
    if not found:
        raise RibError(
            f"nobody is followed for {settings.finding.shortest} frames of it "
            f"({int(poses.present.sum())} of {len(video)} show a person)"
        )
    for clip, frames in frames_of_found_clips(video, found):
        name = f"{item.name}_{clip.first:06d}"
        own = clip.poses(poses)
        seen = find_person_in_humanslomo_clip(name, ArraySource(frames, times_s=own.times_s), stages, own)
        yield from humanslomo_training_clips(seen, stages, settings.strides, settings.finding.shortest)


@cache
def _stages(recipes: str, threads: int | None) -> HumanSlomoStages:
    """Built once in a process."""
    if threads is not None:
        torch.set_num_threads(threads)
        cv2.setNumThreads(threads)
    return HumanSlomoStages.from_recipes(json.loads(recipes))
