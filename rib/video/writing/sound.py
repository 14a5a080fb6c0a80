"""A clip's sound beside new pictures: copied where the file can hold it, else encoded, in step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path
from typing import cast

import av
import av.filter
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from rib.io.errors import RibError
from rib.video.reading.libav import libav_reason, opened_container, video_stream
from rib.video.writing.containers import container_of_muxer

PREROLL_S = 0.1
"""Packets this long before the first picture are kept: decoders start clean with them, MP4 hides them."""
AAC_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1"}
"""By number of channels."""
ATEMPO_LEAD_S = 0.024
"""What `atempo` makes twice as slow comes early by so much (a click's centre, at 48 kHz; with n times as slow
it is n - 1 times that within 10 ms)."""


@dataclass(frozen=True)
class SoundTrack:
    """The sound that goes beside new pictures.

    Attributes:
        path: The file that holds it.
        start_s: When the first new picture is shown on that file's own clock; None for the moment of the
            first picture that the decoder gives.
        slow: How many times slower it is played, at the same pitch.
    """

    path: Path
    start_s: float | None = None
    slow: float = 1.0


class SoundStreams:
    """Every sound stream of a file, each as `SoundStream` says."""

    def __init__(self, track: SoundTrack, output: OutputContainer) -> None:
        with opened_container(track.path) as container:
            count = len(container.streams.audio)
        self._sounds = [SoundStream(track, output, number) for number in range(count)]

    @property
    def notes(self) -> list[str]:
        """Sentences about what was lost."""
        return [note for sound in self._sounds for note in sound.notes]

    def advance(self, until_s: float) -> None:
        """Write what sounds before `until_s`, counted from the first picture."""
        for sound in self._sounds:
            sound.advance(until_s)

    def finish(self, end_s: float) -> None:
        """Write what sounds before the end of the pictures, and flush."""
        for sound in self._sounds:
            sound.finish(end_s)

    def close(self) -> None:
        """Let go of the file."""
        for sound in self._sounds:
            sound.close()


class SoundStream:
    """One sound stream of a file, fed into an output as its pictures advance.

    Args:
        track: Which sound; times count from the first new picture.
        output: The container that is being written, before its first packet.
        number: Which of the file's sound streams, from 0.

    Raises:
        RibError: The file cannot be opened.

    Attributes:
        notes: What was lost, in sentences.
    """

    def __init__(self, track: SoundTrack, output: OutputContainer, number: int = 0) -> None:
        self.path, self.slow, self.notes = track.path, track.slow, list[str]()
        self._output, self._stack = output, ExitStack()
        self._start_s = first_picture_time_s(track.path) if track.start_s is None else track.start_s
        container = self._stack.enter_context(opened_container(track.path))
        source = container.streams.audio[number] if container.streams.audio else None
        self._pending: tuple[float, Packet | AudioFrame] | None = None
        self._timed: Iterator[tuple[float, Packet | AudioFrame]] = iter(())
        self._encodes = False
        if source is None:
            return
        if source.codec_context is None:
            self.notes.append(f"the sound of {track.path.name} is of a kind unknown here and was left out")
            return
        kind = container_of_muxer(output.format.name)
        holds = kind.copies(source.codec_context.codec.canonical_name)
        self._encodes = self.slow != 1 or not holds
        if not holds:
            codec = source.codec_context.codec.canonical_name
            lost = f"{kind.name} does not hold it, it became {kind.sound_name}"
            self.notes.append(f"{codec} of sound track {number + 1}: {lost}")
        self._stream = _aac_like(source, output) if self._encodes else output.add_stream_from_template(source)
        self._stream.disposition = source.disposition
        for name in ("language", "title"):
            if name in source.metadata:
                self._stream.metadata[name] = source.metadata[name]
        self._timed = self._walk(container, source)
        if self.slow != 1:
            self._timed = stretch_sound(self._timed, source, self.slow)

    def advance(self, until_s: float) -> None:
        """Write what sounds before `until_s`, counted from the first picture."""
        while True:
            self._pending = self._pending or next(self._timed, None)
            if self._pending is None or self._pending[0] >= until_s:
                return
            self._write(self._pending[1])
            self._pending = None

    def finish(self, end_s: float) -> None:
        """Write what sounds before the end of the pictures, and flush."""
        self.advance(end_s)
        if self._encodes:
            self._output.mux(self._stream.encode(None))

    def close(self) -> None:
        """Let go of the file."""
        self._stack.close()

    def _walk(
        self, container: InputContainer, source: AudioStream
    ) -> Iterator[tuple[float, Packet | AudioFrame]]:
        """Packets to copy or frames to encode, each with its time; a note where the sound breaks."""
        tick_s = Fraction(source.time_base or 1)
        shift = round(Fraction(self._start_s) / tick_s)
        earliest_s = 0.0 if self._encodes else -PREROLL_S
        time_s = 0.0
        try:
            items = container.decode(source) if self._encodes else container.demux(source)
            for item in items:
                if item.pts is None:
                    continue
                item.pts -= shift
                if isinstance(item, Packet) and item.dts is not None:
                    item.dts -= shift
                time_s = float(item.pts * Fraction(item.time_base or tick_s))
                if time_s >= earliest_s or self._reaches(item, time_s):
                    yield time_s, item
        except av.FFmpegError as error:
            self.notes.append(f"the sound of {self.path.name} ends at {time_s:.2f} s ({libav_reason(error)})")

    def _reaches(self, item: Packet | AudioFrame, time_s: float) -> bool:
        """Whether a stretched frame from before the first picture sounds beyond it; the rest is cut off."""
        if self.slow == 1 or not isinstance(item, AudioFrame):
            return False
        return time_s + item.samples / item.sample_rate > 0

    def _write(self, item: Packet | AudioFrame) -> None:
        if isinstance(item, Packet):
            item.stream = self._stream
            self._output.mux(item)
        else:
            self._output.mux(self._stream.encode(item))


def stretch_sound(
    frames: Iterator[tuple[float, Packet | AudioFrame]], source: AudioStream, slow: float
) -> Iterator[tuple[float, Packet | AudioFrame]]:
    """Sound played slower at the same pitch, by libav's `atempo`, from the moment 0 on.

    Args:
        frames: Decoded frames whose times count from that moment.
        source: The stream that they are of.
        slow: How many times slower.
    """
    graph = av.filter.Graph()
    links = [graph.add_abuffer(template=source)]
    # silence before a late sound, and a cut before an early one, so that the first sample stands at 0
    links.append(graph.add("aresample", "async=1:first_pts=0"))
    links += [graph.add("atempo", f"{tempo:.9f}") for tempo in _tempos(slow)]
    links.append(graph.add("asetpts", f"(N/SR+{ATEMPO_LEAD_S * (slow - 1):.6f})/TB"))
    links.append(graph.add("abuffersink"))
    for one, other in pairwise(links):
        one.link_to(other)
    graph.configure()
    for item in chain(frames, [None]):
        graph.push(item[1] if item else None)  # type: ignore[arg-type]
        while True:
            try:
                frame = cast(AudioFrame, graph.pull())
            except (av.BlockingIOError, av.EOFError):
                break
            yield float((frame.pts or 0) * Fraction(frame.time_base or 0)), frame


def _tempos(slow: float) -> list[float]:
    """Factors from 0.5 on, which is as slow as one filter sounds well, that give 1 / slow together."""
    count = max(1, math.ceil(math.log2(slow)))
    return [slow ** (-1 / count)] * count


def first_picture_time_s(path: Path) -> float:
    """Read the time of a file's first picture on the file's own clock; 0 where it has none."""
    with opened_container(path) as container:
        try:
            frame = next(container.decode(video_stream(container, path)))
        except (RibError, StopIteration, av.FFmpegError):
            return 0.0
        return frame.time or 0.0


def _aac_like(source: AudioStream, output: OutputContainer) -> AudioStream:
    """A stream of the container's own sound codec at the nearest rate and with as many channels as it has."""
    codec = container_of_muxer(output.format.name).sound_codec
    rates = av.Codec(codec, "w").audio_rates or [source.rate]
    rate = min(rates, key=lambda r: abs(r - source.rate))
    layout = AAC_LAYOUTS.get(source.codec_context.channels, "stereo")
    return cast(AudioStream, output.add_stream(codec, rate=rate, layout=layout))
