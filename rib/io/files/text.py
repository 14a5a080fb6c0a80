"""Text files of others: whatever keeps one from being read is said in one line that names it."""

from __future__ import annotations

from pathlib import Path

from rib.io.errors import RibError, reason_of_error
from rib.io.files.regular import check_regular_file


def read_text_file(
    path: Path, what: str, remedy: str, *, any_bytes: bool = False, from_pipe: bool = False,
    largest_bytes: int | None = None,
) -> str:  # fmt: skip
    """Read a file of UTF-8 text; a byte order mark at its beginning is left out.

    Args:
        path: The file.
        what: What it is, before its path in a message, with a space at its end; "" for nothing.
        remedy: What to give instead.
        any_bytes: Whether bytes that are no UTF-8 become signs of replacement: old formats have no encoding.
        from_pipe: Whether a pipe may be read too, as the user's own shell gives one (`<(ls)`).
        largest_bytes: A larger file is refused unread; None for any size.

    Raises:
        RibError: It is no file, cannot be read, is no text or is too large.
    """
    if not from_pipe:
        check_regular_file(path, remedy, what)
    try:
        if largest_bytes is not None and path.stat().st_size > largest_bytes:
            raise RibError(f"{what}{path} is too large ({largest_bytes} bytes at the most)", remedy)
        return path.read_text(encoding="utf-8-sig", errors="replace" if any_bytes else "strict")
    except (OSError, UnicodeDecodeError) as error:
        raise RibError(f"{what}{path} cannot be read ({reason_of_error(error)})", remedy) from error
