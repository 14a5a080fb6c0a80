"""A video file as frames.

Colours: swscale converts with the matrix and range that the file is tagged with; an untagged file is taken
for BT.601, limited range, at any height. These are the decisions of ffmpeg and of OpenCV's reader, and so are
the pixels. Transparency is dropped: the stored colour counts. More than 8 bits are cut without tone mapping.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from rib.io.errors import RibError
from rib.video.container import opened, reason, repair, video_stream
from rib.video.scan import frame_tick, scan

MARGIN = 16
"""Frames from the aim of a jump to the first frame wanted, which so leans on nothing before a keyframe."""
WORTH_A_JUMP = 48
"""First frames before this number are reached by decoding from the start."""
TIMESTAMPS = ("constant", "source")
"""What can be done with an unsteady clock."""


class VideoSource:
    """The frames of a video file, decoded anew on every walk (see `FrameSource`).

    Args:
        path: The video file.
        timestamps: "constant" brings an unsteady clock to its nominal rate, "source" leaves its times.

    Raises:
        RibError: It is no video, is cut short, or has fewer than two frames.
    """

    fps_assumed = False
    audio_start_s = 0.0

    def __init__(self, path: str | Path, timestamps: str = "constant", max_mpx: float | None = None) -> None:
        self.path = Path(path).absolute()
        if timestamps not in TIMESTAMPS:
            raise RibError(f"video.timestamps={timestamps}", f"choose one of: {', '.join(TIMESTAMPS)}")
        found = scan(self.path, timestamps == "source", max_mpx)
        self.name = self.path.stem
        self.fps, self.times_s, self.notes = found.timing.fps, found.timing.times_s, found.timing.notes
        self.not_kept = found.not_kept
        self.duration_s, self.fps_assumed = found.timing.duration_s, found.timing.fps_assumed
        self.audio = self.path if found.has_audio else None
        self.size_px = found.orientation.size(found.coded_size_px)
        self._found = found
        self._fingerprint = ""

    def __len__(self) -> int:
        return len(self.times_s)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Every frame in order as (H, W, 3) uint8 RGB, rotated upright.

        Raises:
            RibError: A frame is damaged or missing; the message names it and its time.
        """
        return self.frames_from(0)

    def frames_from(self, first: int) -> Iterator[np.ndarray]:
        """The frames from number `first` on, as `__iter__` gives them; those far before it are not decoded.

        Raises:
            RibError: A frame is damaged or missing; the message names it and its time.
        """
        if first >= WORTH_A_JUMP:
            with opened(self.path) as container:
                frames = self._jumped(container, first)
                if frames is not None:
                    yield from self._pictures(frames, first)
                    return
        with opened(self.path) as container:
            frames = container.decode(video_stream(container, self.path))
            yield from islice(self._pictures(frames, 0), first, None)

    def fingerprint(self) -> str:
        """SHA-256 of the file."""
        if not self._fingerprint:
            with self.path.open("rb") as file:
                self._fingerprint = hashlib.file_digest(file, "sha256").hexdigest()
        return self._fingerprint

    def _pictures(self, frames: Iterator[VideoFrame], first: int) -> Iterator[np.ndarray]:
        """What the decoder gives from number `first` on, upright RGB."""
        converter = VideoReformatter()
        for frame in self._checked(frames, first):
            # bicubic, as ffmpeg and OpenCV ask for, so that the pixels are theirs
            rgb = converter.reformat(frame, format="rgb24", interpolation=Interpolation.BICUBIC, threads=1)
            yield self._found.orientation.turn(rgb.to_ndarray())

    def _checked(self, frames: Iterator[VideoFrame], first: int) -> Iterator[VideoFrame]:
        """The decoder's frames, each checked to be the one that the scan foretold."""
        for index in range(first, len(self)):
            try:
                frame = next(frames)
            except StopIteration:
                raise self._broken(index, "it is missing") from None
            except av.FFmpegError as error:
                raise self._broken(index, reason(error)) from error
            if frame.is_corrupt:
                raise self._broken(index, "its data are damaged")
            if frame_tick(frame) != self._found.ticks[index]:
                raise self._broken(index, "another one comes in its place")
            if (frame.width, frame.height) != self._found.coded_size_px:
                raise self._broken(index, f"its size changes to {frame.width} x {frame.height}")
            yield frame

    def _jumped(self, container: InputContainer, first: int) -> Iterator[VideoFrame] | None:
        """The decoder's frames from `first` on, by way of an earlier keyframe; None where that fails."""
        stream = video_stream(container, self.path)
        wanted, aim = self._found.ticks[first], self._found.ticks[first - MARGIN]
        if wanted is None or aim is None:
            return None
        try:
            container.seek(aim, stream=stream)
            frames = container.decode(stream)
            for frame in frames:
                tick = frame_tick(frame)
                if tick is None or tick > wanted:
                    break
                if tick == wanted and not frame.is_corrupt:
                    return chain([frame], frames)
        except av.FFmpegError:
            pass  # told where it matters, on the way there from the start
        return None

    def _broken(self, index: int, why: str) -> RibError:
        what = f"{self.path}: frame {index} at {self.times_s[index]:.3f} s cannot be decoded ({why})"
        return RibError(what, repair(self.path))
