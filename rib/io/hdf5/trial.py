"""HDF5 files of strangers are read by another program first, which may hang or die in place of this one."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from rib.io.errors import RibError

PROBE = Path(__file__).with_name("probe.py")
STEP_S = 2.0
"""Processor seconds for one attribute, or a few megabytes of numbers: they take milliseconds."""
_passed: set[tuple[str, int, int, int]] = set()
_lock = threading.Lock()
_probe: subprocess.Popen[str] | None = None
_process = -1


def check_hdf5_readable(path: Path, remedy: str, step_s: float = STEP_S) -> None:
    """Refuse a file on which HDF5's own library loops for ever or crashes; once for each state of a file.

    One program reads all files of this process, one after another, and ends with it.

    Args:
        path: The file.
        remedy: What to give instead.
        step_s: Processor seconds after which one step of reading is taken for an endless one.

    Raises:
        RibError: The program did not live through reading it.
    """
    state = path.stat()
    key = str(path.resolve()), state.st_ino, state.st_size, state.st_mtime_ns
    if key in _passed:
        return
    code = _read_by_probe(key[0], step_s)
    if code < 0:
        loops = -code == signal.SIGPROF
        how = "never ends" if loops else f"ends the program that does ({signal.Signals(-code).name})"
        raise RibError(f"{path} is damaged so that reading it {how}", remedy)
    _passed.add(key)


def _read_by_probe(path: str, step_s: float) -> int:
    """Have the probe read a file: 0, or minus the signal that ended it.

    Where it ended otherwise, or cannot be started at all, the file is not at fault.
    """
    with _lock:
        try:
            probe = _started()
            assert probe.stdin is not None
            assert probe.stdout is not None
            print(json.dumps([path, step_s]), file=probe.stdin, flush=True)
            if probe.stdout.readline():
                return 0
            return min(0, probe.wait())
        except OSError:
            return 0
        finally:
            if _probe is not None and (sys.exc_info()[0] or _probe.poll() is not None):
                _stop()


def _started() -> subprocess.Popen[str]:
    """The probe; a forked process has its own."""
    global _probe, _process
    if _probe is None or _process != os.getpid() or _probe.poll() is not None:
        _probe, _process = None, os.getpid()
        _probe = subprocess.Popen(
            [sys.executable, "-P", str(PROBE)], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        atexit.register(_stop)
    return _probe


def _stop() -> None:
    global _probe
    if _probe is None or _process != os.getpid():
        return
    with suppress(OSError):
        _probe.kill()
        _probe.communicate()
    _probe = None
