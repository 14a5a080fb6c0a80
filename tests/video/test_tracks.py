"""Sound in step with the pictures, all of it, and what a file says of itself."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from rib.video import SoundTrack, SourceFilePart, VideoWriter, open_frame_source

RATE = 48000


def film(
    path: Path,
    codecs: tuple[str, ...] = ("aac",),
    layout: str = "mono",
    bframes: int = 2,
    lasts_s: float = 3,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
) -> Path:
    """75 frames at 25 a second with white ones at 1 and 2 s, and sound tracks with a beep at each."""
    with av.open(str(path), "w", options=options or {}) as container:
        settings = {"g": "25", "crf": "12"} | ({} if codec == "libvpx" else {"bf": str(bframes)})
        stream = container.add_stream(codec, rate=25, options=settings)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        sounds = [container.add_stream(codec, rate=RATE, layout=layout) for codec in codecs]
        for number, sound in enumerate(sounds):
            sound.metadata["language"] = ("eng", "jpn", "fra")[number]
        container.metadata.update({"title": "My film", "creation_time": "2024-05-06T07:08:09.000000Z"})
        container.set_chapters(
            [
                {"id": k, "start": 1000 * k, "end": 1000 * (k + 1), "time_base": Fraction(1, 1000),
                 "metadata": {"title": f"Part {k}"}}
                for k in range(3)
            ]
        )  # fmt: skip
        for k in range(75):
            grey = np.full((48, 64, 3), 255 if k in (25, 50) else 20, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
            frame.pts = k
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        seconds = np.arange(int(lasts_s * RATE)) / RATE
        loud = (seconds % 1 < 0.02) & (seconds >= 1)
        wave = (0.9 * np.sin(2000 * np.pi * seconds) * loud).astype(np.float32)
        for sound in sounds:
            channels = av.AudioLayout(layout).nb_channels
            for first in range(0, len(wave), 1024):
                samples = np.repeat(wave[None, first : first + 1024], channels, axis=0)
                block = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", layout)
                block.sample_rate, block.pts, block.time_base = RATE, first, Fraction(1, RATE)
                container.mux(sound.encode(block))
            container.mux(sound.encode(None))
    return path


def cut_without_decoding(path: Path, made: Path, at_s: Fraction, negative: bool) -> Path:
    """What a cutter leaves that copies packets; with negative stamps, or moved to start at 0."""

    def later_by_s(packet: av.Packet) -> Fraction | None:
        lost = packet.stream.type == "audio" and packet.pts < round(at_s / packet.time_base)
        return None if lost else -at_s

    return remuxed(path, made, {"avoid_negative_ts": "disabled" if negative else "make_zero"}, later_by_s)


def remuxed(
    path: Path, made: Path, options: dict[str, str], later_by_s: Callable[[av.Packet], Fraction | None]
) -> Path:
    """The same packets in another file, each so much later, or left out."""
    with av.open(str(path)) as container, av.open(str(made), "w", options=options) as output:
        streams = {s.index: output.add_stream_from_template(s) for s in container.streams if s.type != "data"}
        packets = []
        for packet in container.demux([container.streams[k] for k in streams]):
            if packet.dts is None:
                continue
            late_s = later_by_s(packet)
            if late_s is None:
                continue
            shift = round(late_s / packet.time_base)
            packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            packet.stream = streams[packet.stream.index]
            packets.append(packet)
        output.mux(sorted(packets, key=lambda p: float(p.dts * p.time_base)))
    return made


def rewritten(clip: Path, start: int = 0) -> tuple[VideoWriter, Path]:
    """The clip's frames written again at their rate, with its sound and what it says of itself."""
    source = open_frame_source(clip)
    made = clip.with_name("made.mp4")
    origin = SourceFilePart(clip, source.audio_start_s, source.audio_start_s + source.duration_s)
    sound = SoundTrack(clip, source.audio_start_s) if source.audio else None
    plain = ("libx264", 12, "yuv420p")
    with VideoWriter(made, source.fps, source.size_px, *plain, audio_from=sound, tags_from=origin) as writer:
        for frame in source:
            writer.write(frame)
    return writer, made


def lags_s(path: Path, track: int = 0) -> list[float]:
    """How much later each beep comes than its white frame."""
    with av.open(str(path)) as container:
        white = [f.time for f in container.decode(video=0) if f.to_ndarray(format="gray8").mean() > 128]
    beeps: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.audio[track]):
            wave = frame.to_ndarray()
            full = np.iinfo(wave.dtype).max if wave.dtype.kind == "i" else 1.0
            at = np.flatnonzero(np.abs(wave.astype(float)).max(axis=0) > 0.2 * full)
            if len(at):
                time = frame.time + at[0] / frame.sample_rate
                beeps += [time] if not beeps or time - beeps[-1] > 0.5 else []
    assert len(beeps) >= len(white)
    return [beep - flash for beep, flash in zip(beeps, white, strict=False)]


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts"])
@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.slow
def test_sound_stays_in_step_wherever_a_cutter_cut(tmp_path: Path, suffix: str, negative: bool) -> None:
    clip = cut_without_decoding(
        film(tmp_path / "film.mp4"), tmp_path / f"cut.{suffix}", Fraction(37, 100), negative
    )
    _, made = rewritten(clip)
    assert np.abs(np.array(lags_s(made)) - lags_s(clip)).max() < 0.02


@pytest.mark.parametrize(
    "codecs", [("aac", "aac"), pytest.param(("ac3", "aac", "flac"), marks=pytest.mark.slow), ()]
)
def test_every_sound_track_is_kept_with_its_language(tmp_path: Path, codecs: tuple[str, ...]) -> None:
    clip = film(tmp_path / "film.mkv", codecs)
    _, made = rewritten(clip)
    with av.open(str(made)) as container:
        tracks = container.streams.audio
        assert [t.metadata.get("language") for t in tracks] == ["eng", "jpn", "fra"][: len(codecs)]
        kept = [t.codec_context.codec.canonical_name for t in tracks]
    assert kept == [codec if codec != "flac" else "aac" for codec in codecs]
    for track in range(len(codecs)):
        assert np.abs(lags_s(made, track)).max() < 0.03


@pytest.mark.parametrize(("layout", "channels"), [("mono", 1), ("stereo", 2), ("5.1", 6)])
def test_sound_that_is_encoded_anew_keeps_its_channels(tmp_path: Path, layout: str, channels: int) -> None:
    _, made = rewritten(film(tmp_path / "film.mkv", ("flac",), layout))
    with av.open(str(made)) as container:
        assert container.streams.audio[0].codec_context.channels == channels


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_title_time_and_chapters_are_kept(tmp_path: Path, suffix: str) -> None:
    writer, made = rewritten(film(tmp_path / f"film.{suffix}"))
    assert writer.notes == []
    with av.open(str(made)) as container:
        assert container.metadata["title"] == "My film"
        assert container.metadata["creation_time"].startswith("2024-05-06T07:08:09")
        chapters = container.chapters()
    assert [c["metadata"]["title"] for c in chapters] == ["Part 0", "Part 1", "Part 2"]
    assert [round(float(c["start"] * c["time_base"])) for c in chapters] == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "options", "late_s", "start_s"),
    [
        ("late_audio.mp4", {}, Fraction(2, 5), Fraction(0)),
        pytest.param(
            "start05.mkv",
            {"avoid_negative_ts": "disabled"},
            Fraction(0),
            Fraction(1, 2),
            marks=pytest.mark.slow,
        ),
        ("frag.mp4", {"movflags": "frag_keyframe+empty_moov+default_base_moof"}, Fraction(0), Fraction(0)),
        pytest.param("live.mkv", {"live": "1"}, Fraction(0), Fraction(0), marks=pytest.mark.slow),
        pytest.param("plain.ts", {}, Fraction(0), Fraction(0), marks=pytest.mark.slow),
    ],
)
def test_sound_stays_in_step_in_files_of_recorders(
    tmp_path: Path, name: str, options: dict[str, str], late_s: Fraction, start_s: Fraction
) -> None:
    clip = remuxed(
        film(tmp_path / "film.mp4"),
        tmp_path / name,
        options,
        lambda packet: start_s + (late_s if packet.stream.type == "audio" else 0),
    )
    _, made = rewritten(clip)
    assert np.abs(np.array(lags_s(made)) - lags_s(clip)).max() < 0.02


@pytest.mark.parametrize(
    ("name", "codec", "sound", "options", "lasts_s"),
    [
        pytest.param("bf.avi", "mpeg4", "libmp3lame", {}, 3, marks=pytest.mark.slow),
        pytest.param("live.webm", "libvpx", "libopus", {"live": "1"}, 3, marks=pytest.mark.slow),
        pytest.param("pcm.mov", "libx264", "pcm_s16le", {}, 3, marks=pytest.mark.slow),
        ("longaudio.mp4", "libx264", "aac", {}, 20),
    ],
)
def test_sound_stays_in_step_in_other_containers_and_ends_with_the_pictures(
    tmp_path: Path, name: str, codec: str, sound: str, options: dict[str, str], lasts_s: float
) -> None:
    clip = film(tmp_path / name, (sound,), lasts_s=lasts_s, codec=codec, options=options)
    _, made = rewritten(clip)
    lags = lags_s(made)
    assert len(lags) == 2
    assert np.abs(np.array(lags) - lags_s(clip)).max() < 0.02
    with av.open(str(made)) as container:
        end_s = max(f.time + f.samples / f.sample_rate for f in container.decode(audio=0))
    assert end_s < 3.1
