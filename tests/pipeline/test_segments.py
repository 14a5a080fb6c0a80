"""Results made segment by segment: the same frames, and work that goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_clips import picture

from rib.io.cache import Cache
from rib.io.errors import RibError
from rib.pipeline.interpolate import interpolate_clip
from rib.pipeline.segments.plan import plan_segments
from rib.pipeline.timeline import constant_rate_timeline
from rib.video import ArraySource, open_frame_source
from rib.video.colour.look import ColourMetadata

Settings = Callable[..., Any]
FRAMES = [picture(index) for index in range(9)]
LOSSLESS = ("video=mp4", "video.codec=ffv1", "rate=2", "segment_s=0.3")


@given(
    steps=st.lists(st.integers(1, 40), min_size=1, max_size=60),
    fps=st.integers(1, 240),
    length_s=st.floats(0.01, 30.0),
    cuts=st.sets(st.integers(1, 59)),
    held_s=st.floats(0.0, 0.2),
)
def test_every_interval_and_frame_is_in_one_segment(
    steps: list[int], fps: int, length_s: float, cuts: set[int], held_s: float
) -> None:
    times_s = np.cumsum([0, *steps]) / 60
    timeline = constant_rate_timeline(times_s, Fraction(fps), times_s[-1] + held_s)
    segments = plan_segments(timeline, sorted(cuts), length_s)
    assert [i for segment in segments for i in segment.intervals] == list(range(timeline.interval[-1] + 1))
    assert all(segment.frames for segment in segments)
    assert [n for segment in segments for n in segment.frames] == list(range(len(timeline)))
    assert [segment.number for segment in segments] == list(range(len(segments)))


def test_segments_are_of_about_one_length_and_end_with_a_shot_near_by() -> None:
    timeline = constant_rate_timeline(np.arange(1000) / 10, Fraction(20), 100.0)
    starts = [segment.intervals.start for segment in plan_segments(timeline, (), 10.0)]
    assert starts == list(range(0, 1000, 100))
    starts = [segment.intervals.start for segment in plan_segments(timeline, (70, 330), 10.0)]
    assert starts[:5] == [0, 70, 170, 270, 330]


class DeepSource(ArraySource):
    """A clip of 16 bits a colour: its stored frames are read when frames are made, where Ctrl-C may come.

    Args:
        stopped_at: Its frame at which that happens.
    """

    def __init__(self, stopped_at: int = 99) -> None:
        super().__init__(FRAMES, 10)
        self.look, self.stopped_at = ColourMetadata(bits=16), stopped_at

    def stored(self) -> Iterator[np.ndarray]:
        for index, frame in enumerate(self):
            if index == self.stopped_at:
                raise KeyboardInterrupt
            yield frame.astype(np.uint16) * 257


def pictures_of(path: Path) -> np.ndarray:
    return np.stack(list(open_frame_source(path).stored()))


@pytest.fixture
def whole(settings: Settings, tmp_path: Path) -> np.ndarray:
    """The frames of a run that nobody stopped, in one segment."""
    film = tmp_path / "whole.mkv"
    config = settings(tmp_path, *LOSSLESS, "segment_s=100", f"output={film}", f"cache.dir={tmp_path / 'c'}")
    interpolate_clip(config, DeepSource())
    return pictures_of(film)


@pytest.mark.parametrize("stopped_at", [1, 5, 8])
@pytest.mark.slow
def test_a_stopped_run_goes_on_and_ends_with_the_same_frames(
    settings: Settings, tmp_path: Path, whole: np.ndarray, stopped_at: int
) -> None:
    film, partial = tmp_path / "film.mkv", tmp_path / "film.partial.mkv"
    config = settings(tmp_path, *LOSSLESS, f"output={film}")
    with pytest.raises(KeyboardInterrupt):
        interpolate_clip(config, DeepSource(stopped_at))
    assert not film.exists()
    there = 2 * max(0, (stopped_at - 1) // 3 * 3)  # three intervals of two frames are a segment
    assert partial.exists() == (there > 0)
    if there:
        assert np.array_equal(pictures_of(partial), whole[:there])
    summary = interpolate_clip(config, DeepSource())
    assert summary["segments"] == {"count": 3, "made_before": there // 6}
    assert np.array_equal(pictures_of(film), whole)
    assert not partial.exists()
    assert not list((tmp_path / "cache").glob("segments-*"))


@pytest.mark.slow
def test_somebody_elses_file_is_not_taken_for_a_partial_video(settings: Settings, tmp_path: Path) -> None:
    partial = tmp_path / "film.partial.mkv"
    partial.write_text("mine")
    config = settings(tmp_path, *LOSSLESS, f"output={tmp_path / 'film.mkv'}")
    with pytest.raises(KeyboardInterrupt):
        interpolate_clip(config, DeepSource(8))
    interpolate_clip(config, DeepSource())
    assert partial.read_text() == "mine"


@pytest.mark.parametrize("damage", ["cut", "gone"])
@pytest.mark.slow
def test_a_damaged_segment_is_made_anew(
    settings: Settings, tmp_path: Path, whole: np.ndarray, damage: str
) -> None:
    config = settings(tmp_path, *LOSSLESS, f"output={tmp_path / 'film.mkv'}")
    with pytest.raises(KeyboardInterrupt):
        interpolate_clip(config, DeepSource(8))
    (video,) = (tmp_path / "cache").glob("segments-*/000000/video.mkv")
    if damage == "cut":
        video.write_bytes(video.read_bytes()[:-50])
    else:
        video.unlink()
    summary = interpolate_clip(config, DeepSource())
    assert summary["segments"]["made_before"] == 1
    assert np.array_equal(pictures_of(tmp_path / "film.mkv"), whole)


@pytest.mark.slow
def test_other_settings_find_no_segments_of_these(settings: Settings, tmp_path: Path) -> None:
    config = settings(tmp_path, *LOSSLESS, f"output={tmp_path / 'film.mkv'}")
    with pytest.raises(KeyboardInterrupt):
        interpolate_clip(config, DeepSource(8))
    other = settings(tmp_path, *LOSSLESS, "rate=3", f"output={tmp_path / 'other.mkv'}")
    assert interpolate_clip(other, DeepSource())["segments"]["made_before"] == 0


def test_the_limit_of_the_cache_spares_a_film_that_waits_to_go_on(tmp_path: Path) -> None:
    folder, _ = Cache(str(tmp_path), 1.0).growing("segments", {}, [])
    (folder / "video.mkv").write_bytes(b"x" * 1000)
    small = Cache(str(tmp_path), 1e-7)
    small.get("other", {}, [], lambda made: (made / "x").write_bytes(b"x" * 1000) and None)
    assert (folder / "video.mkv").exists()


@pytest.mark.slow
def test_shards_make_their_own_segments_and_the_last_joins(
    settings: Settings, tmp_path: Path, whole: np.ndarray
) -> None:
    film = tmp_path / "film.mkv"
    first = interpolate_clip(settings(tmp_path, *LOSSLESS, f"output={film}", "shard=0/2"), DeepSource())
    assert first["segments"] == {"count": 2, "made_before": 0}
    assert first["missing_segments"] == {"1/2": 1}
    assert not film.exists()
    last = interpolate_clip(settings(tmp_path, *LOSSLESS, f"output={film}", "shard=1/2"), DeepSource())
    assert last["output"]["frames"] == 18
    assert np.array_equal(pictures_of(film), whole)
    assert "shard: null" in (tmp_path / "film.rib" / "config.yaml").read_text()
    assert not list((tmp_path / "cache").glob("segments-*"))


@pytest.mark.slow
def test_shards_are_counted_from_0(settings: Settings, tmp_path: Path) -> None:
    for wrong in ("2/2", "1", "-1/2", "a/b", "0/0"):
        with pytest.raises(RibError, match=r"number/count.*shard=0/2"):
            settings(tmp_path, f"shard={wrong}")
