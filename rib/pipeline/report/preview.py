"""The small video inside the page: the input, held at its own frame rate, beside the result.

Both stand in one video, so that whatever a browser seeks to or drops, the two sides show the same moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import cv2
import numpy as np

from rib.io.files.whole import write_file_whole
from rib.pipeline.synthesis.output_frames import OutputFrame
from rib.pipeline.timeline import SAME_TIME_S, OutputTimeline
from rib.video import FrameSource, JoinedVideoWriter, VideoPart, VideoWriter, stored_frame_to_rgb

MAX_HEIGHT_PX = 480
MAX_SECONDS = 20.0
MAX_FRAMES = 2400
MAX_BYTES = 20_000_000
ENCODED: dict[str, Any] = {"codec": "libx264", "crf": 20, "pixel_format": "yuv420p", "preset": "veryfast"}
SCRUBBING = {"g": "12", "bf": "0"}
"""A group of pictures is short: a jump to any frame decodes at most 12."""
MACROBLOCK_PX = 16
"""Each side is padded to whole macroblocks of H.264, so that no colour bleeds from one into the other."""


@dataclass(frozen=True)
class ReportPreview:
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


def num_preview_frames(timeline: OutputTimeline) -> int:
    """Count the frames of a result that a page can carry, from the first."""
    return max(2, min(len(timeline), MAX_FRAMES, int(MAX_SECONDS * timeline.fps)))


class ReportPreviewWriter:
    """Writes the video of both sides while the result's frames pass, cut to what a page can carry.

    Args:
        path: The .mp4 to write.
        source: The input, whose frames are not read.
        timeline: The output's moments.
        max_frames: Frames of the result that it shows.
        max_bytes: Size of the file, about.
    """

    def __init__(
        self, path: Path, source: FrameSource, timeline: OutputTimeline, max_frames: int = MAX_FRAMES,
        max_bytes: int = MAX_BYTES,
    ) -> None:  # fmt: skip
        self.path, self._timeline, self._max_bytes = path, timeline, max_bytes
        self._size_px = _size(source.size_px)
        self._cell = -(-self._size_px[0] // MACROBLOCK_PX) * MACROBLOCK_PX
        self._frames = min(num_preview_frames(timeline), max_frames)
        self._held = _held(source, timeline)
        self._left, self._shown = np.empty(0), -1
        self._form = timeline.fps, (2 * self._cell, self._size_px[1])
        self._video = VideoWriter(path, *self._form, **ENCODED)
        self._video.options.update(SCRUBBING)

    def __enter__(self) -> Self:
        self._video.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._video.__exit__(kind, error, trace)

    def write(self, frame: OutputFrame) -> None:
        """Take the next frame of the result; those beyond what a page can carry are left out."""
        if frame.index >= self._frames:
            return
        assert frame.given is not None
        if self._held[frame.index] != self._shown:
            self._left, self._shown = self._side(frame.given), int(self._held[frame.index])
        self._video.write(np.concatenate([self._left, self._side(frame.picture)], axis=1))

    @property
    def encoded_order(self) -> Sequence[int]:
        """See `VideoWriter`."""
        return self._video.encoded_order

    def join(self, parts: Sequence[VideoPart]) -> None:
        """Write the video from parts that other writers of the same source and moments have written."""
        with JoinedVideoWriter(parts, self.path, *self._form, **ENCODED) as video:
            video.write_parts()

    def finished(self) -> ReportPreview:
        """What the page has to know, after the last frame; a video too large is cut."""
        frames, size = self._frames, self.path.stat().st_size
        if size > self._max_bytes:
            frames = max(2, int(frames * 0.9 * self._max_bytes / size))
            _keep_first(self.path, frames)
        return ReportPreview(frames, self._timeline.fps, self._size_px, self._cell, self._held[:frames])

    def _side(self, picture: np.ndarray) -> np.ndarray:
        small = cv2.resize(stored_frame_to_rgb(picture), self._size_px, interpolation=cv2.INTER_AREA)
        padding = self._cell - self._size_px[0]
        return cv2.copyMakeBorder(small, 0, 0, 0, padding, cv2.BORDER_REPLICATE)


def _held(source: FrameSource, timeline: OutputTimeline) -> np.ndarray:
    """(N,) the keyframe that the input shows at each moment of the output."""
    return np.searchsorted(source.times_s, timeline.times_s + SAME_TIME_S, side="right") - 1


def _keep_first(path: Path, frames: int) -> None:
    """Cut a video without B-frames after so many frames, as they are."""
    with (
        write_file_whole(path) as shorter,
        av.open(str(path)) as long,
        av.open(str(shorter), "w", format="mp4", options={"movflags": "+faststart"}) as cut,
    ):
        stream = cut.add_stream_from_template(long.streams.video[0])
        packets = (packet for packet in long.demux(video=0) if packet.dts is not None)
        for packet in islice(packets, frames):
            packet.stream = stream
            cut.mux(packet)


def _size(size_px: tuple[int, int]) -> tuple[int, int]:
    """The size of a side: no higher than `MAX_HEIGHT_PX`, even as 4:2:0 wants it."""
    scale = min(1.0, MAX_HEIGHT_PX / size_px[1], 2 * MAX_HEIGHT_PX / size_px[0])
    width, height = (max(2, round(side * scale / 2) * 2) for side in size_px)
    return width, height
