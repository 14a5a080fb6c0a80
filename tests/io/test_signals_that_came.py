"""A library that swallows Ctrl-C and breaks down afterwards: the run was stopped, and says so."""

from __future__ import annotations

import signal
from contextlib import suppress

import pytest

from rib.config.exit_codes import exit_code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_breaks_down_after_a_signal_was_stopped(
    capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    def swallow() -> None:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(number)
        raise TypeError("argument of type 'NoneType' is not iterable")

    # as a fresh process has it: what ran before in this one may have left a handler
    before = signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    try:
        assert exit_code(swallow) == 128 + number
    finally:
        signal.signal(number, before)
    assert capsys.readouterr().err == "stopped\n"


def test_a_fault_of_a_run_that_nobody_stopped_is_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise TypeError("ours")

    assert exit_code(fail) == 2
    assert "Traceback" in capsys.readouterr().err
