"""Some of a clip's frames, or a part of each, as a clip of its own; nothing is read before it is due."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from typing import cast

import cv2
import numpy as np

from rib.io.errors import RibError
from rib.video.reading.decode import VideoSource
from rib.video.source import FrameSource
from rib.video.timing.time_stamps import FrameTimes, constant_rate_times, frame_times_from_seconds

SAME_TIME_S = 1e-6
"""Two moments closer than this are one."""


class ClipView:
    """Chosen frames of another clip, cropped and resized on the way (see `FrameSource`).

    A view streams: it walks the clip once, from the first frame it wants (from the start, where the clip
    cannot jump) to the last. Views of views compose.

    Args:
        source: The clip.
        indices: (K,) the frames to keep, increasing. Their times stay apart as they were, from 0.
        crop_xywh_px: Left, top, width and height of the part to keep; None keeps all.
        size_px: Width and height to resize to (area averaging when it shrinks); None keeps the size.
        timing: When the kept frames are shown, where that is not when the clip shows them.

    Raises:
        RibError: Fewer than two frames, indices outside the clip or not increasing, a crop that leaves it.
    """

    def __init__(
        self,
        source: FrameSource,
        indices: Sequence[int] | np.ndarray | range,
        crop_xywh_px: tuple[int, int, int, int] | None = None,
        size_px: tuple[int, int] | None = None,
        timing: FrameTimes | None = None,
    ) -> None:
        self.source, self.name, self.notes = source, source.name, source.notes
        self.fps_assumed, self.not_kept = source.fps_assumed, source.not_kept
        self.indices = np.asarray(indices, dtype=np.int64)
        self._check_indices()
        self._retimed = timing is not None
        timing = timing or _timing(source, self.indices)
        self.fps, self.times_s, self.duration_s = timing.fps, timing.times_s, timing.duration_s
        self.audio, self.file, self.look = source.audio, source.file, source.look
        self.audio_start_s = source.audio_start_s + float(source.times_s[self.indices[0]])
        self.crop_xywh_px = crop_xywh_px or (0, 0, *source.size_px)
        self._check_crop()
        self.size_px = size_px or self.crop_xywh_px[2:]
        if min(self.size_px) < 1:
            raise RibError(
                f"a size of {self.size_px[0]} x {self.size_px[1]} px was asked for", "give at least 1 x 1"
            )

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Every kept frame in order as (H, W, 3) uint8 RGB."""
        return self._walk(stored=False)

    def stored(self) -> Iterator[np.ndarray]:
        """See `FrameSource.stored`."""
        return self._walk(self.look.is_more)

    def _walk(self, stored: bool) -> Iterator[np.ndarray]:
        wanted = iter(self.indices.tolist())
        first = index = next(wanted)
        start, walk = 0, self.source.stored() if stored else iter(self.source)
        if isinstance(self.source, VideoSource):
            start, walk = first, self.source.frames_from(first, stored)
        # closed at once, so that the file behind the clip is too
        with closing(cast("Generator[np.ndarray]", walk)) as frames:
            for number, frame in enumerate(frames, start):
                if number == index:
                    yield self._part(frame)
                    index = next(wanted, -1)
                    if index < 0:
                        return

    def fingerprint(self) -> str:
        """SHA-256 over the clip's fingerprint and what is kept of it; the clip's own where that is all."""
        if self._keeps_all:
            return self.source.fingerprint()
        kept = f"{self.source.fingerprint()} {self.crop_xywh_px} {self.size_px}"
        times = self.times_s.tobytes() if self._retimed else b""
        return hashlib.sha256(kept.encode() + self.indices.tobytes() + times).hexdigest()

    @property
    def _keeps_all(self) -> bool:
        whole = self.crop_xywh_px == (0, 0, *self.source.size_px) and self.size_px == self.source.size_px
        return whole and not self._retimed and len(self) == len(self.source)

    def _part(self, frame: np.ndarray) -> np.ndarray:
        x, y, width, height = self.crop_xywh_px
        part = frame[y : y + height, x : x + width]
        if self.size_px != (width, height):
            shrinks = self.size_px[0] <= width and self.size_px[1] <= height
            part = cv2.resize(
                part, self.size_px, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            )
        return np.ascontiguousarray(part)

    def _check_indices(self) -> None:
        if len(self.indices) < 2:
            raise RibError(
                f"{len(self.indices)} of {self.name}'s {len(self.source)} frames would be kept",
                "a clip needs at least two",
            )
        if (np.diff(self.indices) <= 0).any() or self.indices[0] < 0 or self.indices[-1] >= len(self.source):
            raise RibError(
                f"frames {self.indices[0]} to {self.indices[-1]} of {self.name} were asked for, which has "
                f"{len(self.source)}",
                "give increasing numbers from 0",
            )

    def _check_crop(self) -> None:
        x, y, width, height = self.crop_xywh_px
        whole = self.source.size_px
        if x < 0 or y < 0 or width < 1 or height < 1 or x + width > whole[0] or y + height > whole[1]:
            raise RibError(
                f"the crop {self.crop_xywh_px} (left, top, width, height) leaves {whole[0]} x {whole[1]} px",
                "give one inside it",
            )


def subsample_frames(source: FrameSource, stride: int) -> ClipView:
    """Every stride-th frame from the first; the sound is kept.

    Raises:
        RibError: Fewer than two frames would remain.
    """
    if stride < 1:
        raise RibError(f"stride={stride} was given", "give a whole number from 1")
    return ClipView(source, range(0, len(source), stride))


def subclip(
    source: FrameSource,
    first: int = 0,
    count: int | None = None,
    crop_xywh_px: tuple[int, int, int, int] | None = None,
    size_px: tuple[int, int] | None = None,
) -> ClipView:
    """`count` frames from `first` on (None: all that follow), cropped and resized.

    Raises:
        RibError: As for `ClipView`.
    """
    stop = len(source) if count is None else first + count
    return ClipView(source, range(first, stop), crop_xywh_px, size_px)


def subclip_in_time(source: FrameSource, start_s: float, duration_s: float | None) -> FrameSource:
    """The frames that are shown from `start_s` on, for `duration_s` (None: to the end).

    Raises:
        RibError: Fewer than two frames would remain.
    """
    if start_s == 0 and duration_s is None:
        return source
    end_s = source.duration_s if duration_s is None else start_s + duration_s
    first = max(int(np.searchsorted(source.times_s, start_s + SAME_TIME_S, side="right")) - 1, 0)
    stop = int(np.searchsorted(source.times_s, end_s - SAME_TIME_S))
    if start_s < 0 or stop - first < 2:
        asked = f"start_s={start_s:g}" + ("" if duration_s is None else f" duration_s={duration_s:g}")
        raise RibError(
            f"{asked} leaves fewer than two frames of {source.name}, which lasts {source.duration_s:.2f} s",
            "choose a longer part inside it",
        )
    return subclip(source, first, stop - first)


def refuse_uneven_frame_times(source: FrameSource) -> None:
    """Frames that are hidden and predicted have to lie evenly in time.

    Raises:
        RibError: They do not.
    """
    if not np.allclose(source.times_s, np.arange(len(source)) / float(source.fps), atol=1e-5):
        raise RibError(
            f"the frames of {source.name} come at uneven times, and the hidden ones must lie evenly",
            "give it a constant frame rate first: ffmpeg -i clip.mp4 -vf fps=30 constant.mp4",
        )


def _timing(source: FrameSource, indices: np.ndarray) -> FrameTimes:
    """The kept frames' times from 0; exact where the rate is constant and the frames are evenly apart."""
    steps = np.diff(indices)
    constant = np.array_equal(source.times_s, constant_rate_times(len(source), source.fps))
    if constant and np.ptp(steps) == 0:
        fps = source.fps / Fraction(int(steps[0]))
        timing = FrameTimes(constant_rate_times(len(indices), fps), fps)
    elif (steps == 1).all():
        timing = FrameTimes(source.times_s[indices] - source.times_s[indices[0]], source.fps)
    else:
        timing = frame_times_from_seconds(source.times_s[indices])
    if (steps == 1).all() and not constant:
        ends_s = np.append(source.times_s[1:], source.duration_s)
        timing = replace(timing, last_s=float(ends_s[indices[-1]] - source.times_s[indices[-1]]))
    return timing
