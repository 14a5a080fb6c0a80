"""The small video inside the page: the input, held at its own frame rate, beside the result.

Both stand in one video, so that whatever a browser seeks to or drops, the two sides show the same moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from rib.pipeline.destinations import Places
from rib.pipeline.times import SAME_TIME_S, Timeline
from rib.video import FrameSource, VideoWriter, open_source

MAX_HEIGHT_PX = 480
MAX_SECONDS = 20.0
MAX_FRAMES = 2400
MAX_BYTES = 20_000_000
SCRUBBING = {"preset": "veryfast", "g": "12", "bf": "0"}
"""A group of pictures is short: a jump to any frame decodes at most 12."""
MACROBLOCK_PX = 16
"""Each side is padded to whole macroblocks of H.264, so that no colour bleeds from one into the other."""


@dataclass(frozen=True)
class Preview:
    """Facts about the video that the page needs.

    Attributes:
        frames: Output frames in it, from the first.
        fps: The output's frame rate.
        size_px: Width and height of the picture on each side.
        cell_px: Width of a side with its padding; the result begins there.
        held: (frames,) the keyframe that the input shows.
    """

    frames: int
    fps: Fraction
    size_px: tuple[int, int]
    cell_px: int
    held: np.ndarray


def write_preview(path: Path, source: FrameSource, where: Places, timeline: Timeline) -> Preview:
    """Write the video of both sides, cut to what a page can carry.

    Args:
        path: The .mp4 to write.
        source: The input.
        where: The result, whose video or pictures are read back.
        timeline: The output's moments.
    """
    frames = max(2, min(len(timeline), MAX_FRAMES, int(MAX_SECONDS * timeline.fps)))
    preview = _write(path, source, where, timeline, frames)
    size = path.stat().st_size
    if size > MAX_BYTES:
        preview = _write(path, source, where, timeline, max(2, int(frames * 0.9 * MAX_BYTES / size)))
    return preview


def _write(path: Path, source: FrameSource, where: Places, timeline: Timeline, frames: int) -> Preview:
    width, height = _size(source.size_px)
    cell = -(-width // MACROBLOCK_PX) * MACROBLOCK_PX
    held = np.searchsorted(source.times_s, timeline.times_s[:frames] + SAME_TIME_S, side="right") - 1
    video = VideoWriter(
        path, timeline.fps, (2 * cell, height), codec="libx264", crf=20, pixel_format="yuv420p"
    )
    video.options.update(SCRUBBING)
    with video as writer:
        shown = -1
        left = np.empty(0)
        for index, before, after in _pairs(source, where, held):
            if index != shown:
                left, shown = _cell(before, width, height, cell), index
            writer.write(np.concatenate([left, _cell(after, width, height, cell)], axis=1))
    return Preview(frames, timeline.fps, (width, height), cell, held)


def _pairs(
    source: FrameSource, where: Places, held: np.ndarray
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """For each output frame the keyframe held at its moment (number and picture) and the frame itself."""
    keyframes = enumerate(source)
    index, picture = next(keyframes)
    result = open_source(str(where.video or where.pictures), None if where.video else 30.0)
    for wanted, made in zip(held, islice(result, len(held)), strict=True):
        while index < wanted:
            index, picture = next(keyframes)
        yield index, picture, made


def _size(size_px: tuple[int, int]) -> tuple[int, int]:
    """The size of a side: no higher than `MAX_HEIGHT_PX`, even as 4:2:0 wants it."""
    scale = min(1.0, MAX_HEIGHT_PX / size_px[1], 2 * MAX_HEIGHT_PX / size_px[0])
    width, height = (max(2, round(side * scale / 2) * 2) for side in size_px)
    return width, height


def _cell(picture: np.ndarray, width: int, height: int, cell: int) -> np.ndarray:
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(small, 0, 0, 0, cell - width, cv2.BORDER_REPLICATE)
