"""`rib inspect` and the table of intervals."""

from __future__ import annotations

import csv
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from small_clips import person

from rib.config.compose import compose
from rib.io.errors import RibError
from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.interpolate import interpolate_clip
from rib.pipeline.outputs.inspection import result_in_words
from rib.pipeline.outputs.interval_table import (
    NOT_ASKED,
    NOT_DRAWN,
    NOT_TRUSTED,
    IntervalRow,
    IntervalTable,
    curves,
    write_intervals_csv,
)
from rib.pipeline.outputs.record import OutputRecord
from rib.pipeline.timeline import constant_rate_timeline
from rib.structures.keypoints import PoseTracks

Settings = Callable[..., Any]


def row(number: int, trusted: float = 0.0) -> IntervalRow:
    return IntervalRow(number, number / 10, (number + 1) / 10, 1, 1, 1, trusted, 0.5, float(number), "")


def test_a_page_gets_few_points_of_many_intervals() -> None:
    rows = [row(number, number % 2) for number in range(18_000)]
    found = curves(rows)
    assert {len(values) for values in found.values()} == {400}
    assert max(found["travel_torsos"]) == 17_999.0
    assert found["trusted"][0] == pytest.approx(0.5, abs=0.02)
    assert curves(rows[:3])["start_s"] == [0.0, 0.1, 0.2]


def test_the_table_has_a_row_an_interval(tmp_path: Path) -> None:
    write_intervals_csv(tmp_path / "intervals.csv", [row(0), row(1)])
    lines = list(csv.DictReader((tmp_path / "intervals.csv").open()))
    assert [line["interval"] for line in lines] == ["0", "1"]
    assert lines[1]["travel_torsos"] == "1.0"


@pytest.mark.parametrize(
    ("looked", "draws", "why"),
    [(True, True, NOT_TRUSTED), (True, False, NOT_DRAWN), (False, False, NOT_ASKED)],
)
def test_an_interval_without_a_rendered_person_says_why(looked: bool, draws: bool, why: str) -> None:
    poses = person(9)
    tracks, timeline = PoseTracks.of([poses]), constant_rate_timeline(poses.times_s, Fraction(20))
    analysis = ClipAnalysis(poses.times_s, timeline, (), tracks, tracks, None, looked_for_people=looked)
    record = OutputRecord()
    record.add(3, 0.0)
    rows = list(IntervalTable(analysis, [record], draws))
    assert [made.why for made in rows] == ["", "", "", why, "", "", "", ""]


@pytest.mark.slow
def test_a_result_is_told_from_its_folder_or_its_video(
    clip: Path, settings: Settings, tmp_path: Path
) -> None:
    film = tmp_path / "film.mkv"
    interpolate_clip(settings(clip, "rate=2", "video=mp4", "video.codec=ffv1", f"output={film}"))
    told = list(result_in_words(film))
    assert told[0] == "clip: 9 frames at 10 a second, 64 x 48 px, became 18 at 20, 0.90 s"
    assert f"the interpolator alone for 0.80 s: {NOT_DRAWN}" in told
    assert list(result_in_words(tmp_path / "film.rib")) == told
    assert len(list(csv.DictReader((tmp_path / "film.rib" / "intervals.csv").open()))) == 8


@pytest.mark.parametrize(
    "summary", ["", "[", "[1]", "{}", '{"input": 3, "output": []}', "[" * 100_000, '{"people": [{"x": NaN}]}']
)
def test_a_summary_that_is_none_is_told_in_one_line(tmp_path: Path, summary: str) -> None:
    (tmp_path / "summary.json").write_text(summary)
    with pytest.raises(RibError, match=r"summary\.json (cannot be read|is no summary)"):
        list(result_in_words(tmp_path))


def test_where_no_result_is_that_is_told(tmp_path: Path) -> None:
    with pytest.raises(RibError, match="no result of rib interpolate is in"):
        list(result_in_words(tmp_path / "nothing.mp4"))


@pytest.mark.slow
def test_a_result_for_which_nobody_was_looked_for_says_so(clip: Path, tmp_path: Path) -> None:
    given = ("rate=2", "background=blend", "render=none", "video=frames", "report=false", "device=cpu")
    out, cache = tmp_path / "out", tmp_path / "cache"
    interpolate_clip(compose("interpolate", f"input={clip}", f"output={out}", f"cache.dir={cache}", *given))
    assert f"the interpolator alone for 0.80 s: {NOT_ASKED}" in list(result_in_words(out))
