"""Subtitle tracks beside new pictures: copied where the file holds their kind, else written as text anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, cast

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.codeccontext import SubtitleCodecContext
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle, SubtitleSet

from rib.video.reading.libav import libav_reason, opened_container
from rib.video.writing.containers import VideoContainer, container_of_muxer
from rib.video.writing.tags import SourceFilePart

TEXT = frozenset({"subrip", "ass", "ssa", "mov_text", "webvtt", "text"})
"""Subtitles that are text; others are pictures."""
STYLED = frozenset({"ass", "ssa", "webvtt"})
"""Text with fonts and places, which other kinds have not."""
MILLISECOND = Fraction(1, 1000)
LONGEST_MS = 10_000
"""A text whose end nobody said is shown for this long."""
UNENCODED_BYTES = 2
"""What a packet of MP4 without text is long: it ends the text before it."""


class TimedSubtitle(NamedTuple):
    """A subtitle and when it is shown in the output, in milliseconds."""

    start_ms: int
    packet: Packet


@dataclass(frozen=True)
class _Track:
    """A track of the input and the stream that it becomes; `anew` where its text is encoded again."""

    given: SubtitleStream
    stream: SubtitleStream
    anew: bool


class SubtitleTracks:
    """Every subtitle track of a file, fed into an output as its pictures advance.

    Args:
        origin: Where the clip comes from; times count from its start, slow motion shows text for longer.
        output: The container that is being written, before its first packet.

    Raises:
        RibError: The file cannot be opened.

    Attributes:
        notes: What was lost, in sentences.
    """

    def __init__(self, origin: SourceFilePart, output: OutputContainer) -> None:
        self.origin, self.notes = origin, list[str]()
        self._output, self._stack = output, ExitStack()
        self._container = self._stack.enter_context(opened_container(origin.path))
        kind = container_of_muxer(output.format.name)
        found = [self._track(stream, kind) for stream in self._container.streams.subtitles]
        self._tracks = {track.given.index: track for track in found if track is not None}
        self._pending: TimedSubtitle | None = None
        self._timed = self._walk() if self._tracks else iter(())

    def advance(self, until_s: float) -> None:
        """Write what begins before `until_s`, counted from the first picture."""
        while True:
            self._pending = self._pending or next(self._timed, None)
            if self._pending is None or self._pending.start_ms >= 1000 * until_s:
                return
            self._output.mux(self._pending.packet)
            self._pending = None

    def close(self) -> None:
        """Let go of the file."""
        self._stack.close()

    def _track(self, given: SubtitleStream, kind: VideoContainer) -> _Track | None:
        """Give the output a stream for a track; None and a note where it cannot hold it."""
        name = _named(given)
        codec = given.codec_context.codec.canonical_name if given.codec_context else "of a kind unknown here"
        if kind.copies_subtitles(codec):
            stream = self._output.add_stream_from_template(given)
        elif codec in TEXT:
            stream = cast(SubtitleStream, self._output.add_stream(kind.subtitle_codec))
            given.codec_context.open()
            encoder = cast(SubtitleCodecContext, stream.codec_context)
            encoder.subtitle_header = cast(SubtitleCodecContext, given.codec_context).subtitle_header
            if codec in STYLED:
                self.notes.append(f"fonts and places of {name}: {kind.name} holds the text")
        else:
            self.notes.append(f"{name}: {kind.name} does not hold {codec}; output=NAME.mkv does")
            return None
        stream.time_base, stream.disposition = MILLISECOND, given.disposition
        for key in ("language", "title"):
            if key in given.metadata:
                stream.metadata[key] = given.metadata[key]
        return _Track(given, stream, not kind.copies_subtitles(codec))

    def _walk(self) -> Iterator[TimedSubtitle]:
        """Every subtitle that is seen beside the pictures; a note where the file breaks."""
        try:
            for packet in self._container.demux([track.given for track in self._tracks.values()]):
                times = self._times(packet)
                if times is None:
                    continue
                track = self._tracks[packet.stream.index]
                made = self._encoded(packet, track) if track.anew else packet
                if made is not None:
                    made.time_base, made.stream = MILLISECOND, cast(Stream, track.stream)
                    made.pts = made.dts = times[0]
                    made.duration = times[1] - times[0]
                    yield TimedSubtitle(times[0], made)
        except av.FFmpegError as error:
            self.notes.append(f"the subtitles of {self.origin.path.name} end early ({libav_reason(error)})")

    def _times(self, packet: Packet) -> tuple[int, int] | None:
        """First and last millisecond in the output; None for what is not seen there."""
        if packet.pts is None or packet.size <= UNENCODED_BYTES:
            return None
        tick_s, origin = Fraction(packet.time_base or 0), self.origin
        first = float(packet.pts * tick_s)
        last = first + (float(packet.duration * tick_s) if packet.duration else LONGEST_MS / 1000)
        begin, end = (
            round(1000 * (min(max(t, origin.start_s), origin.end_s) - origin.start_s) * origin.slow)
            for t in (first, last)
        )
        return (begin, end) if end > begin else None

    def _encoded(self, packet: Packet, track: _Track) -> Packet | None:
        decoder = cast(SubtitleCodecContext, track.given.codec_context)
        shown = decoder.decode2(packet)
        lines = [r.ass for r in shown.rects if isinstance(r, AssSubtitle)] if shown else []
        if not lines:
            return None
        encoder = cast(SubtitleCodecContext, track.stream.codec_context)
        # the encoder has one text a packet
        return encoder.encode_subtitle(SubtitleSet.create(text=_joined(lines), start=0, end=LONGEST_MS))


def _joined(lines: list[bytes]) -> bytes:
    """Dialogues of Advanced SubStation Alpha that are shown at once as one, line below line."""
    return lines[0] + b"".join(b"\\N" + line.split(b",", 8)[-1] for line in lines[1:])


def copy_attachments(origin: SourceFilePart, output: OutputContainer) -> list[str]:
    """Carry fonts and other attachments into a Matroska file, before the first packet.

    Returns:
        Sentences on those that the file does not hold.
    """
    lost = []
    kind = container_of_muxer(output.format.name)
    with opened_container(origin.path) as container:
        for stream in container.streams.attachments:
            name = stream.metadata.get("filename", f"attachment {stream.index}")
            if kind.attachments:
                mimetype = stream.metadata.get("mimetype", "application/octet-stream")
                output.add_attachment(name, mimetype, stream.data or b"")
            else:
                lost.append(f"the attachment {name}: {kind.name} holds none; output=NAME.mkv does")
    return lost


def _named(stream: SubtitleStream) -> str:
    said = ", ".join(stream.metadata[key] for key in ("language", "title") if key in stream.metadata)
    return f"subtitle track {stream.index}" + (f" ({said})" if said else "")
