from __future__ import annotations

import os
from fractions import Fraction

import cv2
import numpy as np
import pytest
from PIL import Image

from rib.io.errors import RibError
from rib.video import PictureWriter, exact_fps, open_frame_source

RGB = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def save(folder, *names, picture=RGB, **options):
    folder.mkdir(exist_ok=True)
    for name in names:
        Image.fromarray(picture).save(folder / name, **options)
    return folder


def test_names_are_sorted_by_their_numbers_and_hidden_files_ignored(tmp_path):
    folder = save(tmp_path / "walk", "f10.png", "f9.png", "f1.png", ".f0.png")
    (folder / "notes.txt").touch()
    source = open_frame_source(folder, 7.5)
    assert [p.name for p in source.paths] == ["f1.png", "f9.png", "f10.png"]
    assert (source.name, source.fps, source.size_px, source.fps_assumed) == (
        "walk",
        Fraction(15, 2),
        (32, 24),
        False,
    )
    assert np.array_equal(source.times_s, [0, 2 / 15, 4 / 15])


def test_an_assumed_rate_is_told(tmp_path):
    source = open_frame_source(save(tmp_path, "1.png", "2.png"))
    assert source.fps == 30
    assert source.fps_assumed
    assert "30 frames a second were assumed" in source.notes[0]


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "webp"])
def test_lossless_pictures_give_their_own_rgb(tmp_path, suffix):
    folder = save(tmp_path, f"1.{suffix}", f"2.{suffix}", **({"lossless": True} if suffix == "webp" else {}))
    for frame in open_frame_source(folder):
        assert np.array_equal(frame, RGB)


def test_a_jpeg_gives_what_opencv_decodes(tmp_path):
    folder = save(tmp_path, "1.jpg", "2.JPG")
    frame = next(iter(open_frame_source(folder)))
    assert np.array_equal(frame, cv2.imread(str(folder / "1.jpg"))[..., ::-1])


def test_grey_palette_alpha_and_sixteen_bits_become_rgb(tmp_path):
    grey = RGB[..., 0]
    transparent = np.dstack([RGB, np.zeros_like(grey)])
    palette = Image.fromarray(RGB).quantize(16)
    Image.fromarray(grey).save(tmp_path / "1.png")
    Image.fromarray(transparent).save(tmp_path / "2.png")
    palette.save(tmp_path / "3.png")
    cv2.imwrite(str(tmp_path / "4.png"), grey.astype(np.uint16) * 256 + 200)
    cv2.imwrite(str(tmp_path / "5.png"), RGB[..., ::-1].astype(np.uint16) * 256 + 200)
    Image.fromarray(np.dstack([grey, np.full_like(grey, 255)])).save(tmp_path / "6.png")
    expected = [np.dstack([grey] * 3), 0 * RGB, np.array(palette.convert("RGB")), np.dstack([grey] * 3), RGB]
    for got, wanted in zip(open_frame_source(tmp_path), [*expected, np.dstack([grey] * 3)], strict=True):
        assert got.dtype == np.uint8
        assert np.array_equal(got, wanted)


def test_an_exif_orientation_is_followed(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    source = open_frame_source(save(tmp_path, "1.png", "2.png", exif=exif))
    assert source.size_px == (24, 32)
    assert np.array_equal(next(iter(source)), np.rot90(RGB, -1))


def test_the_fingerprint_follows_content_and_rate(tmp_path):
    one, two = save(tmp_path / "a", "1.png", "2.png"), save(tmp_path / "b", "x1.png", "x2.png")
    assert open_frame_source(one).fingerprint() == open_frame_source(two).fingerprint()
    assert open_frame_source(one).fingerprint() != open_frame_source(one, 25).fingerprint()
    save(two, "x2.png", picture=255 - RGB)
    assert open_frame_source(one).fingerprint() != open_frame_source(two).fingerprint()


def test_unusable_folders_are_told_in_one_line(tmp_path):
    (tmp_path / "empty").mkdir()
    mixed = save(tmp_path / "mixed", "1.png", "2.png")
    save(mixed, "3.png", picture=RGB[:10])
    broken = save(tmp_path / "broken", "1.png", "2.png")
    (broken / "3.png").write_bytes(b"no picture")
    for folder, words in {
        "empty": "holds no pictures",
        "mixed": "1.png is 32 x 24, 3.png is 32 x 10",
        "broken": "3.png cannot be decoded",
    }.items():
        with pytest.raises(RibError, match=words) as caught:
            open_frame_source(tmp_path / folder)
        assert "\n" not in str(caught.value)
    with pytest.raises(RibError, match=r"holds 1 picture .*at least two"):
        open_frame_source(save(tmp_path / "single", "1.png"))
    with pytest.raises(RibError, match="input_fps=-1 is not a frame rate"):
        open_frame_source(mixed, -1)


def test_a_picture_that_ends_early_is_named(tmp_path):
    folder = save(tmp_path, "1.png", "2.png")
    content = (folder / "2.png").read_bytes()
    (folder / "2.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(RibError, match=r"2\.png cannot be decoded"):
        list(open_frame_source(folder))


@pytest.mark.parametrize("compression", [0, 1, 9])
def test_written_pictures_read_back_the_same(tmp_path, compression):
    frames = [np.roll(RGB, shift, axis=1) for shift in range(3)]
    with PictureWriter(tmp_path / "frames", compression) as writer:
        for frame in frames:
            writer.write(frame)
    assert [p.name for p in sorted(tmp_path.glob("**/*.png"))] == ["000000.png", "000001.png", "000002.png"]
    assert all(
        np.array_equal(a, b) for a, b in zip(open_frame_source(tmp_path / "frames"), frames, strict=True)
    )


def test_a_shorter_run_leaves_no_picture_of_the_longer_one_and_nothing_else_is_touched(tmp_path):
    folder = tmp_path / "frames"
    for num_frames in (5, 2):
        with PictureWriter(folder, 1) as writer:
            for _ in range(num_frames):
                writer.write(RGB)
        (folder / "notes.txt").touch()
    assert sorted(p.name for p in folder.iterdir()) == ["000000.png", "000001.png", "notes.txt"]


def test_a_failed_run_leaves_the_older_pictures(tmp_path):
    with PictureWriter(tmp_path / "frames", 1) as writer:
        writer.write(RGB)
    with pytest.raises(KeyboardInterrupt), PictureWriter(tmp_path / "frames", 1) as writer:  # noqa: PT012
        writer.write(255 - RGB)
        raise KeyboardInterrupt
    assert [p.name for p in tmp_path.iterdir()] == ["frames"]
    assert np.array_equal(cv2.imread(str(tmp_path / "frames" / "000000.png"))[..., ::-1], RGB)


def test_a_compression_outside_zlibs_range_is_refused(tmp_path):
    with pytest.raises(RibError, match="0 to 9"):
        PictureWriter(tmp_path, 10)


def test_what_is_too_large_is_refused_before_memory_is_taken(tmp_path):
    for index in range(2):
        Image.new("1", (10_000, 9_000)).save(tmp_path / f"{index}.png")
    with pytest.raises(RibError, match=r"10000 x 9000 px, 90.0 million, more than max_mpx=34; .*max_mpx=90"):
        open_frame_source(tmp_path, 10, max_mpx=34)
    assert open_frame_source(tmp_path, 10, max_mpx=90).size_px == (10_000, 9_000)


def test_a_fifo_in_the_folder_is_refused_and_not_waited_for(tmp_path):
    for index in range(2):
        Image.new("L", (8, 8)).save(tmp_path / f"{index}.png")
    os.mkfifo(tmp_path / "2.png")
    with pytest.raises(RibError, match=r"2\.png is a FIFO"):
        open_frame_source(tmp_path, 10)


@pytest.mark.parametrize("fps", ["1e9", "1e99999999", "1e-9", "nan", "inf", "9" * 5000, "1/9" + "9" * 50])
def test_a_rate_that_no_clip_has_is_refused_at_once(fps):
    with pytest.raises(RibError, match="is not a frame rate"):
        exact_fps(fps)
