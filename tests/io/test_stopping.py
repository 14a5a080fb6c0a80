from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from rib.config.exit_codes import exit_code
from rib.io.processes.signals import signals_held_back, stoppable_by_signals


@pytest.fixture(autouse=True)
def as_in_a_new_process() -> Iterator[None]:
    """Trainings of other tests leave handlers of their own behind."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_to_end_unwinds_as_ctrl_c_does(
    number: signal.Signals, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    unwound = []

    def call() -> None:
        try:
            signal.raise_signal(number)
        finally:
            unwound.append(True)

    assert exit_code(call) == code
    assert unwound == [True]
    assert capsys.readouterr().err == "stopped\n"
    assert signal.getsignal(number) is signal.SIG_DFL


def test_a_signal_that_somebody_handles_is_left_alone() -> None:
    for handler in (signal.SIG_IGN, lambda number, frame: None):
        before = signal.signal(signal.SIGTERM, handler)
        try:
            with stoppable_by_signals():
                signal.raise_signal(signal.SIGTERM)
            assert signal.getsignal(signal.SIGTERM) is handler
        finally:
            signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_held_back_until_what_must_not_break_is_done(number: signal.Signals) -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), stoppable_by_signals(), signals_held_back():  # noqa: PT012
        signal.raise_signal(number)
        done.append(True)
    assert done == [True]
