"""`rib prepare data=refiner`: the refiner dataset of a folder of videos, in parallel and resumable."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from rib.io.errors import RibError
from rib.io.preparation.work_items import PreparationReport, Progress, prepare_work_items
from rib.io.settings.ranges import Count, FrameRate, ListSize, OneOf, Positive, Range, Shard, Whole
from rib.pipeline.refiner_dataset.moving_camera import CAMERAS
from rib.pipeline.refiner_dataset.videos import choose_videos, strides_of_video
from rib.pipeline.refiner_dataset.work_items import (
    RefinerDatasetItem,
    RefinerDatasetSettings,
    describe_refiner_item,
    render_refiner_item,
)
from rib.render.refine.dataset import add_refiner_clips, refiner_clips_in_file


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
    folder = store.with_name(f"{store.name}.parts")
    held = refiner_clips_in_file(store)
    threads = max(1, (os.cpu_count() or 1) // workers) if workers > 1 else None
    settings = RefinerDatasetSettings(
        chain, input_fps, height_px, max_frames, max_intervals, max_moments, max_people, threads
    )
    typed = None if strides is None else _numbers("strides", strides, 2)
    items = [
        describe_refiner_item(folder, settings, path, stride, offset, camera)
        for path in choose_videos(Path(videos).expanduser().absolute(), clips)
        for stride in typed or strides_of_video(path, keyframe_rates, input_fps)
        for offset in _numbers("offsets", offsets, 0)
        for camera in dict.fromkeys(cameras)
    ]
    lacking = [item for item in items if held.get(item.name) not in ("", item.key)]
    report = prepare_work_items(
        store,
        lacking,
        partial(render_refiner_item, settings=settings),
        partial(_put_together, store),
        workers,
        shard,
        progress,
    )
    return replace(report, reused=report.reused + len(items) - len(lacking))


def _numbers(name: str, numbers: Sequence[int], least: int) -> Sequence[int]:
    if not numbers or min(numbers) < least:
        raise RibError(
            f"data.prepare.{name}={list(numbers)}: expected whole numbers from {least} on",
            f"type data.prepare.{name}=[{least + 2}]",
        )
    return numbers


def _put_together(store: Path, done: Sequence[RefinerDatasetItem], skipped: Mapping[str, str]) -> None:
    if done:
        add_refiner_clips(store, [item.done for item in done])
    elif not store.is_file():
        name, reason = next(iter(skipped.items()))
        raise RibError(f"no video could be rendered; the first of {len(skipped)}, {name}: {reason}")
