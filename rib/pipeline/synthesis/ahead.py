"""The interpolator at work in a thread of its own, while frames that are there are drawn and written."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
import torch

from rib.structures.interval import Background, Interval

Item = TypeVar("Item")


class BackgroundAhead:
    """Interpolates what is expected, in one thread and in order, at most one batch ahead of who asks for it.

    One interpolation runs at a time, whoever asks. An error is raised where its batch is asked for, and the
    thread is gone when the block is left, after the batch at which it works.

    Args:
        interpolate: The interpolator.
    """

    def __init__(self, interpolate: Callable[[Interval], Background]) -> None:
        self._interpolate = interpolate
        self._thread = ThreadPoolExecutor(1, "interpolator")
        self._expected = deque[Interval]()
        self._begun: tuple[Interval, Future[Background]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._expected.clear()
        self._begun = None
        self._thread.shutdown(cancel_futures=True)

    def expect(self, batches: Iterable[Interval]) -> None:
        """Say which batches of moments will be asked for next, in this order."""
        self._expected.extend(batches)
        self._begin()

    def __call__(self, batch: Interval) -> Background:
        """The interpolator's frames at a batch of moments, expected or not."""
        if self._begun is None or not _is_same(self._begun[0], batch):
            return self._thread.submit(self._run, batch).result()
        found = self._begun[1].result()
        self._begun = None
        self._begin()
        return found

    def _begin(self) -> None:
        if self._begun is None and self._expected:
            batch = self._expected.popleft()
            self._begun = batch, self._thread.submit(self._run, batch)

    def _run(self, batch: Interval) -> Background:
        with torch.inference_mode():  # a thread has a mode of its own
            return self._interpolate(batch)


def one_ahead(items: Iterable[Item], pauses: Callable[[Item], bool]) -> Iterator[Item]:
    """Give each item when the one after it is at hand; an error there is raised when its turn comes.

    Args:
        items: In order.
        pauses: Whether nothing after an item is looked at before it is dealt with.
    """
    outcomes = _outcomes(items)
    following = next(outcomes, None)
    while following is not None:
        item = following.result()
        following = None if pauses(item) else next(outcomes, None)
        yield item
        following = following or next(outcomes, None)


def _outcomes(items: Iterable[Item]) -> Iterator[Future[Item]]:
    """Each item, and an error behind them, as an outcome that is given or raised when it is asked for."""
    try:
        for item in items:
            outcome = Future[Item]()
            outcome.set_result(item)
            yield outcome
    except Exception as error:
        outcome = Future[Item]()
        outcome.set_exception(error)
        yield outcome


def _is_same(a: Interval, b: Interval) -> bool:
    return a.a is b.a and a.b is b.b and np.array_equal(a.times_s, b.times_s)
