"""Signals that end a process, as exceptions that unwind it: what is half made goes away on the way out."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What ends a process politely, besides Ctrl-C."""


class TerminatedBySignal(KeyboardInterrupt):
    """A signal asked the process to end; whatever handles Ctrl-C handles it too.

    Attributes:
        exit_code: 128 and the signal's number, as shells have it.
    """

    def __init__(self, number: int = signal.SIGTERM) -> None:
        super().__init__()
        self.exit_code = 128 + number


@contextmanager
def stoppable_by_signals() -> Iterator[None]:
    """Raise `TerminatedBySignal` in the block when a signal of `ENDING` comes that would else kill it.

    Signals that somebody handles or ignores already are left alone, and so are all in other threads than the
    main one. `signal_that_came` knows of them, and of Ctrl-C.
    """
    _came.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = [number for number in ENDING if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _terminate)
    plain = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if plain:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        for number in ours:
            if signal.getsignal(number) is _terminate:
                signal.signal(number, signal.SIG_DFL)
        if plain and signal.getsignal(signal.SIGINT) is _interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def signal_that_came() -> int | None:
    """Number of the first signal that was to end the block of `stoppable_by_signals`, or None.

    A library may have swallowed its exception, and broken down later.
    """
    return _came[0] if _came else None


@contextmanager
def signals_held_back() -> Iterator[None]:
    """Hold back Ctrl-C and the signals of `ENDING` until the block is left; the first is then sent again.

    For calls into libraries that cannot stand an exception in the middle of a write.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []

    def hold(number: int, frame: Any) -> None:
        held.append(number)

    before = {number: signal.signal(number, hold) for number in (signal.SIGINT, *ENDING)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])


_came: list[int] = []


def _interrupt(number: int, frame: Any) -> None:
    _came.append(number)
    signal.default_int_handler(number, frame)


def _terminate(number: int, frame: Any) -> None:
    _came.append(number)
    raise TerminatedBySignal(number)
