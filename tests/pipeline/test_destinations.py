"""What the commands never touch: the user's footage, and whatever else lies where a result would go."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_clips import person

from rib.commands.upsample import command
from rib.config.compose import compose
from rib.io.errors import RibError
from rib.keypoint_files import write_openpose_json
from rib.pipeline.interpolate import interpolate_clip
from rib.pipeline.upsample import upsample_poses

Settings = Callable[..., dict[str, Any]]


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and "cache" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("case", ["pictures", "video", "own files", "reference"])
def test_sources_and_own_files_are_refused_before_any_work(
    case: str, clip: Path, pictures: Path, settings: Settings, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    words, source, extra = "would be written, which is input", here / "frames", []
    if case == "pictures":
        shutil.copytree(pictures, source)
    elif case == "video":
        source, extra = clip.rename(here / "video.mp4"), ["video=mp4", "video.pictures=false"]
    elif case == "own files":
        words, source = "config.yaml was not made by rib", clip
        (here / "config.yaml").write_text("a: 1")
        shutil.copytree(pictures, here / "frames")
    else:
        source, extra = here / "Generated_frames" / "dance", ["layout=reference"]
        shutil.copytree(pictures, source)
    before = content(here)
    with pytest.raises(RibError, match=words):
        interpolate_clip(settings(source, "rate=2", f"output={here}", *extra))
    assert content(here) == before


@pytest.mark.slow
def test_a_finished_result_is_refused_and_replaced_when_asked(
    clip: Path, settings: Settings, tmp_path: Path
) -> None:
    interpolate_clip(settings(clip, "rate=1", "overwrite=false"))
    before = content(tmp_path / "out")
    with pytest.raises(RibError, match="type overwrite=true"):
        interpolate_clip(settings(clip, "rate=2", "overwrite=false"))
    assert content(tmp_path / "out") == before


def test_names_that_hydra_would_misread_become_folders(
    clip: Path, settings: Settings, tmp_path: Path
) -> None:
    strange = clip.rename(tmp_path / "[4K] ${oc.env:HOME}, é = ok.mp4")
    interpolate_clip(settings(strange, "rate=1", f"output={tmp_path / 'Café (1) = [x] ${y}'}"))
    assert (tmp_path / "Café (1) = [x] ${y}" / "frames" / "000000.png").is_file()


def upsampled(folder: Path, *overrides: str) -> list[tuple[str, int]]:
    config = compose(
        "upsample",
        f"input={folder}",
        f"output={folder.parent / 'out'}",
        "rate=2",
        "motion=linear",
        *overrides,
    )
    return [(clip.name, clip.given) for clip in upsample_poses(config)]


def test_upsampled_clips_keep_their_names(tmp_path: Path) -> None:
    for name in ("walk.01", "walk.02"):
        write_openpose_json(person(4), tmp_path / "in" / name)
    assert upsampled(tmp_path / "in") == [("walk.01", 4), ("walk.02", 4)]
    assert all(len(list((tmp_path / "out" / name).glob("*.json"))) == 7 for name in ("walk.01", "walk.02"))


def test_poses_that_files_lack_are_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["rib"])
    write_openpose_json(person(9), tmp_path / "walk")
    for number in (4, 5):
        (tmp_path / "walk" / f"{number:06d}_keypoints.json").unlink()
    command(["input=walk", "input_fps=10", "rate=2", "motion=linear"])
    assert "files 4 to 5 are missing: 000003_keypoints.json" in capsys.readouterr().out
    for file in (tmp_path / "walk").iterdir():
        file.write_text('{"people": []}')
    command(["input=walk", "input_fps=10", "rate=2", "motion=linear", "overwrite=true"])
    assert "no person is in any of the files" in capsys.readouterr().out


@pytest.mark.slow
def test_clips_that_are_done_are_not_done_again_and_others_are_refused(tmp_path: Path) -> None:
    write_openpose_json(person(4), tmp_path / "in" / "a")
    upsampled(tmp_path / "in")
    with pytest.raises(RibError, match="type overwrite=true"):
        upsampled(tmp_path / "in")
    write_openpose_json(person(4), tmp_path / "in" / "b")
    assert upsampled(tmp_path / "in") == [("a", 0), ("b", 4)]
    with pytest.raises(RibError, match="type overwrite=true"):  # of other settings
        upsampled(tmp_path / "in", "input_fps=7")
    assert upsampled(tmp_path / "in", "input_fps=7", "overwrite=true") == [("a", 4), ("b", 4)]


def test_a_file_beside_a_folder_of_its_name_is_refused(tmp_path: Path) -> None:
    write_openpose_json(person(4), tmp_path / "in" / "a")
    (tmp_path / "in" / "a.json").write_text("[]")
    with pytest.raises(RibError, match=r"both a\.json and a folder a/"):
        upsampled(tmp_path / "in")
    with pytest.raises(RibError, match="lies in input"):
        upsampled(tmp_path / "in" / "a", f"output={tmp_path / 'in' / 'a'}")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_file_never_replaces_what_came_of_a_folder_of_its_name(tmp_path: Path) -> None:
    write_openpose_json(person(4), tmp_path / "in" / "a")
    upsampled(tmp_path / "in")
    before = content(tmp_path / "out")
    entries = [
        {"image_id": f"{n}.jpg", "keypoints": [5.0 + n, 6.0, 0.9] * 17, "score": 2.0} for n in range(4)
    ]
    (tmp_path / "a.json").write_text(json.dumps(entries))
    for more in ([], ["overwrite=true"]):
        with pytest.raises(RibError, match=r"a/000000_keypoints\.json was not made by rib"):
            upsampled(tmp_path / "a.json", *more)
    assert content(tmp_path / "out") == before
    assert upsampled(tmp_path / "a.json", f"output={tmp_path / 'other'}") == [("a", 4)]
    with pytest.raises(RibError, match="not made by rib"):
        upsampled(tmp_path / "in", f"output={tmp_path / 'other'}", "overwrite=true")
    assert upsampled(tmp_path / "a.json", f"output={tmp_path / 'other'}", "overwrite=true") == [("a", 4)]
