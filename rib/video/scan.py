"""What a video file holds, found without decoding every frame where its container can be believed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from rib.io.errors import RibError
from rib.video.container import opened, reason, repair, video_stream
from rib.video.orientation import Orientation, orientation_of
from rib.video.times import Timing, timing_from_ticks

ONE_PACKET_ONE_FRAME = frozenset(
    {"h264", "hevc", "av1", "vp9", "mpeg4", "mjpeg", "prores", "ffv1", "png", "dnxhd"}
)
"""Codecs of which, in the containers below, each packet gives exactly one frame (VP8 hides some)."""
BELIEVED_CONTAINERS = ("mov", "matroska")


SHORT_BY_S = 0.5
"""A container without an index may declare this much more than it holds before it counts as cut short."""


class Stamp(NamedTuple):
    """What a packet says of its frame."""

    pts: int | None
    dts: int | None
    duration: int
    is_discard: bool
    is_corrupt: bool

    @property
    def shown(self) -> int | None:
        """When its frame is shown, as far as the container tells."""
        return self.dts if self.pts is None else self.pts


@dataclass(frozen=True)
class Scan:
    """What a video file holds.

    Attributes:
        ticks: Each frame's time stamp in showing order, None where the container has none.
        timing: The same as exact times.
        coded_size_px: Width and height as stored.
        orientation: What brings a stored picture upright.
        has_audio: Whether there is sound.
    """

    ticks: list[int | None]
    timing: Timing
    coded_size_px: tuple[int, int]
    orientation: Orientation
    has_audio: bool


def scan(path: Path, unsteady: bool = False) -> Scan:
    """Find times, size and rotation of a video.

    Args:
        path: The file.
        unsteady: Leave the stamps of an unsteady clock where they are (see `timing_from_ticks`).

    Raises:
        RibError: It is no video, is cut short, or has fewer than two frames.
    """
    first = _first_frame(path)
    with opened(path) as container:
        stream = video_stream(container, path)
        believed = container.format.name.startswith(BELIEVED_CONTAINERS)
        packets = _packets(container, stream, path)
        _refuse_cut_short(container, stream, packets, path)
        shown = sorted(p.pts for p in packets if p.pts is not None and not p.is_discard)
        # what comes before the first frame cannot be decoded: it leans on pictures before the file
        ticks: list[int | None] = [tick for tick in shown if first.pts is None or tick >= first.pts]
        simple = believed and stream.codec_context.codec.canonical_name in ONE_PACKET_ONE_FRAME
        tick_s = Fraction(stream.time_base or 1)
        declared = (stream.guessed_rate, stream.average_rate, stream.codec_context.framerate)
        rates = [Fraction(rate) for rate in declared if rate]
        has_audio = bool(container.streams.audio)
    if not simple or any(p.pts is None for p in packets) or len(set(ticks)) < len(ticks):
        ticks = _decoded_ticks(path)
    if len(ticks) < 2:
        raise RibError(f"{path} has {len(ticks)} frame", "a clip needs at least two")
    timing = timing_from_ticks(ticks, tick_s, rates, _last_ticks(packets), unsteady)
    return Scan(ticks, timing, (first.width, first.height), orientation_of(first), has_audio)


def frame_tick(frame: VideoFrame) -> int | None:
    """When a frame is shown, in ticks; its decoding time where the container has no other (AVI)."""
    return frame.dts if frame.pts is None else frame.pts


def _first_frame(path: Path) -> VideoFrame:
    with opened(path) as container:
        try:
            return next(container.decode(video_stream(container, path)))
        except (StopIteration, av.FFmpegError) as error:
            raise RibError(f"{path}: not one frame can be decoded ({reason(error)})", repair(path)) from error


def _decoded_ticks(path: Path) -> list[int | None]:
    """Every frame's tick in showing order, by decoding the whole file."""
    ticks: list[int | None] = []
    with opened(path) as container:
        try:
            for frame in container.decode(video_stream(container, path)):
                ticks.append(frame_tick(frame))
        except av.FFmpegError as error:
            raise RibError(
                f"{path}: frame {len(ticks)} cannot be decoded ({reason(error)})", repair(path)
            ) from error
    return ticks


def _packets(container: InputContainer, stream: VideoStream, path: Path) -> list[Stamp]:
    """Every packet's stamp; their content is not kept."""
    stamps: list[Stamp] = []
    try:
        for p in container.demux(stream):
            if p.size:
                stamps.append(Stamp(p.pts, p.dts, p.duration or 0, p.is_discard, p.is_corrupt))
    except av.FFmpegError as error:
        raise RibError(
            f"{path}: packet {len(stamps)} cannot be read ({reason(error)})", repair(path)
        ) from error
    return stamps


def _last_ticks(stamps: list[Stamp]) -> int:
    """How long the last frame is shown, as far as the container tells."""
    last = max((s for s in stamps if s.shown is not None), key=lambda s: s.shown or 0, default=None)
    return last.duration if last else 0


def _refuse_cut_short(
    container: InputContainer, stream: VideoStream, stamps: list[Stamp], path: Path
) -> None:
    """Raise when the file ends before its own index or declared duration does."""
    tick_s = float(stream.time_base or 0)
    ends = [s.shown + s.duration for s in stamps if s.shown is not None and not s.is_corrupt]
    end_s = max(ends, default=0) * tick_s
    declared_s = _declared_end_s(container, stream)
    if container.format.name.startswith("mov"):
        short = len(stamps) < len(stream.index_entries)
    else:
        short = declared_s - end_s > SHORT_BY_S
    if short or (stamps and stamps[-1].is_corrupt):
        raise RibError(
            f"{path} is cut short: it declares {declared_s:.2f} s and ends after {end_s:.2f} s",
            "copy it again from where it came, or " + repair(path),
        )


def _declared_end_s(container: InputContainer, stream: VideoStream) -> float:
    """When the video says that it ends, in seconds; 0 where it says nothing of its own."""
    if stream.duration:
        return float((stream.duration + (stream.start_time or 0)) * (stream.time_base or 0))
    tag = stream.metadata.get("DURATION", "")
    if re.fullmatch(r"\d+:\d\d:\d\d\.\d+", tag):
        hours, minutes, seconds = tag.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    if len(container.streams) == 1 and container.duration:
        return (container.duration + (container.start_time or 0)) / av.time_base
    return 0.0
