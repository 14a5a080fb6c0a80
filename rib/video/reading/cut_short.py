"""Whether a file ends before it says: an index, a declared duration, a segment's size, an end mark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from rib.io.errors import RibError
from rib.video.reading.libav import suggest_video_repair

SHORT_BY_S = 0.5
"""A container without an index may lack this much of what it declares and still be taken, with a note."""
SHORT_BY_FRAMES = 1.5
"""So many frames less than declared are told; one comes from durations that do not count the last frame."""
GIF_END = b"\x3b"


class PacketStamp(NamedTuple):
    """A packet's time stamp and duration."""

    pts: int | None
    dts: int | None
    duration: int
    is_discard: bool
    is_corrupt: bool

    @property
    def shown(self) -> int | None:
        """Time at which its frame is shown, as far as the container tells."""
        return self.dts if self.pts is None else self.pts


def check_video_not_cut_short(
    container: InputContainer, stream: VideoStream, packets: Sequence[PacketStamp], path: Path
) -> list[str]:
    """Refuse a file that is cut short, and tell what a file that is taken all the same may lack.

    Args:
        container: The file, opened.
        stream: Its video.
        packets: Its video's packets, in the file's order.
        path: The file.

    Returns:
        Sentences on what is lacking.

    Raises:
        RibError: It is cut short.
    """
    tick_s = float(stream.time_base or 0)
    good = [(p.shown, p.duration) for p in packets if p.shown is not None and not p.is_corrupt]
    end_s = max((start + duration for start, duration in good), default=0) * tick_s
    declared_s, kind = _declared_end_s(container, stream), container.format.name
    if kind.startswith("mov"):
        short = len(packets) < len(stream.index_entries)
    else:
        short = declared_s - end_s > SHORT_BY_S
    if short or (packets and packets[-1].is_corrupt):
        raise RibError(
            f"{path} is cut short: it declares {declared_s:.2f} s and ends after {end_s:.2f} s",
            "copy it again from where it came, or " + suggest_video_repair(path),
        )
    first, last = (f(start for start, _ in good) if good else 0 for f in (min, max))
    step_s = (last - first) * tick_s / max(len(good) - 1, 1)
    if not _ends_early(path, kind, declared_s - end_s, step_s):
        return []
    lacking = f", {declared_s - end_s:.2f} s before it says" if declared_s > end_s else " in the middle"
    return [f"the end of {path.name}: the file stops after {end_s:.2f} s{lacking}; copy it again to have all"]


def _ends_early(path: Path, kind: str, lacking_s: float, step_s: float) -> bool:
    """Whether frames may be lacking at the end of a file that is taken."""
    if kind.startswith("mov"):
        return False
    if kind == "gif":
        return not _tail(path).rstrip(b"\0").endswith(GIF_END)
    if kind.startswith("matroska"):
        return _segment_is_cut(path) and (lacking_s <= 0 or lacking_s > 0.5 * step_s)
    return lacking_s > SHORT_BY_FRAMES * step_s > 0


def _tail(path: Path, size: int = 4096) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read()


def _segment_is_cut(path: Path) -> bool:
    """Whether a Matroska file is smaller than its segment says (RFC 9559, sizes: RFC 8794, section 6)."""
    with path.open("rb") as file:
        content = file.read(4096)
    place = 0
    for mark in (b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"):
        if content[place : place + 4] != mark or place + 5 > len(content):
            return False
        length = 9 - content[place + 4].bit_length()
        begin = place + 4 + length
        size = int.from_bytes(content[place + 4 : begin], "big") & ((1 << (7 * length)) - 1)
        if size == (1 << (7 * length)) - 1:  # unknown: it was streamed
            return False
        place = begin + size
    return place > path.stat().st_size


def _declared_end_s(container: InputContainer, stream: VideoStream) -> float:
    """Read the end that the video declares, in seconds; 0 where it declares none of its own."""
    if stream.duration:
        return float((stream.duration + (stream.start_time or 0)) * (stream.time_base or 0))
    tag = stream.metadata.get("DURATION", "")
    if re.fullmatch(r"\d+:\d\d:\d\d\.\d+", tag):
        hours, minutes, seconds = tag.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    if len(container.streams) == 1 and container.duration:
        return (container.duration + (container.start_time or 0)) / av.time_base
    return 0.0
