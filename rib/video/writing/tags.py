"""Metadata of a file besides pictures and sound: title, time, place, chapters."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.container import OutputContainer
from av.stream import DataStream, Disposition

from rib.video.reading.libav import opened_container

TAGS = (
    *("title", "artist", "album", "comment", "description", "copyright", "date", "creation_time", "genre"),
    *("location", "location-eng", "make", "model", "com.apple.quicktime.location.ISO6709"),
)
"""Tags that are carried over; a muxer's own (encoder, brands) are not."""
MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True)
class SourceFilePart:
    """The part of a file that a clip is.

    Attributes:
        path: The file.
        start_s: When the clip starts on the file's clock.
        end_s: When it ends there.
        slow: How many times longer the output lasts.
    """

    path: Path
    start_s: float
    end_s: float
    slow: float = 1.0


def copy_metadata_tags(origin: SourceFilePart, output: OutputContainer) -> list[str]:
    """Carry title, creation time, place and chapters over, before the first packet.

    Args:
        origin: Where the clip comes from.
        output: The container that is being written.

    Returns:
        Sentences on the file's other tracks, which are not carried over.
    """
    start_s, end_s, slow = origin.start_s, origin.end_s, origin.slow
    with opened_container(origin.path) as container:
        output.metadata.update({k: v for k, v in container.metadata.items() if k.lower() in TAGS})
        place = next((v for k, v in container.metadata.items() if "location" in k.lower()), None)
        if place:
            output.metadata["location"] = place
        chapters: list[Any] = []
        for chapter in container.chapters():
            tick = chapter["time_base"]
            if tick is None:
                continue
            begin, end = (
                (min(max(float(chapter[side] * tick), start_s), end_s) - start_s) * slow
                for side in ("start", "end")
            )
            if end > begin:
                times = {"start": round(begin * 1000), "end": round(end * 1000)}
                chapters.append({**chapter, **times, "time_base": MILLISECOND})
        if chapters:
            output.set_chapters(chapters)
        covers = [s for s in container.streams.video if s.disposition & Disposition.attached_pic]
        pictures = [s for s in container.streams.video if s.codec_context is not None and s not in covers]
        lost = ["the cover picture"] * bool(covers)
        lost += [f"video track {s.index}: the first is taken" for s in pictures[1:]]
        data = [s for s in container.streams.data if not (container.chapters() and _tells_chapters(s))]
        lost += [f"data track {s.index}{_said(s)}" for s in data]
        return lost


def _said(stream: DataStream) -> str:
    """What a track is called, in brackets."""
    name = stream.metadata.get("handler_name", "").strip("\0 ")
    return f" ({name})" if name else ""


def _tells_chapters(stream: DataStream) -> bool:
    """Whether it looks like the text of QuickTime's chapters, which come along as such."""
    name = _said(stream).lower()
    return not name or any(word in name for word in ("subtitle", "text", "chapter"))
