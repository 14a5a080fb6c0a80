from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from rib.io.errors import RibError
from rib.video import ColourTreatment, VideoSource, open_frame_source, subclip
from rib.video.timing.time_stamps import constant_rate_times

NTSC = Fraction(30000, 1001)
CLIPS = Path(__file__).parents[3] / "shared" / "data" / "video"


def as_opencv_reads(path):
    reader = cv2.VideoCapture(str(path))
    while (got := reader.read())[0]:
        yield got[1][..., ::-1]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.avi", "a.ts", "a.webm"])
def test_every_container_gives_the_frames_and_exact_times(make_clip, name):
    codec = {"avi": "mpeg4", "webm": "libvpx-vp9"}.get(name[2:], "libx264")
    source = open_frame_source(make_clip(name, num_frames=40, fps=NTSC, codec=codec))
    assert len(source) == len(list(source)) == 40
    assert source.fps == NTSC
    assert np.array_equal(source.times_s, constant_rate_times(40, NTSC))
    assert (source.name, source.size_px, source.audio, source.fps_assumed) == ("a", (64, 48), None, False)


@pytest.mark.parametrize(
    ("codec", "pixel_format", "size"),
    [
        ("libx264", "yuv420p", (64, 48)),
        ("libx264", "yuv444p", (63, 47)),
        ("libx264", "yuvj420p", (64, 48)),
        ("ffv1", "yuv420p", (63, 47)),
        ("ffv1", "gray", (64, 48)),
        ("qtrle", "argb", (64, 48)),
    ],
)
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_pixels_are_those_of_opencv_upright(make_clip, codec, pixel_format, size, rotation):
    name = "a.mkv" if codec == "ffv1" else "a.mov"
    path = make_clip(name, 4, codec=codec, pixel_format=pixel_format, size=size, rotation=rotation)
    source = VideoSource(path)
    frames = list(source)
    assert source.size_px == (size if rotation % 180 == 0 else size[::-1])
    for ours, theirs in zip(frames, as_opencv_reads(path), strict=True):
        assert ours.shape == (source.size_px[1], source.size_px[0], 3)
        assert ours.flags.c_contiguous
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize(("tag", "kr", "kb"), [(1, 0.2126, 0.0722), (5, 0.299, 0.114), (2, 0.299, 0.114)])
@pytest.mark.parametrize("full", [False, True])
def test_colours_follow_the_tagged_matrix_and_range(tmp_path, tag, kr, kb, full):
    path, rng = tmp_path / "a.mkv", np.random.default_rng(0)
    yuv = np.stack([rng.integers(low, high, (48, 64)) for low, high in ((60, 200), (100, 150), (100, 150))])
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv444p"
        stream.codec_context.colorspace, stream.codec_context.color_range = tag, 2 if full else 1
        for _ in range(2):
            frame = av.VideoFrame.from_ndarray(yuv.astype(np.uint8), format="yuv444p")
            frame.colorspace, frame.color_range = tag, 2 if full else 1
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    luma = yuv[0] / 255 if full else (yuv[0] - 16) / 219
    blue, red = (yuv[1:] - 128) / (255 if full else 224)
    r, b = luma + 2 * (1 - kr) * red, luma + 2 * (1 - kb) * blue
    expected = np.stack([r, (luma - kr * r - kb * b) / (1 - kr - kb), b], axis=-1).clip(0, 1) * 255
    assert np.abs(next(iter(VideoSource(path))) - expected).max() < 1.6


def test_ten_bits_are_read_as_eight(make_clip):
    plain = next(iter(open_frame_source(make_clip("a.mkv", codec="ffv1", pixel_format="yuv444p"))))
    deep = next(iter(open_frame_source(make_clip("b.mkv", codec="ffv1", pixel_format="yuv444p10le"))))
    assert deep.dtype == np.uint8
    assert np.abs(plain.astype(int) - deep).max() <= 3


def test_walking_twice_gives_the_same_frames(make_clip):
    source = open_frame_source(make_clip())
    first, second = iter(source), iter(source)
    next(second)
    assert all(np.array_equal(a, b) for a, b in zip(list(first)[1:], second, strict=True))


def test_pauses_keep_their_length(make_clip):
    ticks = [500, 533, 567, 800, 833, 867, 900, 1200]
    path = make_clip("a.mkv", 8, ticks=ticks, tick_s=Fraction(1, 1000))
    source = open_frame_source(path)
    assert np.allclose(source.times_s, (np.array(ticks) - 500) / 1000, rtol=0, atol=5e-4)
    assert source.fps == 30
    assert "are missing" in source.notes[0]


def test_frames_before_an_edit_lists_start_are_not_counted(make_clip, tmp_path):
    path, whole = tmp_path / "b.mp4", make_clip(num_frames=40)
    with av.open(str(whole)) as container, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(container.streams.video[0])
        for packet in container.demux(video=0):
            if packet.dts is not None:
                late = round(0.5 / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts - late, packet.dts - late, stream
                output.mux(packet)
    source = open_frame_source(path)
    assert len(source) == 25
    assert source.times_s[0] == 0
    assert all(np.array_equal(a, b) for a, b in zip(source, list(open_frame_source(whole))[15:], strict=True))


def test_a_file_without_frame_times_says_so(make_clip):
    source = open_frame_source(make_clip("a.h264"))
    assert len(source) == 12
    assert source.fps_assumed
    assert "assumed" in source.notes[0]


def test_the_fingerprint_is_the_contents(make_clip, tmp_path):
    path = make_clip()
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(path.read_bytes())
    assert open_frame_source(path).fingerprint() == open_frame_source(copy).fingerprint()
    assert (
        open_frame_source(path).fingerprint() != open_frame_source(make_clip("other.mp4", 13)).fingerprint()
    )


def test_a_rate_for_a_video_is_refused_unless_it_is_its_own(make_clip):
    path = make_clip()
    assert open_frame_source(path, 30).fps == 30
    with pytest.raises(RibError, match="leave input_fps out"):
        open_frame_source(path, 25)


def test_what_is_no_video_is_told_in_one_line(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("hello\n" * 100)
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    os.mkfifo(tmp_path / "pipe.mp4")
    for name, words in {
        "absent.mp4": "does not exist",
        "empty.mp4": "is empty",
        "text.mp4": "cannot be read as a video",
        "list.m3u8": "cannot be read as a video",
        "pipe.mp4": "is not a regular file",
    }.items():
        with pytest.raises(RibError, match=words) as caught:
            open_frame_source(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_sound_alone_is_no_clip(tmp_path):
    path = tmp_path / "sound.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(RibError, match="no video stream"):
        open_frame_source(path)


def test_a_single_frame_is_no_clip(make_clip):
    with pytest.raises(RibError, match="1 frame; a clip needs at least two"):
        open_frame_source(make_clip(num_frames=1))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_video_that_is_cut_short_is_refused_with_both_times(make_clip, name):
    path = make_clip(name, num_frames=60, faststart=name == "a.mp4", options={"crf": "1", "g": "5"})
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    with pytest.raises(RibError, match=r"declares 2\.\d+ s and ends after [01]\.\d+ s.*repaired.mp4"):
        open_frame_source(path)


def test_a_damaged_frame_is_named_when_it_is_reached_and_libav_stays_silent(make_clip, capfd):
    def noise(index, size):
        return np.random.default_rng(index).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)

    path = make_clip(num_frames=30, options={"g": "5"}, paint=noise)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = np.random.default_rng(1).bytes(2000)
    path.write_bytes(content)
    source, seen = open_frame_source(path), 0
    with pytest.raises(RibError, match=r"frame 1\d at 0\.\d+ s cannot be decoded"):  # noqa: PT012 (counts)
        for _ in source:
            seen += 1
    assert 5 < seen < 20
    assert capfd.readouterr().err == ""


GROUPS = {
    "closed": {"g": "20", "bf": "2"},
    "open": {"g": "20", "bf": "3", "x264-params": "open-gop=1"},
    "refresh": {"g": "20", "x264-params": "intra-refresh=1"},
    "one": {"g": "500"},
}


@pytest.mark.parametrize(
    ("name", "groups"),
    [*(("a.mp4", g) for g in GROUPS), *((f"a.{kind}", "closed") for kind in ("mkv", "avi", "ts", "webm"))],
)
@pytest.mark.slow
def test_a_walk_that_begins_late_gives_the_same_frames(make_clip, name, groups):
    codec = {"avi": "mpeg4", "webm": "libvpx-vp9"}.get(name[2:], "libx264")
    options = GROUPS[groups] if codec == "libx264" else {"g": GROUPS[groups]["g"]}
    source = open_frame_source(make_clip(name, num_frames=110, codec=codec, options=options))
    whole = list(source)
    for first in (3, 57, 81, 109):
        late = list(source.frames_from(first))
        assert len(late) == 110 - first
        assert all(np.array_equal(a, b) for a, b in zip(late, whole[first:], strict=True))
    part = subclip(source, 60, 5)
    assert all(np.array_equal(a, b) for a, b in zip(part, whole[60:65], strict=True))


@pytest.mark.slow
def test_a_late_frame_does_not_wait_for_those_before_it(make_clip):
    """A view of late frames never meets the damage before them."""
    path = make_clip(num_frames=400, options={"g": "20"})
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : third + 400] = bytes(400)
    path.write_bytes(content)
    source = open_frame_source(path)
    with pytest.raises(RibError, match="decode"):
        list(source)
    assert len(list(subclip(source, 300, 10))) == 10


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["intel_asl_walk.mkv", "pose2sim_single_cam01.mp4", "sam2_juggle.mp4", "sports2d_demo.mp4"]
)
def test_real_clips_decode_as_opencv_decodes_them(name):
    if not CLIPS.is_dir():
        pytest.skip(f"the real clips are not at {CLIPS}")
    # OpenCV takes an untagged picture of any size for BT.601
    source = open_frame_source(CLIPS / name, colours=ColourTreatment(untagged="601"))
    assert np.array_equal(source.times_s, constant_rate_times(len(source), source.fps))
    assert source.notes == []
    first = len(source) * 2 // 3
    late = source.frames_from(first)
    for index, (ours, theirs) in enumerate(zip(source, as_opencv_reads(CLIPS / name), strict=True)):
        assert np.array_equal(ours, theirs)
        if first <= index < first + 10:
            assert np.array_equal(next(late), theirs)
