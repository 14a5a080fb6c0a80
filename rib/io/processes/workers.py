"""Processes that work for this one, and end when it does, however it ends."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection

from rib.io.errors import RibError

PR_SET_PDEATHSIG = 1
"""linux/prctl.h: the signal that the kernel sends to a process when the thread that started it ends."""


@contextmanager
def worker_pool(num: int) -> Iterator[ProcessPoolExecutor]:
    """Give processes to submit work to.

    When the block raises, Ctrl-C included, they are stopped in the middle of what they do. They hold one end
    of a pipe whose other end only this process has, so that its death, by SIGKILL too, ends them. Ctrl-C at a
    terminal reaches the workers as well; they leave it to this process.

    Args:
        num: Processes.

    Raises:
        RibError: A worker was killed from outside.
    """
    context = multiprocessing.get_context("spawn")  # forking a process that runs threads may hang
    watched, held = context.Pipe(duplex=False)
    main = threading.current_thread() is threading.main_thread()
    pool = ProcessPoolExecutor(
        num, mp_context=context, initializer=_live_with, initargs=(watched, os.getpid() if main else None)
    )
    try:
        yield pool
        pool.shutdown()
    except BaseException as error:
        held.close()
        pool.shutdown(wait=True, cancel_futures=True)
        if isinstance(error, BrokenProcessPool):
            raise RibError(
                "a worker process was killed (often because memory ran out)",
                "repeat the command with fewer workers; what is done stays done",
            ) from error
        raise
    finally:
        held.close()
        watched.close()


def die_with_parent(parent: int) -> None:
    """Have the kernel end this process together with the thread that started it; on Linux only.

    Args:
        parent: The process that started this one, by its number; where it has ended already, so does this.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def end_with_starter() -> None:
    """In a worker of whatever pool (a launcher's, for example): end when the process does that started it."""
    if multiprocessing.current_process().name != "MainProcess":
        die_with_parent(os.getppid())


def _live_with(watched: Connection, parent: int | None) -> None:
    """Set up a worker; `parent` is None where a thread started it that may end before the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if parent is not None:
        die_with_parent(parent)
    threading.Thread(target=_end_with, args=(watched,), daemon=True).start()


def _end_with(watched: Connection) -> None:
    try:
        watched.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)
