from __future__ import annotations

import resource
from fractions import Fraction

import av
import numpy as np
import pytest

from rib.io.errors import RibError
from rib.video import VideoWriter, open_frame_source

NTSC = Fraction(30000, 1001)
FLAT = np.kron(np.random.default_rng(0).integers(40, 216, (3, 4, 3)), np.ones((16, 16, 1))).astype(np.uint8)
PLAIN = {"codec": "libx264", "crf": 10, "pixel_format": "yuv420p"}


def write(path, frames, fps=NTSC, **options):
    height, width, _ = frames[0].shape
    with VideoWriter(path, fps, (width, height), **{**PLAIN, **options}) as writer:
        for frame in frames:
            writer.write(frame)
    return writer


def clip_with_a_beep(path, codec="aac", rate=48000, sound_from_s=0.0, pictures_from_s=0.0, sound_s=2.0):
    """Black pictures, one white second of its 30th frame at 30 fps, and a beep that begins with it."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libvpx" if path.suffix == ".webm" else "libx264", rate=30)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream(codec, rate=rate, layout="mono")
        for index in range(60):
            picture = np.full((48, 64, 3), 255 if index == 30 else 0, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index + round(pictures_from_s * 30), Fraction(1, 30)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        time_s = np.arange(round(sound_from_s * rate), round((pictures_from_s + sound_s) * rate)) / rate
        beeps = (time_s >= pictures_from_s + 1) & (time_s < pictures_from_s + 1.1)
        wave = (np.where(beeps, np.sin(2000 * np.pi * time_s), 0) * 16000).astype(np.int16)
        for start in range(0, len(wave), 1024):
            frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="s16", layout="mono")
            frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
            frame.pts = start + round(sound_from_s * rate)
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path


def beep_and_end_s(path):
    """When the beep begins and when the sound ends, on the clock of the first picture."""
    with av.open(str(path)) as container:
        first = next(container.decode(video=0)).time
    with av.open(str(path)) as container:
        heard = [
            (f.time, f.sample_rate, f.to_ndarray().reshape(-1)[: f.samples])
            for f in container.decode(audio=0)
        ]
    time_s = np.concatenate([start + np.arange(len(wave)) / rate for start, rate, wave in heard]) - first
    wave = np.abs(np.concatenate([wave.astype(float) for _, _, wave in heard]))
    return time_s[wave > 0.3 * wave.max()][0], time_s[-1]


def test_frames_come_back_with_their_rate_and_colours(tmp_path):
    frames = [np.roll(FLAT, 16 * shift, axis=1) for shift in range(12)]
    write(tmp_path / "a.mp4", frames, pixel_format="yuv444p")
    source = open_frame_source(tmp_path / "a.mp4")
    assert (source.fps, source.size_px, len(source)) == (NTSC, (64, 48), 12)
    for ours, frame in zip(source, frames, strict=True):
        assert np.abs(ours.astype(int) - frame).mean() < 2


def test_the_file_is_tagged_and_its_index_lies_in_front(tmp_path):
    write(tmp_path / "a.mp4", [FLAT] * 3)
    with av.open(str(tmp_path / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.colorspace, context.color_range, context.color_primaries, context.color_trc) == (
            1,
            1,
            1,
            1,
        )
    content = (tmp_path / "a.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg4", "libvpx-vp9", "libsvtav1"])
def test_every_encoder_at_hand_takes_a_quality_and_odd_sizes(tmp_path, codec, capfd):
    frame = FLAT[:47, :63]
    try:
        for crf in (4, 40):
            write(tmp_path / f"{crf}.mp4", [frame] * 4, codec=codec, crf=crf)
    except RibError as error:
        pytest.skip(f"this build of libav lacks an encoder: {error}")
    source = open_frame_source(tmp_path / "4.mp4")
    assert (source.size_px, source.fps) == ((64, 48), NTSC)
    for ours in source:
        assert np.abs(ours[:47, :63].astype(int) - frame).mean() < 8
        assert np.abs(ours[:, 63].astype(int) - ours[:, 62]).mean() < 8
    assert (tmp_path / "4.mp4").stat().st_size > (tmp_path / "40.mp4").stat().st_size
    if codec != "libsvtav1":  # warns of pictures this small in its own way
        assert capfd.readouterr().err == ""


def test_full_colour_resolution_keeps_odd_sizes(tmp_path):
    assert write(tmp_path / "a.mp4", [FLAT[:47, :63]] * 3, pixel_format="yuv444p").notes == []
    assert open_frame_source(tmp_path / "a.mp4").size_px == (63, 47)
    half = write(tmp_path / "b.mp4", [FLAT[:47, :63]] * 3)
    assert [note for note in half.notes if "63 x 47 px became 64 x 48" in note]


@pytest.mark.parametrize(
    ("name", "options", "becomes"),
    [
        ("plain.mp4", {}, "aac"),
        ("late_sound.mp4", {"sound_from_s": 0.5}, "aac"),
        ("late_sound.mkv", {"sound_from_s": 0.5}, "aac"),
        ("late_pictures.mp4", {"pictures_from_s": 0.4}, "aac"),
        ("late_pictures.mkv", {"pictures_from_s": 0.4}, "aac"),
        ("transport.ts", {}, "aac"),
        ("opus.webm", {"codec": "libopus"}, "opus"),
        ("mp3.mp4", {"codec": "libmp3lame", "rate": 44100}, "mp3"),
        ("pcm.mkv", {"codec": "pcm_s16le", "rate": 44100, "pictures_from_s": 0.4}, "aac"),
        ("flac.mkv", {"codec": "flac", "rate": 44100, "sound_from_s": 0.5}, "aac"),
        ("long.mp4", {"sound_s": 4.0}, "aac"),
    ],
)
def test_sound_stays_in_step_and_ends_with_the_pictures(tmp_path, name, options, becomes):
    source = open_frame_source(clip_with_a_beep(tmp_path / name, **options))
    assert source.audio == tmp_path / name
    frames = [frame for frame in source for _ in range(2)]
    writer = write(tmp_path / "out.mp4", frames, fps=source.fps * 2, audio_from=source.audio)
    anew = name in ("pcm.mkv", "flac.mkv")
    assert [("became AAC" in note) for note in writer.notes] == ([True] if anew else [])
    beep_s, end_s = beep_and_end_s(tmp_path / "out.mp4")
    assert beep_s == pytest.approx(1, abs=0.002)
    assert 1.95 < end_s < 2.05
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.audio[0].codec_context.codec.canonical_name == becomes
    white = [k for k, frame in enumerate(open_frame_source(tmp_path / "out.mp4")) if frame.mean() > 128]
    assert white == [60, 61]


def test_a_shorter_video_cuts_the_sound(tmp_path):
    source = open_frame_source(clip_with_a_beep(tmp_path / "a.mp4"))
    write(tmp_path / "out.mp4", list(source)[:36], fps=source.fps, audio_from=source.audio)
    assert beep_and_end_s(tmp_path / "out.mp4")[1] < 1.25


def test_a_file_without_sound_gives_a_silent_video(make_clip, tmp_path):
    write(tmp_path / "out.mp4", [FLAT] * 3, audio_from=make_clip())
    assert open_frame_source(tmp_path / "out.mp4").audio is None


class Interrupted(list):
    """Frames after which the user presses Ctrl-C."""

    def __iter__(self):
        yield from super().__iter__()
        raise KeyboardInterrupt


def test_a_failed_block_leaves_nothing_and_keeps_the_older_video(tmp_path):
    write(tmp_path / "a.mp4", [FLAT] * 3)
    before = (tmp_path / "a.mp4").read_bytes()
    for num_frames in (1, 100):
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path / "a.mp4", Interrupted([FLAT] * num_frames))
    assert list(tmp_path.iterdir()) == [tmp_path / "a.mp4"]
    assert (tmp_path / "a.mp4").read_bytes() == before


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 0.999])
def test_a_full_disk_is_told_whenever_it_is_noticed(tmp_path, share):
    noise = list(np.random.default_rng(0).integers(0, 256, (12, 48, 64, 3), dtype=np.uint8))
    path = tmp_path / "a.mp4"
    write(path, noise)
    limit = int(path.stat().st_size * share)
    path.unlink()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(RibError, match=r"no space left to write .*a.mp4"):
            write(path, noise)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_the_same_frames_give_the_same_file(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        write(tmp_path / name, [np.roll(FLAT, k, axis=0) for k in range(20)])
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("a.mp4", {"codec": "libx246"}, "choose one of: .*libvpx-vp9"),
        ("a.mp4", {"crf": 60}, "0 .best. to 51 for libx264"),
        ("a.mp4", {"pixel_format": "rgb24"}, "choose one of: .*yuv420p"),
        ("a.avi", {}, "name it a.mp4"),
    ],
)
def test_impossible_settings_are_refused_before_a_file_is_made(tmp_path, name, options, words):
    with pytest.raises(RibError, match=words):
        VideoWriter(tmp_path / name, NTSC, (64, 48), **{**PLAIN, **options})
    assert list(tmp_path.iterdir()) == []


def test_frames_of_another_size_and_empty_videos_are_refused(tmp_path):
    with pytest.raises(RibError, match=r"frame 1 of a.mp4 is uint8 of shape \(40, 64, 3\)"):
        write(tmp_path / "a.mp4", [FLAT, FLAT[:40]])
    with (
        pytest.raises(RibError, match="no frame was written"),
        VideoWriter(tmp_path / "a.mp4", NTSC, (64, 48), **PLAIN),
    ):
        pass
    assert list(tmp_path.iterdir()) == []
