"""A result as one video file with its papers beside it, and where it lies when nobody says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest
from small_clips import picture

from rib.config.compose import compose
from rib.config.repeat import register_repeated_config
from rib.io.errors import RibError
from rib.pipeline.interpolate import interpolate_clip
from rib.video import ArraySource, open_frame_source

Settings = Callable[..., dict[str, Any]]
PLAIN = ("video=mp4", "video.pictures=false", "write_poses=false")


def names(folder: Path) -> set[str]:
    """Of the files in a folder, without what the fixtures put there."""
    made = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {
        path.as_posix() for path in made if path.parts[0] not in ("poses", "cache", "pictures", "clip.mp4")
    }


@pytest.mark.parametrize(
    ("suffix", "codec"), [("mp4", "h264"), ("mkv", "h264"), ("mov", "h264"), ("webm", "vp9")]
)
@pytest.mark.slow
def test_a_video_is_written_under_its_name_with_its_papers_beside_it(
    clip: Path, settings: Settings, tmp_path: Path, suffix: str, codec: str
) -> None:
    video = tmp_path / f"made.{suffix}"
    summary = interpolate_clip(settings(clip, "rate=2", *PLAIN, f"output={video}", "video.crf=40"))
    assert names(tmp_path) == {
        f"made.{suffix}", f"made.rib/made.{suffix}.json", "made.rib/config.yaml", "made.rib/summary.json",
        "made.rib/intervals.csv",
    }  # fmt: skip
    assert summary["output"]["place"] == str(video)
    made = open_frame_source(video)
    assert (len(made), made.fps, sum(1 for _ in made)) == (18, 20, 18)
    with av.open(str(video)) as container:
        assert container.streams.video[0].codec_context.codec.canonical_name == codec


@pytest.mark.slow
def test_without_papers_the_video_stands_alone_and_is_never_replaced(
    clip: Path, settings: Settings, tmp_path: Path
) -> None:
    bare = (*PLAIN, f"output={tmp_path / 'a.mp4'}", "sidecar=false")
    with pytest.raises(RibError, match="report was given, but sidecar=false leaves it out"):
        settings(clip, "rate=1", *bare, "report=true")
    config = settings(clip, "rate=1", *bare)
    interpolate_clip(config)
    assert names(tmp_path) == {"a.mp4"}
    with pytest.raises(RibError, match=r"a\.mp4 was not made by rib"):
        interpolate_clip(config)


@pytest.mark.slow
def test_a_finished_video_is_replaced_when_asked_and_another_s_is_not(
    clip: Path, settings: Settings, tmp_path: Path
) -> None:
    config = settings(clip, "rate=1", *PLAIN, f"output={tmp_path / 'a.mp4'}", "report=true")
    interpolate_clip(config)
    with pytest.raises(RibError, match=r"already holds a finished result \(a\.mp4.*overwrite=true"):
        interpolate_clip(replace(config, overwrite=False))
    interpolate_clip(replace(config, rate=2, report=False))
    assert len(open_frame_source(tmp_path / "a.mp4")) == 18
    assert not (tmp_path / "a.rib" / "report.html").exists()
    (tmp_path / "a.mp4").write_text("mine")
    with pytest.raises(RibError, match="was changed since"):
        interpolate_clip(config)
    assert (tmp_path / "a.mp4").read_text() == "mine"


@pytest.mark.slow
def test_a_list_of_papers_cannot_name_what_lies_beside(
    clip: Path, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    config = settings(clip, "rate=1", *PLAIN, f"output={tmp_path / 'a.mp4'}")
    interpolate_clip(config)
    listed = tmp_path / "a.rib" / "a.mp4.json"
    content = json.loads(listed.read_text())
    content["files"]["notes.txt"] = {"size": 4, "digest": None}
    listed.write_text(json.dumps(content))
    interpolate_clip(config)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        pytest.param(["rate=2"], "clip_20fps", marks=pytest.mark.slow),
        (["fps=59.94"], "clip_59.94fps"),
        pytest.param(["slow=2"], "clip_10fps", marks=pytest.mark.slow),
    ],
)
def test_a_result_without_a_place_stands_beside_its_input(
    clip: Path, settings: Settings, tmp_path: Path, wanted: list[str], name: str
) -> None:
    interpolate_clip(settings(clip, *wanted, *PLAIN, "output=null"))
    assert (tmp_path / f"{name}.mp4").is_file()
    assert (tmp_path / f"{name}.rib" / "summary.json").is_file()


def test_pictures_without_a_place_stand_in_a_folder_beside_their_input(
    pictures: Path, settings: Settings, tmp_path: Path
) -> None:
    interpolate_clip(settings(pictures, "rate=2", "input_fps=10", "video=frames", "output=null"))
    assert len(list((tmp_path / "pictures_20fps" / "frames").glob("*.png"))) == 18


def test_pictures_and_poses_asked_for_lie_among_the_papers(
    clip: Path, settings: Settings, tmp_path: Path
) -> None:
    interpolate_clip(settings(clip, "rate=1", "video=mp4", f"output={tmp_path / 'a.mkv'}"))
    assert {folder: len(list((tmp_path / "a.rib" / folder).iterdir())) for folder in ("frames", "poses")} == {
        "frames": 9, "poses": 9,
    }  # fmt: skip


MISTAKES = {
    ("output=a.avi", *PLAIN): r"name it a\.mp4",
    ("output=a.mp4", "video=frames"): "names a video, but no video is written",
    ("output=a.mp4", "layout=reference", *PLAIN): "layout=reference writes folders",
    ("output=a.webm", "video=mp4", "video.codec=libx264"): r"cannot hold what libx264 makes.*a\.mkv",
    ("output=clip.mp4", *PLAIN): "would be written, which is input",
}


@pytest.mark.parametrize(
    "typed",
    [pytest.param(typed, marks=[pytest.mark.slow] * (typed[0] != "output=a.mp4")) for typed in MISTAKES],
    ids=" ".join,
)
def test_a_name_that_cannot_be_is_refused_before_any_work(
    clip: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    before = clip.read_bytes()
    with pytest.raises(RibError, match=MISTAKES[typed]):
        interpolate_clip(settings(clip, "rate=2", *typed))
    assert names(tmp_path) == set()
    assert clip.read_bytes() == before


def test_a_folder_of_that_name_stays_a_folder(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").mkdir()
    source = ArraySource([picture(i) for i in range(9)], fps=10)
    interpolate_clip(settings(tmp_path, "rate=1", *PLAIN, f"output={tmp_path / 'a.mp4'}"), source)
    assert (tmp_path / "a.mp4" / "video.mp4").is_file()


@pytest.mark.parametrize("named", ["a.mp4", "a.rib"])
@pytest.mark.slow
def test_a_video_is_repeated_beside_itself(
    clip: Path, settings: Settings, tmp_path: Path, named: str
) -> None:
    interpolate_clip(settings(clip, "rate=1", *PLAIN, f"output={tmp_path / 'a.mp4'}"))
    verb, typed, _ = register_repeated_config(str(tmp_path / named), [])
    assert (verb, typed) == ("interpolate", [f"output={tmp_path / 'a_2.mp4'}"])
    for result in ("a.mp4", "a.rib"):
        with pytest.raises(RibError, match="is the result that is repeated"):
            register_repeated_config(str(tmp_path / named), [f"output={tmp_path / result}"])


def test_papers_in_a_folder_cannot_be_left_out() -> None:
    with pytest.raises(RibError, match=r"sidecar was given, but output= is a folder"):
        compose("interpolate", "input=x", "rate=2", "output=out/", "sidecar=false")
