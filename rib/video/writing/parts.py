"""A video put together from parts that were encoded before: nothing is encoded again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from rib.io.errors import RibError
from rib.video.writing.writer import VideoWriter


@dataclass(frozen=True)
class VideoPart:
    """Some frames of a video, encoded on their own, so that they begin with a whole picture.

    Attributes:
        path: A file of `part_suffix`, written by a `VideoWriter` of the same recipe without sound and tags.
        order: That writer's `encoded_order`.
    """

    path: Path
    order: Sequence[int]

    def packets(self) -> Iterator[Packet]:
        """The encoded frames in the order of the file.

        Raises:
            RibError: The file holds another number of frames.
        """
        count = 0
        with av.open(str(self.path)) as container:
            for packet in container.demux(video=0):
                if packet.size:
                    count += 1
                    yield packet
        if count != len(self.order):
            raise RibError(f"{self.path} holds {count} frames, expected {len(self.order)}")


def part_suffix(codec: str) -> str:
    """The kind of file for parts: Matroska, but QuickTime for ProRes, of which there are several kinds."""
    return ".mov" if codec.startswith("prores") else ".mkv"


class JoinedVideoWriter(VideoWriter):
    """Writes a video from its parts; sound, tags and the file's form are those of `VideoWriter`.

    Args:
        parts: In order, at least one.
        path: The file.
        recipe: As of `VideoWriter`.
    """

    def __init__(self, parts: Sequence[VideoPart], path: str | Path, *recipe: Any, **more: Any) -> None:
        super().__init__(path, *recipe, **more)
        self._parts = parts

    def write_parts(self) -> None:
        """Append all parts.

        A frame's decoding time is the moment at which that frame is shown which comes so many places earlier
        as frames wait in the decoder for those shown before them.
        """
        waiting = max(n - shown for part in self._parts for n, shown in enumerate(part.order))
        for part in self._parts:
            first = self._count
            for packet, shown in zip(part.packets(), part.order, strict=True):
                packet.time_base, packet.pts = self._tick_s, self._ticks(first + shown)
                packet.dts = self._ticks(self._count - waiting)
                packet.duration = self._ticks(first + shown + 1) - packet.pts
                packet.stream = self._stream
                self._advance(self._count)
                self._container.mux(packet)
                self._count += 1

    def _ticks(self, index: int) -> int:
        at = super()._ticks
        return at(index) if index >= 0 else at(0) + index * (at(1) - at(0))

    def _add_stream(self, container: OutputContainer) -> VideoStream:
        with av.open(str(self._parts[0].path)) as first:
            template = first.streams.video[0]
            stream = cast(VideoStream, container.add_stream_from_template(template, opaque=True))
            if "alpha_mode" in template.metadata:  # transparency of VP9, beside its pictures
                stream.metadata["alpha_mode"] = template.metadata["alpha_mode"]
            tag = template.codec_context.codec_tag if self.codec.startswith("prores") else self._codec_tag
            if tag:
                stream.codec_context.codec_tag = tag
        stream.time_base = self._tick_s
        stream.codec_context.sample_aspect_ratio = self.look.pixel_aspect
        return stream

    def _flush(self) -> None:
        """Nothing is held back."""
