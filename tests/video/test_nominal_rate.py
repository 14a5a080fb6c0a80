from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from rib.video.timing.nominal_rate import find_nominal_rate

NTSC = Fraction(30000, 1001)
RATES = [Fraction(24), Fraction(25), Fraction(30), Fraction(50), Fraction(60), Fraction(15), Fraction(240)]


def jittered(fps: Fraction, num: int, share: float, seed: int = 0) -> np.ndarray:
    """Stamps with an error whose standard deviation is a share of a step."""
    step = float(1 / fps)
    times = np.arange(num) * step + np.random.default_rng(seed).normal(0, share * step, num)
    return np.sort(times) - times.min()


@pytest.mark.parametrize("fps", [*RATES, NTSC])
@pytest.mark.parametrize("share", [0.004, 0.03, 0.06, 0.12])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_frame_of_an_unsteady_clock_stands_on_the_grid_one_after_the_other(
    fps: Fraction, share: float, seed: int
) -> None:
    found = find_nominal_rate(jittered(fps, 120, share, seed))
    assert found is not None
    assert found.moments.tolist() == list(range(120))
    assert abs(found.fps / fps - 1) < 0.0011


@pytest.mark.parametrize("fps", [NTSC, NTSC * 2, Fraction(30)])
def test_a_thousandth_is_seen_in_a_long_clip_and_believed_in_a_short_one(fps: Fraction) -> None:
    long, short = jittered(fps, 900, 0.05), jittered(fps, 40, 0.05)
    assert find_nominal_rate(long).fps == fps  # type: ignore[union-attr]
    assert find_nominal_rate(short, [fps]).fps == fps  # type: ignore[union-attr]


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("where", ["start", "middle", "end"])
@pytest.mark.parametrize("share", [0.0, 0.05])
def test_a_pause_keeps_its_length_wherever_it_is(fps: Fraction, where: str, share: float) -> None:
    pause = int(fps)  # a second
    moments = np.arange(60)
    moments[{"start": 1, "middle": 30, "end": 59}[where] :] += pause
    noise = np.random.default_rng(0).normal(0, share, 60)
    found = find_nominal_rate((moments + noise - noise[0]) / float(fps))
    assert found is not None
    assert found.fps == fps
    assert found.moments.tolist() == moments.tolist()


@pytest.mark.parametrize("fps", [Fraction(30), Fraction(60)])
@pytest.mark.parametrize("kept", [0.3, 0.5, 0.8])
def test_a_screen_recorder_that_leaves_out_still_pictures_keeps_its_clock(fps: Fraction, kept: float) -> None:
    rng = np.random.default_rng(1)
    moments = np.flatnonzero(rng.random(400) < kept)
    moments -= moments[0]
    found = find_nominal_rate((moments + rng.normal(0, 0.03, len(moments))) / float(fps))
    assert found is not None
    assert found.fps == fps
    assert found.moments.tolist() == moments.tolist()


def test_a_clock_that_runs_a_little_fast_does_not_run_away_from_its_sound() -> None:
    true = Fraction(30) * Fraction(10007, 10000)
    times = jittered(true, 5400, 0.04)
    found = find_nominal_rate(times)
    assert found is not None
    assert np.abs(found.moments / float(found.fps) - times).max() < 0.5 / 30
    assert np.mean(np.diff(found.moments) == 1) > 0.999


def test_film_that_was_stored_with_steps_of_two_and_three_fields_is_film() -> None:
    fields = np.cumsum([0, *([2, 3] * 40)])
    found = find_nominal_rate(fields / 60)
    assert found is not None
    assert found.fps == 24
    assert found.moments.tolist() == list(range(81))


def test_a_webcam_without_a_usual_rate_takes_its_median_step() -> None:
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.uniform(0.05, 0.09, 200))
    found = find_nominal_rate(times - times[0])
    assert found is not None
    assert 12 < found.fps < 18
    assert (np.diff(found.moments) > 0).all()
    assert found.farthest_s <= 1 / found.fps


def test_frames_never_share_a_moment_and_never_go_far() -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        times = np.cumsum(rng.choice([0.004, 0.02, 0.033, 0.04, 0.3], rng.integers(3, 50)))
        found = find_nominal_rate(times - times[0])
        if found is not None:
            assert found.moments[0] == 0
            assert (np.diff(found.moments) > 0).all()
            assert found.farthest_s <= float(1 / found.fps) + 1e-9


def test_a_short_animation_with_rests_keeps_its_rate_of_12_and_a_half() -> None:
    found = find_nominal_rate(np.array([0, 80, 160, 320, 400, 480]) / 1000)
    assert found is not None
    assert found.fps == Fraction(25, 2)
    assert found.moments.tolist() == [0, 1, 2, 4, 5, 6]
