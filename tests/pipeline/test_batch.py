"""Several clips in one command."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rib.background.blend import BlendInterpolator
from rib.commands.interpolate import task
from rib.config.exit_codes import open_standard_streams
from rib.io.errors import RibError
from rib.io.registry import register
from rib.video import open_frame_source

Settings = Callable[..., dict[str, Any]]
PLAIN = ("video=mp4", "video.pictures=false", "write_poses=false", "overwrite=false")


@register("background stage")
class CountedInterpolator(BlendInterpolator):
    """Counts how often it is loaded."""

    loaded = 0

    def __init__(self) -> None:
        super().__init__()
        CountedInterpolator.loaded += 1


@pytest.fixture
def clips(clip: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    for name in ("a.mp4", "c.mp4"):
        shutil.copy(clip, folder / name)
    return folder


def videos(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.mp4"))


@pytest.mark.slow
def test_one_bad_clip_does_not_stop_the_rest(
    clips: Path, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (clips / "b.mp4").write_text("this is no video")
    open_standard_streams()
    unspeakable = clips / os.fsdecode(b"d\xff.mp4")  # its report could not hold it
    shutil.copy(clips / "a.mp4", unspeakable)
    with pytest.raises(RibError, match="2 of 4 clips could not be made"):
        task(settings(clips, "rate=2", *PLAIN, "output=null"))
    assert videos(tmp_path / "clips_20fps") == ["a_20fps.mp4", "c_20fps.mp4"]
    assert (tmp_path / "clips_20fps" / "a_20fps.rib" / "summary.json").is_file()
    told = capsys.readouterr()
    assert "b.mp4" in told.err
    assert "the name is not UTF-8" in told.err
    assert told.out.count("18 frames at 20 a second") == 2
    (clips / "b.mp4").unlink()
    unspeakable.unlink()
    task(settings(clips, "rate=2", *PLAIN, "output=null"))
    assert capsys.readouterr().out.count("done before") == 2


@pytest.mark.slow
def test_a_folder_that_shards_have_made_is_done_for_each_of_them(
    clips: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (*PLAIN, "rate=2", "segment_s=0.3", "output=null")
    for shard in ("0/2", "1/2"):
        task(settings(clips, *words, f"shard={shard}"))
    assert capsys.readouterr().out.count("18 frames at 20 a second") == 2
    for shard in ("shard=0/2", "shard=1/2", "shard=null"):
        task(settings(clips, *words, shard))
        assert capsys.readouterr().out.count("done before") == 2


@pytest.mark.slow
def test_the_nets_are_loaded_once(clips: Path, settings: Settings, tmp_path: Path) -> None:
    CountedInterpolator.loaded = 0
    counted = f"background._target_={__name__}.CountedInterpolator"
    task(settings(clips, "rate=2", counted, *PLAIN, f"output={tmp_path / 'all'}"))
    assert videos(tmp_path / "all") == ["a_20fps.mp4", "c_20fps.mp4"]
    assert CountedInterpolator.loaded == 1


@pytest.mark.slow
def test_several_paths_have_their_results_beside_them(
    clips: Path, settings: Settings, tmp_path: Path
) -> None:
    config = settings(clips / "a.mp4", "rate=2", *PLAIN, "output=null")
    task(replace(config, more_inputs=[str(clips / "c.mp4")]))
    assert videos(clips) == ["a.mp4", "a_20fps.mp4", "c.mp4", "c_20fps.mp4"]


@pytest.mark.slow
def test_clips_of_one_name_do_not_replace_each_other(
    clips: Path, clip: Path, settings: Settings, tmp_path: Path
) -> None:
    shutil.copy(clip, tmp_path / "a.mp4")
    config = settings(clips / "a.mp4", "rate=1", *PLAIN, f"output={tmp_path / 'all'}")
    task(replace(config, more_inputs=[str(tmp_path / "a.mp4")]))
    assert videos(tmp_path / "all") == ["a_10fps.mp4", "a_2_10fps.mp4"]


def test_one_file_for_several_clips_is_refused(clips: Path, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(RibError, match=r"one\.mp4 is one video, but there are 2 inputs"):
        task(settings(clips, "rate=2", *PLAIN, f"output={tmp_path / 'one.mp4'}"))


def test_a_folder_of_one_video_is_that_video(clips: Path, settings: Settings, tmp_path: Path) -> None:
    (clips / "c.mp4").unlink()
    task(settings(clips, "rate=2", *PLAIN, f"output={tmp_path / 'one.mp4'}"))
    assert len(open_frame_source(tmp_path / "one.mp4")) == 18
