"""Locks between processes: a file that one holds, shared or alone, until it lets go or ends."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: nothing is locked there, and so nothing that may be in use is ever removed
    fcntl = None  # type: ignore[assignment]


class FileLock:
    """A lock file; every object is a holder of its own, those of one process too.

    Args:
        path: The file; its folder exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def __del__(self) -> None:
        with suppress(OSError, AttributeError, TypeError):  # the interpreter may be half gone
            self.release()

    def acquire(self, shared: bool = False, wait: bool = True) -> bool:
        """Hold the lock; says whether it is held.

        A file system that knows no locks grants those that are waited for, and refuses the others.

        Args:
            shared: Together with others that share it, else alone.
            wait: Until it is free; else False is given where others hold it.
        """
        if fcntl is None:
            return wait
        kind = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(descriptor, kind)
            except BlockingIOError:
                os.close(descriptor)
                return False
            except OSError:
                os.close(descriptor)
                return wait
            except BaseException:
                os.close(descriptor)
                raise
            if _is_at(descriptor, self.path):
                self.release()
                self._descriptor = descriptor
                return True
            os.close(descriptor)  # somebody removed the file between our opening and locking it

    def release(self, remove: bool = False) -> None:
        """Let go; nothing happens where it is not held.

        Args:
            remove: Remove the file first; only for those that hold it alone.
        """
        if self._descriptor is None:
            return
        if remove:
            self.path.unlink(missing_ok=True)
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)  # forked processes have copies of the descriptor
        os.close(self._descriptor)
        self._descriptor = None


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
