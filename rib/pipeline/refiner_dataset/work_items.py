"""Work items of the refiner dataset: one video at one stride, rendered into a file, whole or absent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import torch

from rib.io.cache import cache_key, file_state
from rib.io.errors import RibError
from rib.io.preparation.work_items import WorkItem
from rib.pipeline.chain import Chain
from rib.pipeline.refiner_dataset.moving_camera import STILL, MovingCamera
from rib.pipeline.refiner_dataset.samples import render_refiner_samples
from rib.render.refine.dataset import FORMAT, RefinerSample, write_refiner_samples
from rib.video import FrameSource, open_frame_source, subclip

VERSION = 2


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


def describe_refiner_item(
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
