from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from rib.errors import RibError
from rib.pipeline.times import target_fps, timeline


@pytest.mark.parametrize("rate", [1, 2, 3, 4, 7, 16])
@pytest.mark.parametrize("fps", [Fraction(30), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(60)])
@pytest.mark.parametrize("count", [2, 3, 100, 1001])
def test_an_integer_rate_gives_every_keyframe_and_rate_minus_one_between(
    rate: int, fps: Fraction, count: int
) -> None:
    times = np.arange(count) / float(fps)
    line = timeline(times, target_fps(fps, rate, None))
    assert len(line) == (count - 1) * rate + 1
    assert (line.keyframe[::rate] == np.arange(count)).all()
    assert (line.keyframe >= 0).sum() == count


@pytest.mark.parametrize("fps", [60, 59.94, 25, 12.5])
def test_a_target_rate_keeps_the_duration(fps: float) -> None:
    times = np.arange(97) / 24
    line = timeline(times, target_fps(Fraction(24), None, fps))
    assert line.fps == pytest.approx(fps)
    assert times[-1] - 1 / fps < line.times_s[-1] <= times[-1] + 1e-9
    assert np.allclose(np.diff(line.times_s), 1 / fps)


def test_made_frames_lie_strictly_inside_their_interval() -> None:
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.01, 0.2, 50))
    line = timeline(times, Fraction(47))
    made = line.keyframe < 0
    assert (line.times_s[made] > times[line.gap[made]]).all()
    assert (line.times_s[made] < times[line.gap[made] + 1]).all()
    assert sorted(np.concatenate([line.wanted(g) for g in range(49)])) == np.flatnonzero(made).tolist()


def test_copies_belong_to_a_gap_that_they_border() -> None:
    line = timeline(np.arange(5) / 10, Fraction(20))
    assert line.keyframe.tolist() == [0, -1, 1, -1, 2, -1, 3, -1, 4]
    assert line.gap.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 3]


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
        target_fps(Fraction(30), rate, fps)
