"""A video file as frames.

Colours: the matrix and range that the file is tagged with; an untagged file is BT.709 from 720 lines on, as
players take it, else BT.601. PQ and HLG keep their code values, or are brought to BT.709 (`hdr="sdr"`).
Transparent pixels show black and more than 8 bits are rounded, but for who asks for the frames as they are
stored. Interlaced frames become one picture each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from rib.io.errors import RibError
from rib.video.colour.convert import RgbConverter, deinterlace_frames
from rib.video.colour.look import ColourMetadata, sdr_colour_metadata
from rib.video.reading.libav import (
    decoded_video_frames,
    libav_reason,
    opened_container,
    suggest_video_repair,
    video_stream,
)
from rib.video.reading.scan import frame_tick, scan_video
from rib.video.reading.transparency import video_has_transparent_pixels

MARGIN = 16
"""Frames from the aim of a jump to the first frame wanted, which so leans on nothing before a keyframe."""
WORTH_A_JUMP = 48
"""First frames before this number are reached by decoding from the start."""
TIMESTAMPS = ("constant", "source")
"""What can be done with an unsteady clock."""


@dataclass(frozen=True)
class ColourTreatment:
    """Treatment of frames whose numbers are no 8-bit BT.709.

    Attributes:
        untagged: "auto" takes an untagged frame for BT.709 from 720 lines on; "601" never, as ffmpeg does.
        hdr: "keep" keeps the code values of PQ and HLG, "sdr" brings them to BT.709.
        deinterlace: "auto" makes one picture of both fields of a frame, "off" leaves them combed.
    """

    untagged: str = "auto"
    hdr: str = "keep"
    deinterlace: str = "auto"


class VideoSource:
    """The frames of a video file, decoded anew on every walk (see `FrameSource`).

    Args:
        path: The video file.
        timestamps: "constant" brings an unsteady clock to its nominal rate, "source" leaves its times.
        max_mpx: Larger frames are refused, 10^6 pixels; None takes what memory holds.
        colours: What to do with untagged, HDR and interlaced frames.

    Raises:
        RibError: It is no video, is cut short, or has fewer than two frames.
    """

    fps_assumed = False

    def __init__(
        self,
        path: str | Path,
        timestamps: str = "constant",
        max_mpx: float | None = None,
        colours: ColourTreatment | None = None,
    ) -> None:
        self.path = Path(path).absolute()
        if timestamps not in TIMESTAMPS:
            raise RibError(f"video.timestamps={timestamps}", f"choose one of: {', '.join(TIMESTAMPS)}")
        self.colours = colours or ColourTreatment()
        found = scan_video(self.path, timestamps == "source", max_mpx, self.colours.untagged)
        self.name = self.path.stem
        self.fps, self.times_s, self.notes = found.timing.fps, found.timing.times_s, found.timing.notes
        self._sdr = self.colours.hdr == "sdr" and found.look.hdr is not None
        self._weaves = found.look.interlaced and self.colours.deinterlace == "auto"
        if found.look.alpha and not video_has_transparent_pixels(self.path, found.ticks):
            found = replace(found, look=replace(found.look, alpha=False))
        self.look = sdr_colour_metadata(found.look) if self._sdr else found.look
        self.not_kept = [*found.not_kept, *self._lost(found.look)]
        self.duration_s, self.fps_assumed = found.timing.duration_s, found.timing.fps_assumed
        self.audio = self.path if found.has_audio else None
        self.audio_start_s = found.start_s
        self.file: Path | None = self.path
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

    def stored(self) -> Iterator[np.ndarray]:
        """See `FrameSource.stored`.

        Raises:
            RibError: A frame is damaged or missing; the message names it and its time.
        """
        return self.frames_from(0, self.look.is_more)

    def frames_from(self, first: int, stored: bool = False) -> Iterator[np.ndarray]:
        """The frames from number `first` on; those far before it are not decoded.

        Args:
            first: Its number.
            stored: As `stored` gives them, not as `__iter__` does.

        Raises:
            RibError: A frame is damaged or missing; the message names it and its time.
        """
        if first >= WORTH_A_JUMP and not self._weaves:
            with opened_container(self.path) as container:
                jumped = self._jumped(container, first)
                if jumped is not None:
                    yield from self._pictures(jumped, first, None, stored)
                    return
        with opened_container(self.path) as container:
            stream = video_stream(container, self.path)
            frames = decoded_video_frames(container, stream)
            yield from islice(self._pictures(frames, 0, stream, stored), first, None)

    def fingerprint(self) -> str:
        """SHA-256 of the file and of how its numbers become colours."""
        if not self._fingerprint:
            with self.path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256")
            digest.update(f"{self.look} {self.colours}".encode())
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    def _pictures(
        self, frames: Iterator[VideoFrame], first: int, stream: VideoStream | None, stored: bool
    ) -> Iterator[np.ndarray]:
        """Decode from frame number `first` on, upright RGB."""
        convert = RgbConverter(self._found.look, self._sdr, stored)
        checked = self._checked(frames, first)
        for frame in deinterlace_frames(checked, stream) if self._weaves and stream else checked:
            yield self._found.orientation.turn(convert(frame))

    def _lost(self, look: ColourMetadata) -> list[str]:
        """List, in sentences, what of the file's look the frames do not have."""
        lost = []
        if self._sdr:
            lost.append(f"{look.hdr}: brought to BT.709 (video.hdr=keep keeps it)")
        if look.interlaced:
            weaves = "each frame became one picture" if self._weaves else "frames stay combed"
            lost.append(f"interlaced fields: {weaves} (video.deinterlace=auto or off)")
        return lost

    def _checked(self, frames: Iterator[VideoFrame], first: int) -> Iterator[VideoFrame]:
        """The decoder's frames, each checked to be the one that the scan foretold."""
        for index in range(first, len(self)):
            try:
                frame = next(frames)
            except StopIteration:
                raise self._broken(index, "it is missing") from None
            except av.FFmpegError as error:
                raise self._broken(index, libav_reason(error)) from error
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
            frames = decoded_video_frames(container, stream)
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
        return RibError(what, suggest_video_repair(self.path))
