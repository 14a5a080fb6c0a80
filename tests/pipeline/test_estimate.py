"""What is told before and while a result is made."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rib.commands.interpolate import task
from rib.config.compose import compose
from rib.io.errors import RibError
from rib.pipeline.outputs.estimate import WorkEstimate, estimate_work
from rib.pipeline.outputs.words import duration_in_words

Settings = Callable[..., dict[str, Any]]
HD = (1920, 1080)


def guess(*typed: str, frames: int = 33) -> WorkEstimate:
    return estimate_work(
        compose("interpolate", "input=x", "rate=4", *typed), frames // 4, frames, 24, HD, "cpu"
    )


@pytest.mark.slow
def test_size_and_time_are_of_the_order_that_was_measured() -> None:
    assert 0.6e6 < guess().size_bytes < 3e6  # 1.3 MB
    assert 35e6 < guess("video=frames", "video.pictures=true").size_bytes < 140e6  # 71 MB
    assert guess("background=blend", "render=none").seconds < guess("render=none").seconds < guess().seconds
    assert not guess("background=blend", "render=none").is_long
    assert "33 frames of 1920 x 1080 px, 24 of them made: roughly" in str(guess())


@pytest.mark.slow
def test_too_little_space_is_told(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    tight, huge = (replace(guess(), size_bytes=share * free) for share in (2, 100))
    assert "are free in" in str(tight.lacking(tmp_path / "a" / "b.mp4"))
    with pytest.raises(RibError, match=r"no space left to write .*b\.mp4"):
        huge.lacking(tmp_path / "a" / "b.mp4")
    assert guess().lacking(tmp_path / "a.mp4") is None


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 s"), (75, "75 s"), (600, "10 min"), (9000, "2.5 h")])
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert duration_in_words(seconds) == words


@pytest.mark.parametrize(
    ("typed", "out", "err"),
    [
        pytest.param([], "9 frames at 10", "", marks=pytest.mark.slow),
        (["quiet=true"], "", ""),
        pytest.param(["verbose=true"], "9 frames at 10", "roughly", marks=pytest.mark.slow),
    ],
)
def test_as_much_is_told_as_was_asked_for(
    typed: list[str], out: str, err: str, clip: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    task(settings(clip, "rate=1", *typed))
    told = capsys.readouterr()
    assert told.out.startswith(out)
    assert bool(told.out) == bool(out)
    assert err in told.err
    assert bool(told.err) == bool(err)


def test_quiet_and_verbose_exclude_each_other(clip: Path, settings: Settings) -> None:
    with pytest.raises(RibError, match="type one of them"):
        task(settings(clip, "rate=1", "quiet=true", "verbose=true"))
