"""Scan of a video file, without decoding every frame where its container can be believed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from rib.io.errors import RibError
from rib.video.colour.look import ColourMetadata, colour_metadata_of
from rib.video.reading.cut_short import PacketStamp, check_video_not_cut_short
from rib.video.reading.libav import (
    decoded_video_frames,
    hides_stream_alpha,
    libav_reason,
    opened_container,
    suggest_video_repair,
    video_stream,
)
from rib.video.reading.orientation import PictureOrientation, orientation_of_frame
from rib.video.reading.pictures import refuse_large_pictures
from rib.video.timing.time_stamps import FrameTimes, frame_times_from_ticks

ONE_PACKET_ONE_FRAME = frozenset(
    {"h264", "hevc", "av1", "vp9", "mpeg4", "mjpeg", "prores", "ffv1", "png", "dnxhd"}
)
"""Codecs of which, in the containers below, each packet gives exactly one frame (VP8 hides some)."""
HDR10 = ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL")
"""What frames say of the display that they were graded on (SMPTE ST 2086, CTA-861.3)."""
BELIEVED_CONTAINERS = ("mov", "matroska")


@dataclass(frozen=True)
class VideoScan:
    """Contents of a video file.

    Attributes:
        ticks: Each frame's time stamp in showing order, None where the container has none.
        timing: The same as exact times.
        coded_size_px: Width and height as stored.
        orientation: What brings a stored picture upright.
        start_s: When the first frame is shown on the file's own clock, told by all stamps: the first may have
            none.
        has_audio: Whether there is sound.
        look: How the stored numbers look.
        not_kept: What the file lacks at its end, in sentences.
    """

    ticks: list[int | None]
    timing: FrameTimes
    coded_size_px: tuple[int, int]
    orientation: PictureOrientation
    start_s: float
    has_audio: bool
    look: ColourMetadata
    not_kept: list[str]


def scan_video(
    path: Path, unsteady: bool = False, max_mpx: float | None = None, untagged: str = "auto"
) -> VideoScan:
    """Find times, size and rotation of a video.

    Args:
        path: The file.
        unsteady: Leave the stamps of an unsteady clock where they are (see `frame_times_from_ticks`).
        max_mpx: Larger frames are refused, 10^6 pixels; None takes what memory holds.
        untagged: What frames without a matrix are (see `colour_metadata_of`).

    Raises:
        RibError: It is no video, is cut short, or has fewer than two frames.
    """
    first = _first_frame(path, max_mpx)
    with opened_container(path) as container:
        stream = video_stream(container, path)
        believed = container.format.name.startswith(BELIEVED_CONTAINERS)
        packets = _packets(container, stream, path)
        not_kept = check_video_not_cut_short(container, stream, packets, path)
        shown = sorted(p.pts for p in packets if p.pts is not None and not p.is_discard)
        # what comes before the first frame cannot be decoded: it leans on pictures before the file
        ticks: list[int | None] = [tick for tick in shown if first.pts is None or tick >= first.pts]
        simple = believed and stream.codec_context.codec.canonical_name in ONE_PACKET_ONE_FRAME
        tick_s = Fraction(stream.time_base or 1)
        declared = (stream.guessed_rate, stream.average_rate, stream.codec_context.framerate)
        rates = [Fraction(rate) for rate in declared if rate]
        has_audio = bool(container.streams.audio)
        if hides_stream_alpha(stream):
            not_kept.append("transparency: no decoder here reads it, the picture is taken as opaque")
        aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    if not simple or any(p.pts is None for p in packets) or len(set(ticks)) < len(ticks):
        ticks = _decoded_ticks(path)
    if len(ticks) < 2:
        raise RibError(f"{path} has {len(ticks)} frame", "a clip needs at least two")
    timing = frame_times_from_ticks(ticks, tick_s, rates, _last_ticks(packets), unsteady)
    if any(first.side_data.get(kind) is not None for kind in HDR10):
        not_kept.append("HDR10's mastering display and light levels: players take their own")
    orientation = orientation_of_frame(first)
    look = colour_metadata_of(first, aspect, orientation.transpose, untagged)
    start_s = _start_s(ticks, tick_s, timing.times_s)
    return VideoScan(
        ticks, timing, (first.width, first.height), orientation, start_s, has_audio, look, not_kept
    )


def frame_tick(frame: VideoFrame) -> int | None:
    """Read a frame's time in ticks; its decoding time where the container has no other (AVI)."""
    return frame.dts if frame.pts is None else frame.pts


def _first_frame(path: Path, max_mpx: float | None) -> VideoFrame:
    with opened_container(path) as container:
        stream = video_stream(container, path)
        refuse_large_pictures(path, (stream.width or 0, stream.height or 0), max_mpx)
        try:
            return next(decoded_video_frames(container, stream))
        except (StopIteration, av.FFmpegError) as error:
            raise RibError(
                f"{path}: not one frame can be decoded ({libav_reason(error)})", suggest_video_repair(path)
            ) from error


def _decoded_ticks(path: Path) -> list[int | None]:
    """Every frame's tick in showing order, by decoding the whole file."""
    ticks: list[int | None] = []
    with opened_container(path) as container:
        try:
            for frame in decoded_video_frames(container, video_stream(container, path)):
                ticks.append(frame_tick(frame))
        except av.FFmpegError as error:
            raise RibError(
                f"{path}: frame {len(ticks)} cannot be decoded ({libav_reason(error)})",
                suggest_video_repair(path),
            ) from error
    return ticks


def _packets(container: InputContainer, stream: VideoStream, path: Path) -> list[PacketStamp]:
    """Every packet's stamp; their content is not kept."""
    stamps: list[PacketStamp] = []
    try:
        for p in container.demux(stream):
            if p.size:
                stamps.append(PacketStamp(p.pts, p.dts, p.duration or 0, p.is_discard, p.is_corrupt))
    except av.FFmpegError as error:
        raise RibError(
            f"{path}: packet {len(stamps)} cannot be read ({libav_reason(error)})", suggest_video_repair(path)
        ) from error
    return stamps


def _start_s(ticks: list[int | None], tick_s: Fraction, times_s: np.ndarray) -> float:
    """Estimate a clip's start on the file's clock: what most of its stamps say."""
    known = [k for k, tick in enumerate(ticks) if tick is not None]
    starts = [float((ticks[k] or 0) * tick_s) - float(times_s[k]) for k in known]
    return float(np.median(starts)) if starts else 0.0


def _last_ticks(stamps: list[PacketStamp]) -> int:
    """Read the last frame's duration, as far as the container tells."""
    last = max((s for s in stamps if s.shown is not None), key=lambda s: s.shown or 0, default=None)
    return last.duration if last else 0
