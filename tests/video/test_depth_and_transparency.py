"""More than 8 bits a colour and transparency: read, kept by the files that hold them, told for the others."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from PIL import Image

from rib.video import PictureWriter, VideoWriter, open_frame_source, subclip
from rib.video.colour.high_bit_depth import decoded_to_rgb16, rgb16_to_encoder_frame, rgb16_to_rgb8

SIZE = (64, 48)


def disc(index: int) -> np.ndarray:
    """A red disc with a soft edge on a transparent ground that is stored as green."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    alpha = np.clip(16 - np.hypot(x - 20 - 6 * index, y - 24), 0, 4) / 4
    rgb = np.where(alpha[..., None] > 0, [230, 60, 40], [0, 255, 0])
    return np.dstack([rgb, alpha * 255]).astype(np.uint8)


def store(path: Path, codec: str, pixel_format: str, num_frames: int = 4, **options: str) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=12, options=options)
        (stream.width, stream.height), stream.pix_fmt = SIZE, pixel_format
        for index in range(num_frames):
            frame = av.VideoFrame.from_ndarray(disc(index), format="rgba").reformat(format=pixel_format)
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def prores(path: Path) -> Path:
    return store(path, "prores_ks", "yuva444p10le")


def webm(path: Path) -> Path:
    return store(path, "libvpx-vp9", "yuva420p", crf="8", b="0")


def folder(path: Path) -> Path:
    path.mkdir()
    for index in range(4):
        Image.fromarray(disc(index)).save(path / f"{index}.png")
    return path


def rewritten(source: Any, made: Path, **settings: Any) -> VideoWriter:
    plain = {"codec": "auto", "crf": 8, "pixel_format": "auto", "look": source.look, **settings}
    with VideoWriter(made, Fraction(12), source.size_px, **plain) as writer:
        for frame in source.stored():
            writer.write(frame)
    return writer


def animation(path: Path) -> Path:
    pictures = [Image.fromarray(disc(k)) for k in range(4)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=80, lossless=True)
    return path


@pytest.mark.parametrize(
    ("make", "name"),
    [(prores, "a.mov"), (webm, "a.webm"), (folder, "pictures"), (animation, "a.webp"), (animation, "a.png")],
)
def test_transparency_is_read_and_shows_black_to_who_wants_opaque_frames(
    tmp_path: Path, make: Any, name: str
) -> None:
    source = open_frame_source(make(tmp_path / name))
    stored, shown = list(source.stored()), list(source)
    assert len(stored) == len(shown) == 4
    for index in range(4):
        assert np.abs(rgb16_to_rgb8(stored[index])[..., 3].astype(int) - disc(index)[..., 3]).mean() < 1
        assert shown[index][2, 2].max() < 4
        assert np.abs(shown[index][24, 20 + 6 * index].astype(int) - (230, 60, 40)).max() < 8
    assert source.not_kept == []
    part = subclip(source, 1, 2, crop_xywh_px=(0, 0, 32, 48))
    assert np.array_equal(next(iter(part.stored())), stored[1][:, :32])


@pytest.mark.parametrize("make", [prores, webm, folder])
@pytest.mark.parametrize("suffix", ["mov", "webm", "mkv"])
def test_files_that_hold_transparency_keep_it(tmp_path: Path, make: Any, suffix: str) -> None:
    source = open_frame_source(make(tmp_path / ("a.mov" if make is prores else "a.webm")))
    writer = rewritten(source, tmp_path / f"made.{suffix}")
    assert not any("transparency" in note for note in writer.notes)
    made = open_frame_source(tmp_path / f"made.{suffix}")
    for before, after in zip(source.stored(), made.stored(), strict=True):
        off = np.abs(rgb16_to_rgb8(before)[..., 3].astype(int) - rgb16_to_rgb8(after)[..., 3])
        assert off.mean() < 0.5
        inside = rgb16_to_rgb8(before)[..., 3] == 255
        assert np.abs(rgb16_to_rgb8(before)[inside].astype(int) - rgb16_to_rgb8(after)[inside]).mean() < 6


def test_files_that_hold_none_show_the_ground_and_say_so(tmp_path: Path) -> None:
    source = open_frame_source(webm(tmp_path / "a.webm"))
    writer = rewritten(source, tmp_path / "made.mp4", ground=(0, 0, 255))
    assert any("transparency: shown over #0000ff" in note for note in writer.notes)
    shown = next(iter(open_frame_source(tmp_path / "made.mp4")))
    assert np.abs(shown[2, 2].astype(int) - (0, 0, 255)).max() < 12


def moving(kind: str, place: Path, solid: list[bool]) -> Path:
    """Three pictures with an alpha channel, opaque or with a hole, in some kind of file."""
    pictures = []
    for index, opaque in enumerate(solid):
        rgba = disc(index)
        rgba[..., 3] = 255 if opaque else np.where(rgba[..., 3] > 128, 255, 0)
        pictures.append(Image.fromarray(rgba))
    if kind == "folder":
        for index, one in enumerate(pictures):
            one.save(place / f"{index}.png")
        return place
    path = place / f"a.{kind}"
    if kind == "mov":
        with av.open(str(path), "w") as container:
            stream = container.add_stream("prores_ks", rate=12)
            stream.height, stream.width = disc(0).shape[:2]
            stream.pix_fmt = "yuva444p10le"
            for one in pictures:
                frame = av.VideoFrame.from_ndarray(np.array(one), format="rgba")
                container.mux(stream.encode(frame.reformat(format="yuva444p10le")))
            container.mux(stream.encode(None))
        return path
    more = {"lossless": True} if kind == "webp" else {"disposal": 2} if kind == "gif" else {}
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=80, loop=0, **more)
    return path


@pytest.mark.parametrize(
    ("kind", "solid"),
    [
        *((kind, [solid] * 3) for kind in ("folder", "gif", "webp", "png", "mov") for solid in (True, False)),
        *((kind, [True, True, False]) for kind in ("folder", "webp", "png", "mov")),
    ],
)
def test_an_alpha_channel_counts_where_something_shines_through(
    tmp_path: Path, kind: str, solid: list[bool]
) -> None:
    source = open_frame_source(moving(kind, tmp_path, solid), 12 if kind == "folder" else None)
    assert source.look.alpha == (not all(solid))
    for frame, opaque in zip(source.stored(), solid, strict=True):
        assert frame.shape[2] == 3 + (not all(solid))
        if source.look.alpha:
            white = np.iinfo(frame.dtype).max
            assert (frame[..., 3].min() > 0.97 * white) == opaque


def test_pictures_keep_their_transparent_colours_bit_by_bit(tmp_path: Path) -> None:
    source = open_frame_source(folder(tmp_path / "pictures"))
    with PictureWriter(tmp_path / "made", 1) as writer:
        for frame in source.stored():
            writer.write(frame)
    for index in range(4):
        made = np.array(Image.open(tmp_path / "made" / f"{index:06d}.png"))
        assert np.array_equal(made, disc(index))


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_pictures_of_16_bits_are_read_with_all_of_them(tmp_path: Path, grey: bool, suffix: str) -> None:
    numbers = np.random.default_rng(0).integers(0, 65536, (24, 32) if grey else (24, 32, 3)).astype(np.uint16)
    for index in range(2):
        cv2.imwrite(str(tmp_path / f"{index}.{suffix}"), numbers if grey else numbers[..., ::-1])
    source = open_frame_source(tmp_path)
    wanted = np.repeat(numbers[..., None], 3, axis=2) if grey else numbers
    assert np.array_equal(next(source.stored()), wanted)
    assert np.array_equal(next(iter(source)), wanted >> 8)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", [1, 5, 9])
@pytest.mark.parametrize("pixel_format", ["yuv444p10le", "yuv444p12le", "yuva444p10le"])
def test_the_numbers_of_a_file_come_back_through_rgb(full: bool, matrix: int, pixel_format: str) -> None:
    channels = 4 if "a" in pixel_format else 3
    picture = np.random.default_rng(0).integers(0, 65536, (32, 48, channels)).astype(np.uint16)
    stored = rgb16_to_encoder_frame(picture, VideoReformatter(), pixel_format, matrix, full)
    again = decoded_to_rgb16(stored, VideoReformatter(), matrix, full, channels == 4)
    step = 65535 / (1 << stored.format.components[0].bits)
    assert np.abs(again.astype(int) - picture).max() < 2.5 * step
    second = rgb16_to_encoder_frame(again, VideoReformatter(), pixel_format, matrix, full)
    for one, other in zip(stored.planes, second.planes, strict=True):
        numbers = [np.frombuffer(plane, np.uint16).astype(int) for plane in (one, other)]
        assert np.abs(numbers[0] - numbers[1]).max() <= 1


def ramp_clip(path: Path, codec: str, transfer: int) -> Path:
    """A slow ramp of 10-bit luma, of which 8 bits show every fourth step."""
    with av.open(str(path), "w") as container:
        options = {"x265-params": "log-level=none:lossless=1"} if codec == "libx265" else {"qp": "0"}
        stream = container.add_stream(codec, rate=10, options=options)
        stream.width, stream.height, stream.pix_fmt = 256, 64, "yuv420p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = 9, transfer, 9
        for index in range(3):
            frame = av.VideoFrame(256, 64, "yuv420p10le")
            luma = np.broadcast_to(400 + np.arange(256, dtype=np.uint16), (64, 256))
            for plane, numbers in zip(frame.planes, (luma, 512, 512), strict=True):
                rows = np.zeros((plane.height, plane.line_size // 2), np.uint16)
                rows[:, : plane.width] = numbers
                plane.update(rows.tobytes())
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def luma_of(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        plane = next(container.decode(video=0)).planes[0]
        return np.frombuffer(plane, np.uint16).reshape(plane.height, -1)[:, : plane.width].astype(int)


@pytest.mark.parametrize("transfer", [16, 18])
def test_every_step_of_ten_bits_is_kept(tmp_path: Path, transfer: int) -> None:
    source = open_frame_source(ramp_clip(tmp_path / "a.mp4", "libx264", transfer))
    writer = rewritten(source, tmp_path / "made.mp4", codec="libx264", crf=0)
    assert writer.notes == []
    assert np.abs(luma_of(tmp_path / "made.mp4") - luma_of(source.file or Path())).max() <= 1


def test_ten_bits_that_become_eight_are_told(tmp_path: Path) -> None:
    source = open_frame_source(ramp_clip(tmp_path / "a.mp4", "libx264", 1))
    writer = rewritten(source, tmp_path / "made.mp4", codec="libx264")
    assert "10 bits a colour became 8 (video.pixel_format=yuv420p10le" in writer.notes[0]
    assert rewritten(source, tmp_path / "other.mp4", codec="libx265").notes == []
