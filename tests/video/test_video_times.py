from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from rib.io.errors import RibError
from rib.video.timing.time_stamps import (
    constant_rate_times,
    exact_fps,
    frame_times_from_seconds,
    frame_times_from_ticks,
)

MILLISECOND = Fraction(1, 1000)
NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    "fps", [NTSC, Fraction(24000, 1001), Fraction(25), Fraction(60), Fraction(240), Fraction(15, 2)]
)
@pytest.mark.parametrize("to_tick", [round, int])
@pytest.mark.parametrize("start", [0, 417])
def test_rounded_milliseconds_give_exact_times_even_when_no_rate_is_declared(fps, to_tick, start):
    ticks = [start + to_tick(Fraction(k) / fps / MILLISECOND) for k in range(500)]
    timing = frame_times_from_ticks(ticks, MILLISECOND, [])
    assert timing.fps == fps
    assert np.array_equal(timing.times_s, constant_rate_times(500, fps))
    assert timing.notes == []


def test_a_declared_rate_that_does_not_fit_is_not_believed():
    ticks = [40 * k for k in range(20)]
    assert frame_times_from_ticks(ticks, MILLISECOND, [Fraction(90000), Fraction(30)]).fps == 25


def test_a_pause_keeps_its_length_at_the_usual_rate_of_the_rest():
    ticks = [100, 133, 167, 400, 433, 467]
    timing = frame_times_from_ticks(ticks, MILLISECOND, [Fraction(30)])
    assert np.allclose(timing.times_s * 30, [0, 1, 2, 9, 10, 11], rtol=0, atol=1e-9)
    assert timing.fps == 30
    assert "6 frames are missing" in timing.notes[0]


def test_stamps_stay_where_they_are_when_asked_to():
    ticks = [0, 31, 67, 102, 131]
    timing = frame_times_from_ticks(ticks, MILLISECOND, [], unsteady=True)
    assert np.allclose(timing.times_s * 1000, ticks, rtol=0, atol=1e-9)
    assert timing.fps == 30


@pytest.mark.parametrize(("last", "steps"), [(0, 1), (40, 1), (61, 1), (80, 2), (2000, 50), (10**6, 1)])
def test_a_last_frame_is_shown_as_long_as_the_container_says_where_that_can_be(last, steps):
    timing = frame_times_from_ticks([0, 40, 80, 120], MILLISECOND, [], last_ticks=last)
    assert timing.duration_s == pytest.approx((3 + steps) / 25)


def test_a_dropped_frame_on_a_coarse_clock_is_not_smoothed_away():
    ticks = [k for k in range(100) if k != 50]
    timing = frame_times_from_ticks(ticks, Fraction(1, 15), [Fraction(99, 100) * 15, Fraction(15)])
    assert np.allclose(timing.times_s * 15, ticks, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("ticks", "num"),
    [
        ([0, 40, 40, 120, 160, 200], 1),
        ([0, 40, None, 120, 160, 200], 1),
        ([0, 40, 80, 10, 160, 200], 1),
        ([0, 9999, 80, 120, 160, 200], 1),
        ([None, 40, 80, 120, 160, None], 2),
    ],
)
def test_missing_repeated_and_backward_times_are_mended_and_told(ticks, num):
    timing = frame_times_from_ticks(ticks, MILLISECOND, [])
    assert np.allclose(timing.times_s, np.arange(6) / 25)
    assert timing.notes[0].startswith(f"{num} of 6 frames")


def test_a_file_without_times_says_that_its_rate_is_assumed():
    timing = frame_times_from_ticks([None] * 5, MILLISECOND, [Fraction(25)])
    assert timing.fps == 25
    assert timing.fps_assumed
    assert "assumed" in timing.notes[0]


def test_times_always_increase_whatever_the_stamps():
    rng = np.random.default_rng(0)
    for _ in range(50):
        ticks = [None if rng.random() < 0.2 else int(t) for t in rng.integers(0, 100, 20)]
        times_s = frame_times_from_ticks(ticks, MILLISECOND, []).times_s
        assert times_s[0] == 0
        assert (np.diff(times_s) > 0).all()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (30, 30),
        (7.5, Fraction(15, 2)),
        (12.5, Fraction(25, 2)),
        (29.9, Fraction(299, 10)),
        (29.97, NTSC),
        ("29.97", NTSC),
        (29.97003, NTSC),
        (23.98, NTSC * 4 / 5),
        (23.976, NTSC * 4 / 5),
        (47.952, NTSC * 8 / 5),
        (59.94, NTSC * 2),
        (119.88, NTSC * 4),
        (14.985, NTSC / 2),
        ("30000/1001", NTSC),
        ("60000 / 1001", NTSC * 2),
        ("2997/100", Fraction(2997, 100)),
        (NTSC, NTSC),
    ],
)
def test_a_rate_is_read_as_it_was_meant(given, meant):
    assert exact_fps(given) == meant


@pytest.mark.parametrize("given", [0, -3, float("nan"), float("inf"), "fast", "1/0", Fraction(0)])
def test_an_impossible_rate_is_refused_by_its_name(given):
    with pytest.raises(RibError, match=r"input_fps=.*is not a frame rate"):
        exact_fps(given, "input_fps")


def test_seconds_at_a_constant_rate_are_made_exact():
    timing = frame_times_from_seconds(5 + np.arange(40) / 29.97002997)
    assert timing.fps == NTSC
    assert np.array_equal(timing.times_s, constant_rate_times(40, NTSC))


@pytest.mark.parametrize("times", [[0.0], [0.0, 0.0], [0.0, 2.0, 1.0], [0.0, np.nan]])
def test_seconds_that_do_not_increase_are_refused(times):
    with pytest.raises(RibError):
        frame_times_from_seconds(np.array(times))
