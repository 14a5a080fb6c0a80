"""Subtitles, attachments, places and flags that come along with the pictures."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from av.subtitles.subtitle import SubtitleSet

from rib.video import SourceFilePart, VideoWriter, open_frame_source

SIZE = (32, 24)
MS = Fraction(1, 1000)
HEADER = b"""[Script Info]
ScriptType: v4.00+
[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Alignment, Encoding
Style: Default,Arial,16,&Hffffff,2,1
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def film(path: Path, codecs: tuple[str, ...], attachment: bytes | None = None) -> Path:
    """Three seconds with a text at 0, 0.8 and 1.6 s, half a second long, in every subtitle track."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libvpx-vp9" if path.suffix == ".webm" else "libx264", rate=10)
        (video.width, video.height), video.pix_fmt = SIZE, "yuv420p"
        container.metadata["location"] = "+48.8500+002.3500/"
        tracks = [container.add_stream(codec) for codec in codecs]
        if attachment is not None:
            container.add_attachment("Signs.ttf", "font/ttf", attachment)
        for number, track in enumerate(tracks):
            track.codec_context.subtitle_header, track.time_base = HEADER, MS
            track.metadata["language"] = ("eng", "jpn", "fra")[number]
            track.disposition = Disposition.default if number == 1 else Disposition(0)
        for number in range(3):
            for track in tracks:
                text = f"{number},0,Default,,0,0,0,,hello {number}".encode()
                packet = track.codec_context.encode_subtitle(SubtitleSet.create(text=text, start=0, end=500))
                packet.stream, packet.time_base = track, MS
                packet.pts = packet.dts = 800 * number
                packet.duration = 500
                container.mux(packet)
        for index in range(30):
            frame = av.VideoFrame.from_ndarray(np.full((24, 32, 3), index, np.uint8), format="rgb24")
            frame.pts = index
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def rewritten(clip: Path, suffix: str, start_s: float = 0.0, slow: float = 1.0) -> VideoWriter:
    """The clip's pictures from a moment on for 1.5 s, with what comes along."""
    source = open_frame_source(clip)
    origin = SourceFilePart(clip, start_s, start_s + 1.5, slow)
    made = clip.with_name(f"made{suffix}")
    with VideoWriter(made, source.fps, SIZE, "auto", 30, "auto", tags_from=origin) as writer:
        for frame in islice(source, round(15 * slow)):
            writer.write(frame)
    return writer


def shown(path: Path, track: int = 0) -> list[tuple[float, float, str]]:
    """When each text of a track is shown, in seconds, and the text."""
    found = []
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[track]
        for packet in container.demux(stream):
            lines = stream.codec_context.decode2(packet) if packet.size else None
            if lines is not None and len(lines):
                start, length = (float(t * packet.time_base) for t in (packet.pts, packet.duration))
                found.append((round(start, 2), round(length, 2), lines[0].dialogue.decode()))
    return found


WHOLE = [(0.0, 0.5, "hello 0"), (0.8, 0.5, "hello 1")]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov", ".webm"])
@pytest.mark.parametrize(("given", "codec"), [("a.mkv", "subrip"), ("a.mp4", "mov_text")])
def test_subtitles_come_along_into_every_container(
    tmp_path: Path, given: str, codec: str, suffix: str
) -> None:
    writer = rewritten(film(tmp_path / given, (codec,)), suffix)
    assert writer.notes == []
    assert shown(writer.path) == WHOLE


def test_all_tracks_keep_languages_and_flags_and_lost_styles_are_told(tmp_path: Path) -> None:
    clip = film(tmp_path / "a.mkv", ("subrip", "ass", "webvtt"), attachment=b"a font")
    for suffix, kept in ((".mkv", ["srt", "ssa", "webvtt"]), (".mp4", ["mov_text"] * 3)):
        writer = rewritten(clip, suffix)
        with av.open(str(writer.path)) as made:
            tracks = made.streams.subtitles
            assert [t.codec_context.name for t in tracks] == kept
            assert [t.metadata["language"] for t in tracks] == ["eng", "jpn", "fra"]
            assert bool(tracks[1].disposition & Disposition.default)
            said = {key.lower(): value for key, value in made.metadata.items()}
            assert said["location"] == "+48.8500+002.3500/"
            assert [a.data for a in made.streams.attachments] == [b"a font"] * (suffix == ".mkv")
        assert all(shown(writer.path, number) == WHOLE for number in range(3))
        lost = " ".join(writer.notes)
        assert ("track 2 (jpn)" in lost) == ("Signs.ttf" in lost) == (suffix == ".mp4")


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_subtitles_of_a_part_in_slow_motion_follow_it(tmp_path: Path, suffix: str) -> None:
    writer = rewritten(film(tmp_path / "a.mkv", ("subrip",)), suffix, start_s=1.0, slow=2.0)
    assert shown(writer.path) == [(0.0, 0.6, "hello 1"), (1.2, 1.0, "hello 2")]
