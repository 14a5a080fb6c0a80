"""From an error to an exit code and one line on stderr.

Exit codes: 0 done; 1 the user's mistake, in one line; 2 our bug, with its traceback; 130 Ctrl-C; 143 SIGTERM,
which ends a command as Ctrl-C does.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress

from rib.io.errors import RibError
from rib.io.processes.signals import TerminatedBySignal, signal_that_came, stoppable_by_signals

LONGEST_LINE = 1200
"""Characters of an error at the terminal; of a longer one the middle is left out."""


class TaskEnded(SystemExit):
    """A task ended with an exit code of its own, which Hydra is not to explain."""


def exit_code(call: Callable[[], None]) -> int:
    """Run something, report what it raises on stderr, and give the process's exit code."""
    try:
        with stoppable_by_signals():
            call()
        sys.stdout.flush()
        return 0
    except RibError as error:
        return _stopped() or _complain(error)
    except KeyboardInterrupt as stop:
        _tell("stopped")
        return stop.exit_code if isinstance(stop, TerminatedBySignal) else 130
    except TaskEnded as ended:
        return int(str(ended.code))
    except SystemExit as stop:
        # argparse leaves with 2 after its own sentence about an unknown option
        return {None: 0, 2: 1}.get(stop.code, stop.code) if not isinstance(stop.code, str) else 1  # type: ignore
    except BrokenPipeError:
        _drop_stdout()
        return 0
    except Exception as error:
        if code := _stopped():
            return code
        if (reason := _stdout_refuses(error)) is not None:
            return _complain(RibError(f"the standard output cannot be written ({reason})"))
        with suppress(OSError):
            traceback.print_exc()
        return 2


def open_standard_streams() -> None:
    """Give a process that was started without stdin, stdout or stderr (`2>&-`) ones that lead nowhere.

    Otherwise the next file that is opened would take their place, and be written into. What a stream's
    encoding cannot hold is written as an escape.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _stopped() -> int:
    """The exit code of a signal that came, told; 0 without one. What broke down after it is its doing."""
    number = signal_that_came()
    if number is None:
        return 0
    _tell("stopped")
    return 128 + number


def _complain(error: RibError) -> int:
    line = " ".join(str(error).split())
    if len(line) > LONGEST_LINE:  # what was given may be a novel; how it began and what to type is enough
        line = f"{line[: LONGEST_LINE // 2]} ... {line[-LONGEST_LINE // 3 :]}"
    _tell(f"rib: {line}")
    return 1


def _tell(line: str) -> None:
    """A line on stderr, where somebody reads it."""
    with suppress(OSError):
        print(line, file=sys.stderr)


def _stdout_refuses(error: BaseException) -> str | None:
    """Diagnose a standard output that takes nothing more, and drop it; None where that is not the error."""
    if not isinstance(error, OSError) or error.filename is not None:
        return None
    try:
        os.write(sys.stdout.fileno(), b"\n")  # a buffer that failed once says nothing more
    except OSError as refusal:
        _drop_stdout()
        return os.strerror(refusal.errno or errno.EIO)
    return None


def _drop_stdout() -> None:
    """Lead stdout nowhere, so that nothing is left to fail when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
