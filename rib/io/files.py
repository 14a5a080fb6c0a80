"""Files that are whole or absent: written under a temporary name and renamed; every failure in one line."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rib.io.errors import RibError

NO_SPACE = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})
"""Disk full, a file-size limit, a quota."""
NOT_ALLOWED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
NO_PLACE = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP}
)

_TEMPORARY = re.compile(r"\.[0-9a-f]{12}\.part")


@contextmanager
def write_whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; what was written there becomes `path` when the block ends well.

    The folder is made if needed. When the block raises, nothing is left behind and an older `path` stays.

    Args:
        path: The file to write. The temporary path has the same suffix, so that writers which go by it agree.

    Raises:
        RibError: No space is left, or the place cannot be written to.
    """
    path = Path(path)
    temporary = _temporary(path)
    with write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        try:
            yield temporary
            temporary.replace(path)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextmanager
def temporary_folder(beside: str | Path) -> Iterator[Path]:
    """Give an empty folder next to `beside`, on the same disk, that is gone when the block ends.

    Raises:
        RibError: No space is left, or the place cannot be written to.
    """
    beside = Path(beside)
    folder = _temporary(beside)
    with write_errors(beside):
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def write_bytes_whole(path: str | Path, content: bytes) -> None:
    """Write a whole file of bytes, or none (see `write_whole`)."""
    with write_whole(path) as temporary:
        temporary.write_bytes(content)


def write_text_whole(path: str | Path, content: str) -> None:
    """Write a whole UTF-8 text file, or none (see `write_whole`)."""
    write_bytes_whole(path, content.encode("utf-8"))


@contextmanager
def write_errors(path: str | Path) -> Iterator[None]:
    """Turn the operating system's refusals to write `path` into one line for the user.

    Errors that name another file, or that are none of writing, pass through.

    Raises:
        RibError: No space is left, or the place cannot be written to.
    """
    try:
        yield
    except OSError as error:
        message = _message(Path(path), error)
        if message is None:
            raise
        raise RibError(*message) from error


def _message(path: Path, error: OSError) -> tuple[str, str] | None:
    if error.errno in NO_SPACE:
        return (
            f"no space left to write {path} ({os.strerror(error.errno)})",
            "free some, or name another folder",
        )
    if not _concerns(path, error.filename):
        return None
    if error.errno in NOT_ALLOWED:
        reason = os.strerror(error.errno).lower()
        return f"{path} cannot be written ({reason})", "name a folder that you may write to"
    if error.errno in NO_PLACE:
        return f"{path} cannot be written ({os.strerror(error.errno).lower()})", "name another file or folder"
    return None


def _concerns(path: Path, named: object) -> bool:
    """Whether an error's file name is `path`, one of our temporary names, or a folder above."""
    if named is None:
        return True
    other, whole = Path(os.path.abspath(str(named))), Path(os.path.abspath(path))  # noqa: PTH100 (keep links)
    return other == whole or other in whole.parents or any(_TEMPORARY.match(part) for part in other.parts)


def _temporary(path: Path) -> Path:
    """A hidden name beside `path`; short, so that a long name stays within the file system's limit."""
    return path.with_name(f".{secrets.token_hex(6)}.part{path.suffix}")
