"""A lock that goes with its process, however that ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rib.io.errors import RibError
from rib.io.files.whole import write_errors_in_one_line


@contextmanager
def one_writer_at_a_time(path: Path, what: str) -> Iterator[None]:
    """Hold the lock of a file while the block runs; the file is gone afterwards.

    Args:
        path: The file, in a folder that is there.
        what: What only one process does at a time, for the message.

    Raises:
        RibError: Another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    number = -1
    while number < 0:
        with write_errors_in_one_line(path):
            number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(number)
            raise RibError(f"another run is writing {what}", "wait for it, or name another folder") from error
        except OSError:  # a file system that knows no locks
            break
        if not _is_open_as(path, number):  # its last holder removed it meanwhile
            os.close(number)
            number = -1
    try:
        yield
    finally:
        try:
            with suppress(OSError):
                path.unlink()
        finally:
            os.close(number)


def _is_open_as(path: Path, number: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(number).st_ino
    except OSError:
        return False
