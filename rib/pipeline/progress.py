"""Stopwatch of the stages, and progress bars."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from rib.io.errors import RibError

Item = TypeVar("Item")

VOICE: ContextVar[str] = ContextVar("voice", default="still")
"""How much is told on stderr while work goes on: quiet, still (bars alone), normal or verbose."""
REPORT_EVERY_S = 20.0


def say_on_stderr(line: str, verbose: bool = False) -> None:
    """A line on stderr, where somebody wants to hear it.

    Args:
        line: What to say.
        verbose: Whether it is for those alone who asked for much.
    """
    if VOICE.get() == "verbose" or (VOICE.get() == "normal" and not verbose):
        print(f"rib: {line}", file=sys.stderr)


@contextmanager
def speaking_as_asked(quiet: bool, verbose: bool) -> Iterator[None]:
    """Tell as much as a command's settings ask for while the block runs.

    Raises:
        RibError: Both are asked for.
    """
    if quiet and verbose:
        raise RibError("quiet=true and verbose=true were given", "type one of them")
    token = VOICE.set("quiet" if quiet else "verbose" if verbose else "normal")
    try:
        yield
    finally:
        VOICE.reset(token)


class StageStopwatch:
    """Seconds by stage name; a visit inside another counts for the inner one only.

    Attributes:
        seconds: On the wall.
        cpu_seconds: Of all cores.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.cpu_seconds: dict[str, float] = defaultdict(float)
        self._inner: list[tuple[float, float]] = []
        self._whole = False

    @contextmanager
    def __call__(self, stage: str, whole: bool = False) -> Iterator[None]:
        """Time what happens inside the with-block.

        Args:
            stage: Its name.
            whole: Whether visits inside count for this stage too, not for their own.
        """
        if self._whole:
            yield
            return
        if stage not in self.seconds:
            say_on_stderr(f"{stage} ...", verbose=True)
            self.seconds[stage] = 0.0
        start, cpu_start = time.perf_counter(), time.process_time()
        self._inner.append((0.0, 0.0))
        self._whole = whole
        try:
            yield
        finally:
            spent, cpu_spent = time.perf_counter() - start, time.process_time() - cpu_start
            inner, cpu_inner = self._inner.pop()
            self._whole = False
            self.seconds[stage] += spent - inner
            self.cpu_seconds[stage] += cpu_spent - cpu_inner
            if self._inner:
                outer, cpu_outer = self._inner[-1]
                self._inner[-1] = outer + spent, cpu_outer + cpu_spent

    def through(self, stage: str, items: Iterable[Item]) -> Iterator[Item]:
        """Time the making of each item, not what is done with it."""
        iterator = iter(items)
        while True:
            with self(stage):
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item


def progress_bar(items: Iterable[Item], total: int, label: str) -> Iterable[Item]:
    """Walk through items under a progress bar with the time left on a terminal.

    In a pipe nothing is shown, or a line from time to time where much is to be told.
    """
    if VOICE.get() == "quiet":
        return items
    if not sys.stderr.isatty():
        return _reported(items, total, label) if VOICE.get() == "verbose" else items
    from rich.console import Console
    from rich.progress import track

    return track(items, description=label, total=total, console=Console(stderr=True), transient=True)


def _reported(items: Iterable[Item], total: int, label: str) -> Iterator[Item]:
    start = told = time.perf_counter()
    for number, item in enumerate(items, 1):
        yield item
        now = time.perf_counter()
        if now - told > REPORT_EVERY_S:
            told, left_s = now, (now - start) / number * (total - number)
            say_on_stderr(f"{label}: {number} of {total}, {left_s:.0f} s left")


@contextmanager
def progress_counter(label: str) -> Iterator[Callable[[int, int, str], None] | None]:
    """Give something to call with (how many are done, how many there are, the name of the last one).

    It moves a progress bar on a terminal; in a pipe None is given.
    """
    if not sys.stderr.isatty() or VOICE.get() == "quiet":
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=None)

        def count(done: int, total: int, name: str) -> None:
            progress.update(task, completed=done, total=total, description=f"{label} {name[-40:]:40}")

        yield count
