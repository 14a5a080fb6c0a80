"""Laws of the output's moments, on whatever hypothesis thinks of."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rib.pipeline.timeline import SAME_STEP, OutputTimeline, constant_rate_timeline, variable_rate_timeline

keyframes = st.lists(st.floats(0.004, 2.0), min_size=1, max_size=30).map(
    lambda steps: np.cumsum([0.0, *steps])
)
rates = st.builds(Fraction, st.integers(1, 240_000), st.sampled_from([1, 1000, 1001])).filter(
    lambda rate: 0.5 <= rate <= 240
)


def check(timeline: OutputTimeline, times_s: np.ndarray) -> None:
    moving = timeline.times_s[: len(timeline) - timeline.held]
    copies = np.flatnonzero(timeline.keyframe[: len(moving)] >= 0)
    assert (np.diff(timeline.times_s) > 0).all()
    assert (np.diff(timeline.interval) >= 0).all()
    assert np.array_equal(timeline.times_s[copies], times_s[timeline.keyframe[copies]])
    assert len(set(timeline.keyframe[copies].tolist())) == len(copies)
    for interval in range(len(times_s) - 1):
        made = timeline.times_s[timeline.wanted(interval)]
        assert ((made > times_s[interval]) & (made < times_s[interval + 1])).all()
    assert sum(len(timeline.frames(interval)) for interval in range(len(times_s) - 1)) == len(timeline)


@settings(max_examples=60, deadline=None)
@given(times_s=keyframes, fps=rates, held_s=st.none() | st.floats(0.001, 1.0))
@example(times_s=np.array([0.0, 1.95]), fps=Fraction(1), held_s=None)  # the last moment just past the end
def test_an_even_timeline_shows_every_moment_once_and_no_keyframe_twice(
    times_s: np.ndarray, fps: Fraction, held_s: float | None
) -> None:
    timeline = constant_rate_timeline(times_s, fps, None if held_s is None else float(times_s[-1]) + held_s)
    check(timeline, times_s)
    even_s = times_s[0] + np.arange(len(timeline)) / float(fps)
    assert (np.abs(timeline.times_s - even_s) * float(fps) <= SAME_STEP + 1e-6).all()


@settings(max_examples=60, deadline=None)
@given(times_s=keyframes, fps=rates, held_s=st.none() | st.floats(0.001, 1.0))
def test_a_variable_timeline_keeps_every_keyframe_at_its_own_time(
    times_s: np.ndarray, fps: Fraction, held_s: float | None
) -> None:
    timeline = variable_rate_timeline(times_s, fps, None if held_s is None else float(times_s[-1]) + held_s)
    check(timeline, times_s)
    assert set(range(len(times_s))) <= set(timeline.keyframe.tolist())
    assert timeline.stamps_s is not None
    assert (np.diff(timeline.stamps_s) > 0).all()
