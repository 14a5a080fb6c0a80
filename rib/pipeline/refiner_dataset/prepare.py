"""`rib prepare data=refiner`: the refiner dataset of a folder of videos, in parallel and resumable."""

from __future__ import annotations

import fnmatch
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import cv2
import torch

from rib.datasets.humanslomo.footage import VIDEO_SUFFIXES
from rib.io.cache import cache_key, file_state
from rib.io.errors import RibError
from rib.io.files.whole import write_text_whole
from rib.io.preparation.work_items import (
    PreparationReport,
    Progress,
    WorkItem,
    items_of_shard,
    work_item_results,
)
from rib.io.settings.ranges import Count, FrameRate, ListSize, OneOf, Positive, Range, Shard, Whole
from rib.pipeline.chain import Chain
from rib.pipeline.refiner_dataset.moving_camera import CAMERAS, STILL, MovingCamera
from rib.pipeline.refiner_dataset.samples import render_refiner_samples
from rib.render.refine.dataset import (
    FORMAT,
    RefinerSample,
    add_refiner_clips,
    refiner_clips_in_file,
    write_refiner_samples,
)
from rib.video import FrameSource, open_frame_source, subclip
from rib.video.reading.pictures import SUFFIXES

VERSION = 2
SLOWEST_FPS = 3.5
"""Strides that leave fewer keyframes a second are not taken by themselves."""
UNREADABLE = 4
"""The stride under which a video that cannot be read is told of."""


@dataclass(frozen=True)
class RefinerDatasetItem(WorkItem):
    """One video at one stride, from one frame on.

    Attributes:
        path: The video or folder of frames.
        stride: Every so many frames is a keyframe.
        offset: Frames left out at the start.
        camera: See `rib.pipeline.refiner_dataset.moving_camera`.
    """

    path: Path
    stride: int
    offset: int
    camera: str = STILL


@dataclass(frozen=True)
class RefinerDatasetSettings:
    """Settings under which samples are made.

    Attributes:
        chain: Recipes and settings of the chain.
        input_fps: Frames a second of folders of frames.
        height_px: Higher pictures are shrunk to this; None keeps them.
        max_frames: Frames that are used of a video, from its middle; None takes all.
        max_intervals: See `render_refiner_samples`.
        max_moments: See `render_refiner_samples`.
        max_people: See `render_refiner_samples`.
        threads: Threads of each process, or None to leave that as it is.
    """

    chain: Mapping[str, Any]
    input_fps: float | str | None
    height_px: int | None
    max_frames: int | None
    max_intervals: int | None
    max_moments: int
    max_people: int | None
    threads: int | None


def prepare_refiner_dataset(
    videos: str,
    output: str,
    input_fps: FrameRate | None,
    clips: Sequence[str],
    strides: Annotated[Sequence[Annotated[int, Range(2, 10_000)]], ListSize(1, 100)] | None,
    keyframe_rates: Annotated[Sequence[Positive], ListSize(1, 100)],
    offsets: Annotated[Sequence[Whole], ListSize(1, 100)],
    cameras: Annotated[Sequence[Annotated[str, OneOf(*CAMERAS)]], ListSize(1, 3)],
    height_px: Annotated[int, Range(16, 16384)] | None,
    max_frames: Annotated[int, Range(3, 10**9)] | None,
    max_intervals: Count | None,
    max_moments: Count,
    max_people: Count | None,
    chain: Mapping[str, Any],
    workers: Annotated[int, Range(1, 256)],
    shard: Shard,
    progress: Progress | None = None,
) -> PreparationReport:
    """Render the hidden frames of videos and store them beside the truth as `<video>_s<stride>_o<offset>`.

    Clips of a camera that moves have its word behind that: `<video>_s<stride>_o<offset>_pan`.

    What a file holds already stays; a name that was made with other settings is made anew.

    Args:
        videos: A folder of videos and of folders of frames, or one of these.
        output: The HDF5 to write or to add to; `<output>.parts/` beside it holds the work and may be deleted
            when all is done.
        input_fps: Frames a second of folders of frames; None takes 30.
        clips: Names or patterns of the videos; none takes all.
        strides: Every n-th frame is a keyframe, for each n; None takes those that `keyframe_rates` ask for.
        keyframe_rates: Keyframes a second that a video is left, by the nearest stride; those that would
            leave fewer than `SLOWEST_FPS` are passed over.
        offsets: Frames left out at the start, for each of these.
        cameras: As the camera stood, and as one would see that pans or zooms over the video: a clip each.
        height_px: Higher videos are shrunk to this height; None keeps theirs.
        max_frames: At most so many frames of a video, from its middle; None takes all.
        max_intervals: At most so many intervals of a video and stride; None keeps all.
        max_moments: At most so many hidden frames of an interval.
        max_people: At most so many people of an interval; None takes all.
        chain: Settings of the chain, with `render=gan`.
        workers: Processes; each does one video at one stride at a time.
        shard: "i/n": this run makes every n-th of them, from the i-th; "0/1" makes all.
        progress: Called after each.

    Raises:
        RibError: A mistake in the settings, nothing that could be rendered, or a file of another kind in the
            output's place.
    """
    store = Path(output).expanduser().absolute()
    held = refiner_clips_in_file(store)
    threads = max(1, (os.cpu_count() or 1) // workers) if workers > 1 else None
    settings = RefinerDatasetSettings(
        chain, input_fps, height_px, max_frames, max_intervals, max_moments, max_people, threads
    )
    items = [
        _describe(store.with_name(f"{store.name}.parts"), settings, path, stride, offset, camera)
        for path in _chosen(Path(videos).expanduser().absolute(), clips)
        for stride in _strides(path, strides, keyframe_rates, input_fps)
        for offset in _numbers("offsets", offsets, 0)
        for camera in dict.fromkeys(cameras)
    ]
    lacking = [item for item in items if held.get(item.name) not in ("", item.key)]
    return _run(lacking, len(items) - len(lacking), settings, store, workers, shard, progress)


def _chosen(videos: Path, clips: Sequence[str]) -> list[Path]:
    """The videos and folders of frames that are named.

    Raises:
        RibError: There is none, or two have one name.
    """
    found = _all(videos)
    chosen = [p for p in found if not clips or any(fnmatch.fnmatchcase(p.stem, clip) for clip in clips)]
    if found and not chosen:
        names = ", ".join(path.stem for path in found[:10])
        raise RibError(f"no video is called {', '.join(clips)}", f"there are {names}")
    if not videos.exists():
        raise RibError(f"{videos} does not exist", "name a folder of videos: data.prepare.videos=")
    if not found:
        raise RibError(
            f"{videos} holds no video ({', '.join(VIDEO_SUFFIXES)}) and no folder of pictures",
            "name a folder of videos: data.prepare.videos=",
        )
    if len({path.stem for path in chosen}) < len(chosen):
        raise RibError(f"two of the videos in {videos} have the same name without suffix", "rename one")
    return chosen


def _all(videos: Path) -> list[Path]:
    if videos.is_file() or _holds_pictures(videos):
        return [videos]
    return sorted(p for p in videos.glob("*") if p.suffix.lower() in VIDEO_SUFFIXES or _holds_pictures(p))


def _holds_pictures(path: Path) -> bool:
    return path.is_dir() and any(p.suffix.lower() in SUFFIXES for p in path.iterdir())


def _numbers(name: str, numbers: Sequence[int], least: int) -> Sequence[int]:
    if not numbers or min(numbers) < least:
        raise RibError(
            f"data.prepare.{name}={list(numbers)}: expected whole numbers from {least} on",
            f"type data.prepare.{name}=[{least + 2}]",
        )
    return numbers


def _strides(
    path: Path, strides: Sequence[int] | None, rates: Sequence[float], input_fps: float | str | None
) -> Sequence[int]:
    """The strides that are typed, or those of a video that are nearest to the rates."""
    if strides is not None:
        return _numbers("strides", strides, 2)
    try:
        fps = float(open_frame_source(path, input_fps if path.is_dir() else None).fps)
    except RibError:  # its item says why
        return [UNREADABLE]
    return strides_for_keyframe_rates(fps, rates)


def strides_for_keyframe_rates(fps: float, rates: Sequence[float]) -> list[int]:
    """The strides that leave a video of `fps` frames a second nearest to so many keyframes, from 2 on."""
    found = sorted({max(2, round(fps / rate)) for rate in rates})
    return [stride for stride in found if fps / stride >= SLOWEST_FPS] or [2]


def _describe(
    folder: Path, settings: RefinerDatasetSettings, path: Path, stride: int, offset: int, camera: str
) -> RefinerDatasetItem:
    """Describe an item, called by what it depends on: the footage's stat, and the settings."""
    plain = {key: value for key, value in asdict(settings).items() if key != "threads"}
    content = (VERSION, FORMAT, *file_state(path), stride, offset, camera, json.dumps(plain, sort_keys=True))
    name = f"{path.stem}_s{stride}_o{offset}" + ("" if camera == STILL else f"_{camera}")
    return RefinerDatasetItem(name, folder, cache_key(content), path, stride, offset, camera)


def render_refiner_item(item: RefinerDatasetItem, settings: RefinerDatasetSettings) -> str | None:
    """Make one item unless it is there; why it was skipped, or None."""
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
        cv2.setNumThreads(settings.threads)
    return item.make(
        lambda path: write_refiner_samples(path, {item.name: _samples(item, settings)}, item.key)
    )


def _samples(item: RefinerDatasetItem, settings: RefinerDatasetSettings) -> Iterator[RefinerSample]:
    source = _footage(item.path, item.offset, settings, item.camera)
    chain = Chain.from_config(settings.chain)
    num = 0
    for sample in render_refiner_samples(
        chain, source, item.stride, settings.max_intervals, settings.max_moments, settings.max_people
    ):
        num += 1
        yield sample
    if not num:
        raise RibError("no bone of the person is seen in two keyframes that follow one another")


def _footage(path: Path, offset: int, settings: RefinerDatasetSettings, camera: str = STILL) -> FrameSource:
    fps = settings.input_fps if path.is_dir() else None
    whole = open_frame_source(path, fps, max_mpx=settings.chain.get("max_mpx"))
    first, count = offset, None
    if settings.max_frames is not None and len(whole) - offset > settings.max_frames:
        first, count = offset + (len(whole) - offset - settings.max_frames) // 2, settings.max_frames
    width, height = whole.size_px
    height_px = min(height, settings.height_px or height)
    if camera != STILL:
        return MovingCamera(subclip(whole, first, count), camera, height_px)
    size = None if height_px == height else (round(width * height_px / height), height_px)
    return subclip(whole, first, count, None, size)


def _run(
    items: list[RefinerDatasetItem], held: int, settings: RefinerDatasetSettings, store: Path, workers: int,
    shard: str, progress: Progress | None,
) -> PreparationReport:  # fmt: skip
    """Make this shard's part of what the store lacks, and put all together once nothing waits."""
    mine = items_of_shard(items, shard)
    before = {item.key for item in mine if item.is_done}
    for number, (item, _) in enumerate(
        work_item_results(mine, partial(render_refiner_item, settings=settings), workers), start=1
    ):
        if progress is not None:
            progress(number, len(mine), item.name)
    done = [item for item in items if item.is_done]
    skipped = {p.name: p.reason for p in items if p.reason is not None}
    waiting = len(items) - len(done) - len(skipped)
    if not waiting:
        _put_together(done, skipped, store)
    made = sum(item.is_done and item.key not in before for item in mine)
    return PreparationReport(None if waiting else store, made, held + len(before), skipped, waiting)


def _put_together(done: list[RefinerDatasetItem], skipped: Mapping[str, str], store: Path) -> None:
    write_text_whole(store.with_name(f"{store.name}.skipped.json"), json.dumps(skipped, indent=2))
    if done:
        add_refiner_clips(store, [item.done for item in done])
    elif not store.is_file():
        name, reason = next(iter(skipped.items()))
        raise RibError(f"no video could be rendered; the first of {len(skipped)}, {name}: {reason}")
