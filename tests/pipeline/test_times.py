from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from rib.io.errors import RibError
from rib.pipeline.timeline import constant_rate_timeline, target_output_fps


@pytest.mark.parametrize("rate", [1, 2, 3, 4, 7, 16])
@pytest.mark.parametrize("fps", [Fraction(30), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(60)])
@pytest.mark.parametrize("count", [2, 3, 100, 1001])
def test_an_integer_rate_gives_every_keyframe_and_rate_minus_one_between(
    rate: int, fps: Fraction, count: int
) -> None:
    times = np.arange(count) / float(fps)
    line = constant_rate_timeline(times, target_output_fps(fps, rate, None))
    assert len(line) == (count - 1) * rate + 1
    assert (line.keyframe[::rate] == np.arange(count)).all()
    assert (line.keyframe >= 0).sum() == count


@pytest.mark.parametrize("rate", [1, 2, 3, 4, 7, 16])
@pytest.mark.parametrize("fps", [Fraction(30), Fraction(30000, 1001), Fraction(1)])
@pytest.mark.parametrize("count", [2, 3, 100])
def test_held_for_its_own_time_the_last_keyframe_fills_the_duration(
    rate: int, fps: Fraction, count: int
) -> None:
    times = np.arange(count) / float(fps)
    line = constant_rate_timeline(times, fps * rate, count / float(fps))
    assert len(line) == count * rate
    assert line.held == rate - 1
    assert (line.keyframe[len(line) - rate :] == count - 1).all()
    assert (np.diff(line.times_s) > 0).all()


@pytest.mark.parametrize("fps", [60, 59.94, 25, 12.5, "60000/1001"])
def test_a_target_rate_keeps_the_duration(fps: float | str) -> None:
    times = np.arange(97) / 24
    line = constant_rate_timeline(times, target_output_fps(Fraction(24), None, fps), 97 / 24)
    step = float(1 / line.fps)
    assert line.fps == pytest.approx(float(Fraction(fps)) if fps != 59.94 else 60000 / 1001, rel=1e-3)
    assert 97 / 24 - 0.05 * step <= len(line) * step < 97 / 24 + step
    assert np.abs(line.times_s - np.arange(len(line)) * step).max() <= 0.05 * step


@pytest.mark.parametrize("wanted", [(2.0, None), (None, 59.94), (None, "60000/1001"), (None, "59.94")])
def test_ntsc_doubled_keeps_every_keyframe(wanted: tuple[float | None, float | str | None]) -> None:
    source = Fraction(30000, 1001)
    line = constant_rate_timeline(
        np.arange(75) / float(source), target_output_fps(source, *wanted), 75 / float(source)
    )
    assert line.fps == Fraction(60000, 1001)
    assert len(line) == 150
    assert line.keyframe[::2].tolist() == list(range(75))
    assert (line.keyframe[1:-1:2] == -1).all()


def test_a_moment_within_a_twentieth_of_a_step_is_the_keyframe_and_farther_is_not() -> None:
    times = np.array([0.0, 0.1045, 0.2, 0.2945, 0.4055])
    line = constant_rate_timeline(times, Fraction(10))
    assert line.keyframe.tolist() == [0, 1, 2, -1, -1]
    assert line.times_s.tolist() == pytest.approx([0, 0.1045, 0.2, 0.3, 0.4])


@pytest.mark.parametrize(
    ("rate", "fps", "words"), [(4.0, 24, "slow=4 fps=24"), (8.0, 96, "slow=2 fps=96"), (2.0, 60, "type one")]
)
def test_both_rate_and_fps_are_answered_with_what_was_probably_meant(
    rate: float, fps: int, words: str
) -> None:
    with pytest.raises(RibError, match=words):
        target_output_fps(Fraction(24), rate, fps)


def test_made_frames_lie_strictly_inside_their_interval() -> None:
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.01, 0.2, 50))
    line = constant_rate_timeline(times, Fraction(47))
    made = line.keyframe < 0
    assert (line.times_s[made] > times[line.interval[made]]).all()
    assert (line.times_s[made] < times[line.interval[made] + 1]).all()
    assert sorted(np.concatenate([line.wanted(g) for g in range(49)])) == np.flatnonzero(made).tolist()


def test_copies_belong_to_a_gap_that_they_border() -> None:
    line = constant_rate_timeline(np.arange(5) / 10, Fraction(20))
    assert line.keyframe.tolist() == [0, -1, 1, -1, 2, -1, 3, -1, 4]
    assert line.interval.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 3]


@pytest.mark.parametrize(
    ("rate", "fps", "words"),
    [
        (None, None, "neither rate nor fps"),
        (2.0, 60.0, "both"),
        (0.0, None, "rate=0"),
        (-3.0, None, "rate=-3"),
        (1e9, None, "more than 100 times"),
        (None, float("nan"), "fps=nan"),
        (None, float("inf"), "fps=inf"),
        (1e-9, None, "expected a number above 0|asks for"),
    ],
)
def test_a_senseless_rate_is_refused(rate: float | None, fps: float | None, words: str) -> None:
    with pytest.raises(RibError, match=words):
        target_output_fps(Fraction(30), rate, fps)


class Counted(np.ndarray):
    """Counts the elements that are looked at: all of them, or as many as a bisection needs."""

    looked = 0

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        Counted.looked += max(np.size(one) for one in inputs)
        return getattr(ufunc, method)(*(np.asarray(one).view(np.ndarray) for one in inputs), **options)

    def __array_function__(self, func: Any, types: Any, args: Any, options: Any) -> Any:
        plain = [one.view(np.ndarray) if isinstance(one, Counted) else one for one in args]
        bisects = func is np.searchsorted
        Counted.looked += int(np.size(args[1]) * np.log2(len(self) + 1)) if bisects else len(self)
        return func(*plain, **options)


def test_all_intervals_together_look_at_each_output_moment_once() -> None:
    looked = []
    for count in (200, 400):
        line = constant_rate_timeline(np.arange(count) / 30, Fraction(120))
        counted = replace(line, interval=line.interval.view(Counted), keyframe=line.keyframe.view(Counted))
        Counted.looked = 0
        frames = [number for interval in range(count - 1) for number in counted.frames(interval)]
        assert frames == list(range(len(line)))
        assert sum(len(counted.wanted(interval)) for interval in range(count - 1)) == int(
            (line.keyframe < 0).sum()
        )
        looked.append(Counted.looked)
    assert looked[1] < 2.5 * looked[0]
