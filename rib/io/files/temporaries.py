"""Hidden names for what is being made: locked by who makes it, so that what a killed run left is told apart.

`.<token>.part<suffix>` is the file or folder and `.<token>.lock` is held until it has its place; below a
folder that is a temporary itself nothing more is locked.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rib.io.files.locks import FileLock
from rib.io.processes.signals import signals_held_back

TEMPORARY = re.compile(r"\.[0-9a-f]{12}\.(part(\..*)?|lock)")
_LOCK = re.compile(r"\.([0-9a-f]{12}\.lock|[\w-]*[0-9a-f]{24}\.making)")
"""Held while a temporary is, and while an entry is made (`rib.io.cache`)."""
_swept: set[Path] = set()


@contextmanager
def temporary_path_beside(path: Path) -> Iterator[Path]:
    """Give a hidden name beside `path` for the block; what still has that name afterwards is removed.

    The name is short, so that a long one stays within the file system's limit, and has the suffix of `path`.
    When a process first asks in a folder, what killed runs left there is removed.

    Args:
        path: Its folder exists.
    """
    folder, token = path.parent.absolute(), secrets.token_hex(6)
    temporary = path.with_name(f".{token}.part{path.suffix}")
    lock = None
    if not any(TEMPORARY.fullmatch(part) for part in folder.parts):
        if folder not in _swept:
            remove_leftover_temporaries(folder)
            _swept.add(folder)
        lock = FileLock(path.with_name(f".{token}.lock"))
        lock.acquire()
    try:
        yield temporary
    finally:
        with signals_held_back():
            _remove(temporary)
            if lock is not None:
                lock.release(remove=True)


def remove_leftover_temporaries(folder: Path) -> None:
    """Remove what killed runs left in a folder: temporaries whose locks nobody holds."""
    try:
        locks = [path for path in folder.iterdir() if _LOCK.fullmatch(path.name)]
    except OSError:
        return
    for found in locks:
        lock = FileLock(found)
        with suppress(OSError):  # of somebody else's, in a folder for all
            if lock.acquire(wait=False):
                for leftover in folder.glob(f"{found.stem}.part*") if found.suffix == ".lock" else ():
                    _remove(leftover)
                lock.release(remove=True)


def owner_of_temporary(path: Path) -> Path:
    """The folder that a file below a temporary is made for; other paths as they are."""
    parts = path.parts
    first = next((i for i, part in enumerate(parts) if TEMPORARY.fullmatch(part)), None)
    return path if first is None else Path(*parts[:first])


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
