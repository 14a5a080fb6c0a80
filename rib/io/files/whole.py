"""Files that are whole or absent: written under a temporary name and renamed; every failure in one line."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rib.io.errors import RibError
from rib.io.files.temporaries import TEMPORARY, owner_of_temporary, temporary_path_beside

NO_SPACE = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})
"""Disk full, a file-size limit, a quota."""
NOT_ALLOWED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
NO_PLACE = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP}
)


class NoSpaceError(RibError):
    """A disk is full, or a limit on files is reached: the next file would fare no better."""


@contextmanager
def write_file_whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; what was written there becomes `path` when the block ends well.

    The folder is made if needed. When the block raises, nothing is left behind and an older `path` stays.

    Args:
        path: The file to write. The temporary path has the same suffix, so that writers which go by it agree.

    Raises:
        RibError: No space is left, or the place cannot be written to.
    """
    path = Path(path)
    with write_errors_in_one_line(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        with temporary_path_beside(path) as temporary:
            yield temporary
            temporary.replace(path)


@contextmanager
def temporary_folder(beside: str | Path, remedy: str = "name another folder") -> Iterator[Path]:
    """Give an empty folder next to `beside`, on the same disk, that is gone when the block ends.

    Args:
        beside: What it is for.
        remedy: What to type where the disk is full (see `write_errors_in_one_line`).

    Raises:
        RibError: No space is left, or the place cannot be written to.
    """
    beside = Path(beside)
    with write_errors_in_one_line(beside, remedy):
        beside.parent.mkdir(parents=True, exist_ok=True)
        with temporary_path_beside(beside) as folder:
            folder.mkdir()
            yield folder


def write_bytes_whole(path: str | Path, content: bytes) -> None:
    """Write a whole file of bytes, or none (see `write_file_whole`)."""
    with write_file_whole(path) as temporary:
        temporary.write_bytes(content)


def write_text_whole(path: str | Path, content: str) -> None:
    """Write a whole UTF-8 text file, or none (see `write_file_whole`)."""
    write_bytes_whole(path, content.encode("utf-8"))


@contextmanager
def write_errors_in_one_line(path: str | Path, remedy: str = "name another folder") -> Iterator[None]:
    """Turn the operating system's refusals to write `path` into one line for the user.

    A full disk under a file that the error names is told of that file. Other errors that name another file,
    that tell of a missing place without naming it, or that are none of writing, pass through.

    Args:
        path: What is written.
        remedy: What to type where its disk is full, besides freeing some.

    Raises:
        NoSpaceError: No space is left.
        RibError: The place cannot be written to.
    """
    try:
        yield
    except OSError as error:
        if error.errno in NO_SPACE:
            full = Path(path) if _concerns(Path(path), error.filename) else Path(str(error.filename))
            raise NoSpaceError(
                f"no space left to write {owner_of_temporary(full)} ({os.strerror(error.errno)})",
                f"free some, or {remedy}",
            ) from error
        message = _message(Path(path), error)
        if message is None:
            raise
        raise RibError(*message) from error


def _message(path: Path, error: OSError) -> tuple[str, str] | None:
    if not _concerns(path, error.filename):
        return None
    if error.errno in NOT_ALLOWED:
        reason = os.strerror(error.errno).lower()
        return f"{path} cannot be written ({reason})", "name a folder that you may write to"
    if error.errno in NO_PLACE and error.filename is not None:  # a write that has begun has its place
        return f"{path} cannot be written ({os.strerror(error.errno).lower()})", "name another file or folder"
    return None


def _concerns(path: Path, named: object) -> bool:
    """Whether an error's file name is `path`, a temporary of ours beside or below it, or a folder above."""
    if named is None:
        return True
    other, whole = Path(os.path.abspath(str(named))), Path(os.path.abspath(path))  # noqa: PTH100 (keep links)
    if other == whole or other in whole.parents:
        return True
    places = [Path(*other.parts[:i]) for i, part in enumerate(other.parts) if TEMPORARY.fullmatch(part)]
    return any(place in (whole.parent, whole) or whole in place.parents for place in places)
