"""The interpolator in a thread, a batch ahead: the same frames in order; errors and Ctrl-C as without it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rib.background.blend import BlendInterpolator
from rib.io.errors import RibError
from rib.pipeline.chain import Chain
from rib.pipeline.synthesis.ahead import BackgroundAhead, one_ahead
from rib.pipeline.synthesis.output_frames import OutputFrame
from rib.structures.interval import Background, Interval
from rib.video import open_frame_source


class ObservedInterpolator(BlendInterpolator):
    """A cross-fade that notes what it is asked for, in which thread, and fails once.

    Args:
        fails_at: Number of the keyframe before the interval at which it fails, or None.
    """

    def __init__(self, fails_at: int | None = None) -> None:
        super().__init__()
        self.fails_at, self.begun, self.threads = fails_at, list[tuple[int, ...]](), set[str]()

    def __call__(self, interval: Interval) -> Background:
        self.begun.append(interval.indices)
        self.threads.add(threading.current_thread().name)
        if interval.a.index == self.fails_at:
            raise RibError("no picture")
        return super().__call__(interval)


Frames = Callable[..., tuple[ObservedInterpolator, Generator[OutputFrame]]]


@pytest.fixture
def frames(pictures: Path, settings: Callable[..., dict[str, Any]]) -> Frames:
    """The frames of nine keyframes at three times their rate, and what interpolates them."""

    def make(
        ahead_mpx: float, fails_at: int | None = None, batch_mpx: float = 0.001
    ) -> tuple[ObservedInterpolator, Generator[OutputFrame]]:
        asked = (f"batch_mpx={batch_mpx}", f"ahead_mpx={ahead_mpx}")
        chain = Chain.from_config(settings(pictures, "input_fps=10", "rate=3", *asked))
        chain.stages.background = seen = ObservedInterpolator(fails_at)
        source = open_frame_source(pictures, 10)
        made = chain.frames(source, chain.analyse(source, source.fps * 3))
        assert isinstance(made, Generator)
        return seen, made

    return make


def interpolating_threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith("interpolator")]


def test_the_same_frames_come_in_the_same_order_from_another_thread(frames: Frames) -> None:
    (there, ahead), (here, one_by_one) = frames(4), frames(0)
    for made, expected in zip(ahead, one_by_one, strict=True):
        assert (made.index, made.keyframe) == (expected.index, expected.keyframe)
        np.testing.assert_array_equal(made.picture, expected.picture)
    assert there.begun == here.begun
    assert here.threads == {threading.current_thread().name}
    assert len(there.threads) == 1
    assert there.threads != here.threads
    assert not interpolating_threads()


def test_one_batch_is_interpolated_ahead_and_no_more(frames: Frames) -> None:
    seen, made = frames(4, batch_mpx=1)
    for frame in made:
        intervals = frame.index // 3 + 1
        assert len(seen.begun) <= intervals + 1
    assert len(seen.begun) == 8


def test_an_error_comes_after_the_frames_before_it(frames: Frames) -> None:
    for ahead_mpx in (0, 4):
        got, error = numbers_until_error(frame.index for frame in frames(ahead_mpx, fails_at=5)[1])
        assert got == list(range(16))  # the copy of keyframe 5 is there
        assert str(error) == "no picture"
        assert not interpolating_threads()


def test_no_thread_is_left_where_somebody_stops(frames: Frames) -> None:
    _, made = frames(4)
    assert [next(made).index for _ in range(5)] == list(range(5))
    with pytest.raises(KeyboardInterrupt):
        made.throw(KeyboardInterrupt())
    assert not interpolating_threads()


def test_what_nobody_expected_is_interpolated_when_it_is_asked_for() -> None:
    begun = list[Any]()

    def interpolate(batch: Any) -> Any:
        begun.append(batch)
        return f"made of {batch}"

    with BackgroundAhead(interpolate) as ahead:
        made: Any = ahead("a")  # type: ignore[arg-type]
    assert (begun, made) == (["a"], "made of a")


def test_an_error_of_a_walk_is_raised_in_its_turn_and_pauses_are_kept() -> None:
    looked = list[int]()

    def walk() -> Iterator[int]:
        for number in range(1, 6):
            looked.append(number)
            if number == 5:
                raise RibError("cannot be read")
            yield number

    given = one_ahead(walk(), lambda number: number == 2)
    dealt_with, error = numbers_until_error((number, looked[-1]) for number in given)
    assert dealt_with == [(1, 2), (2, 2), (3, 4), (4, 5)]
    assert str(error) == "cannot be read"


def numbers_until_error(items: Iterator[Any]) -> tuple[list[Any], RibError]:
    """What came before an error, and the error."""
    got = list[Any]()
    with pytest.raises(RibError) as raised:
        deque(map(got.append, items))
    return got, raised.value
