"""Whether a file that has an alpha channel lets anything shine through: most have it on paper alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from rib.video.reading.libav import decoded_video_frames, opened_container, video_stream

OPAQUE = 250
"""Of 255: what a lossy codec leaves of opaque pixels is above."""
LOOKED_AT = 16
"""Places of a video that are looked at, besides its beginning."""
WALKED = 24
"""Frames from the beginning on that are looked at."""


def has_transparent_pixels(picture: np.ndarray) -> bool:
    """Whether (H, W, 4) uint8 or uint16 has a pixel that is not opaque."""
    return bool(picture[..., 3].min() < OPAQUE * (int(np.iinfo(picture.dtype).max) // 255))


def video_has_transparent_pixels(path: Path, ticks: Sequence[int | None]) -> bool:
    """Look at the first frames of a video with an alpha channel, and at some of the others.

    Args:
        path: The file.
        ticks: Each frame's time stamp; None where the container has none.
    """
    with opened_container(path) as container:
        stream = video_stream(container, path)
        try:
            frames = islice(decoded_video_frames(container, stream), WALKED)
            if any(_lets_through(frame) for frame in frames):
                return True
            return any(_lets_through(frame) for frame in _spread(container, stream, ticks))
        except av.FFmpegError:
            return True  # what is broken is told where it matters


def _spread(
    container: InputContainer, stream: VideoStream, ticks: Sequence[int | None]
) -> Iterator[VideoFrame]:
    """Frames beyond the first ones, at even distances."""
    if len(ticks) <= WALKED:
        return
    for index in np.linspace(WALKED, len(ticks) - 1, LOOKED_AT).round().astype(int).tolist():
        tick = ticks[index]
        if tick is not None:
            container.seek(tick, stream=stream)
            yield from islice(decoded_video_frames(container, stream), 1)


def _lets_through(frame: VideoFrame) -> bool:
    return has_transparent_pixels(frame.to_ndarray(format="rgba"))
