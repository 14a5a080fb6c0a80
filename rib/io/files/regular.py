"""Files that others name, looked at before they are opened: opening a FIFO or a device may never end."""

from __future__ import annotations

import stat
from pathlib import Path

from rib.io.errors import RibError

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def kind_of_file(path: Path) -> str:
    """Name the kind of a path, links followed: "a file", "a folder", "a FIFO", ...; "" where nothing is.

    Raises:
        RibError: The path cannot be looked at: a folder above is closed, or the name is none.
    """
    try:
        return _KINDS.get(stat.S_IFMT(path.stat().st_mode), "a file")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise RibError(f"{str(path)!r} cannot be looked at ({reason})", "check the path") from error


def check_regular_file(path: Path, remedy: str, what: str = "") -> None:
    """Refuse what is not a file that can be read from its beginning to its end.

    Args:
        path: What was named.
        remedy: What to give instead.
        what: What the file is for, before its path in the message: "the checkpoint ".

    Raises:
        RibError: Nothing is there, or it is a folder, a FIFO, a socket or a device.
    """
    kind = kind_of_file(path)
    if kind != "a file":
        told = f"is {kind}, expected a file" if kind else "does not exist"
        raise RibError(f"{what}{path} {told}", remedy)


def check_name_is_text(name: str) -> None:
    """Refuse the name of a file or folder that is no text: what is written about it could not hold it.

    Raises:
        RibError: It is not UTF-8.
    """
    try:
        name.encode()
    except UnicodeEncodeError as error:
        shown = name.encode("utf-8", "backslashreplace").decode()
        raise RibError(f"{shown}: the name is not UTF-8", "rename the file or folder") from error


def refuse_special_files(path: Path, remedy: str = "take it out of the folder") -> None:
    """Refuse a FIFO, a socket or a device inside a folder of files.

    Raises:
        RibError: It is one, or a link to nothing.
    """
    kind = kind_of_file(path)
    if kind not in ("a file", "a folder"):
        told = f"is {kind}, expected a file" if kind else "is a link to nothing"
        raise RibError(f"{path} {told}", remedy)
