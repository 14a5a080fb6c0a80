"""What an input may name, and in which order its pictures come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rib.io.errors import RibError
from rib.video import open_frame_source
from rib.video.reading.inputs import clips_named_by_input, expand_inputs
from rib.video.reading.sequence import in_numeric_order, missing_numbers


def grey(level: int, size: tuple[int, int] = (16, 8)) -> Image.Image:
    return Image.fromarray(np.full((size[1], size[0], 3), level, np.uint8))


def sequence(folder: Path, names: Sequence[str]) -> Path:
    """Pictures whose grey is their place."""
    folder.mkdir()
    for level, name in enumerate(names):
        grey(10 * level).save(folder / name)
    return folder


def levels(input: Path | str, only: str | None = None) -> list[int]:
    return [round(int(frame[0, 0, 0]) / 10) for frame in open_frame_source(input, 12, only=only)]


def test_gaps_in_the_numbers_are_told(tmp_path: Path) -> None:
    folder = sequence(tmp_path / "seq", [f"frame_{i:04d}.png" for i in (1, 2, 3, 4, 9, 10, 11, 12)])
    (told,) = open_frame_source(folder, 12).not_kept
    assert "pictures 5 to 8 are missing: frame_0004.png is followed by frame_0009.png" in told


@pytest.mark.parametrize(
    "names",
    [
        [f"{i:03d}.png" for i in range(0, 50, 10)],
        ["a.png", "b.png", "c.png"],
        [f"{i}.png" for i in (3, 17, 100, 231)],
        [f"frame{i}.png" for i in range(-3, 4)],
        ["2026-01-30.png", "2026-01-31.png", "2026-02-01.png"],
    ],
)
def test_names_that_count_evenly_or_not_at_all_lack_none(names: list[str]) -> None:
    assert missing_numbers([Path(name) for name in names]) == []


@pytest.mark.parametrize(
    "names",
    [
        [f"frame{i}.png" for i in (-3, -2, -1, 0, 1, 2, 3)],
        [f"take-{i}.png" for i in (1, 2, 10, 11)],
        ["a1_9.png", "a1_10.png", "a2_1.png"],
        ["IMG_9.JPG", "IMG_10.png", "IMG_11.jpg"],
    ],
)
def test_pictures_come_in_the_order_of_their_numbers(names: list[str]) -> None:
    assert [path.name for path in in_numeric_order(Path(name) for name in reversed(names))] == names


def test_a_stray_is_named_and_can_be_left_out(tmp_path: Path) -> None:
    folder = sequence(tmp_path / "seq", [f"{i:04d}.png" for i in range(4)])
    grey(0, (8, 4)).save(folder / "thumbnail.png")
    with pytest.raises(RibError, match=r"thumbnail\.png is 8 x 4; .*input_glob=\[0-9\]\*\.png"):
        open_frame_source(folder, 12)
    assert levels(folder, "[0-9]*.png") == [0, 1, 2, 3]


@pytest.mark.parametrize("pattern", ["seq/%04d.png", "seq/%d.png", "seq/000*.png", "s*q/*.png"])
def test_patterns_name_pictures(tmp_path: Path, pattern: str) -> None:
    sequence(tmp_path / "seq", [f"{i:04d}.png" for i in range(4)])
    named = str(tmp_path / pattern)
    source = open_frame_source(named, 12)
    assert (levels(named), source.name, source.fps) == ([0, 1, 2, 3], "seq", 12)


@pytest.mark.parametrize("suffix", ["webp", "png", "apng", "gif"])
def test_animations_keep_their_times(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    first, *rest = [grey(51 * i).convert("P" if suffix == "gif" else "RGB") for i in range(6)]
    extra = {"lossless": True} if suffix == "webp" else {}
    kind = "PNG" if suffix == "apng" else None
    first.save(path, kind, save_all=True, append_images=rest, duration=40, loop=0, **extra)
    source = open_frame_source(path)
    assert (len(source), source.fps, source.duration_s) == (6, Fraction(25), pytest.approx(0.24))
    frames = [round(int(frame[0, 0, 0]) / 51) for frame in source]
    assert frames == list(range(6))


def test_a_still_picture_is_no_clip(tmp_path: Path) -> None:
    for suffix in ("png", "webp", "jpg"):
        grey(0).save(tmp_path / f"a.{suffix}")
        with pytest.raises(RibError, match="at least two"):
            open_frame_source(tmp_path / f"a.{suffix}")


@pytest.fixture
def videos(tmp_path: Path, make_clip: Callable[..., Path]) -> Path:
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("b.mp4", "a.mkv"):
        (folder / name).write_bytes(b"")
    (folder / "notes.txt").touch()
    (folder / "poster.jpg").touch()
    return folder


def test_a_folder_names_its_videos(videos: Path, tmp_path: Path) -> None:
    both = [str(videos / name) for name in ("a.mkv", "b.mp4")]
    assert clips_named_by_input(str(videos)) == both
    assert clips_named_by_input(str(videos), "*.mp4") == both[1:]
    assert clips_named_by_input(str(videos / "*.m*")) == both
    with pytest.raises(RibError, match=r"holds 2 clips, such as .*a\.mkv"):
        open_frame_source(videos)
    (videos / "poster2.jpg").touch()
    with pytest.raises(RibError, match=r"2 pictures and 2 videos.*input_glob=\*\.jpg or input_glob=\*\.mkv"):
        clips_named_by_input(str(videos))


def test_a_list_names_clips_beside_itself(videos: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("# mine\nvideos/b.mp4\n\nvideos\n")
    assert clips_named_by_input(f"@{listed}") == [str(videos / name) for name in ("b.mp4", "a.mkv", "b.mp4")]
    listed.write_text("videos/b.mp4\n", encoding="utf-8-sig")  # as Windows writes it
    assert clips_named_by_input(f"@{listed}") == [str(videos / "b.mp4")]
    for text, words in (("", "names nothing"), ("@list.txt", "another list")):
        listed.write_text(text)
        with pytest.raises(RibError, match=words):
            clips_named_by_input(f"@{listed}")
    with pytest.raises(RibError, match="cannot be read"):
        clips_named_by_input("@nowhere.txt")


def test_one_of_several_that_names_nothing_is_told_in_its_turn(videos: Path) -> None:
    named = [str(videos / "b.mp4"), "nowhere/*.mp4"]
    assert list(expand_inputs(named)) == named
    with pytest.raises(RibError, match="no file is called"):
        list(expand_inputs(named[1:]))
