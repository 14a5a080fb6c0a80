"""Files for libraries that cannot stand a write that fails: HDF5 crashes at its close, torch's zip aborts.

A full disk is kept from them: what follows is thrown away, and the failure raised when they are done.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rib.io.files.whole import write_file_whole
from rib.io.processes.signals import signals_held_back


class CheckedStream:
    """A new file whose writes succeed always; `check` tells afterwards whether they did.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self._failure: OSError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def check(self) -> None:
        """Raise the OSError of the first write that failed."""
        if self._failure is not None:
            raise self._failure

    def write(self, content: Any) -> int:
        """Write all of a buffer of bytes, unless a write has failed before."""
        left = memoryview(content).cast("B")
        size = left.nbytes
        try:
            while left.nbytes and self._failure is None:
                left = left[self._file.write(left) :]
        except OSError as error:
            self._failure = error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Set the size, unless a write has failed before."""
        try:
            if self._failure is None:
                return self._file.truncate(size)
        except OSError as error:
            self._failure = error
        return size or 0

    def seek(self, offset: int, whence: int = 0) -> int:
        """See `io.IOBase`."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """See `io.IOBase`."""
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        """See `io.RawIOBase`."""
        return self._file.read(size) or b""

    def readinto(self, buffer: Any) -> int:
        """See `io.RawIOBase`."""
        return self._file.readinto(buffer) or 0

    def flush(self) -> None:
        """Nothing is kept back."""


@contextmanager
def write_stream_whole(path: str | Path) -> Iterator[CheckedStream]:
    """Give a stream to write to; it becomes `path` when the block ends well (see `write_file_whole`).

    Ctrl-C and its kin wait until the block is left.

    Raises:
        RibError: No space is left, or the place cannot be written to.
    """
    with write_file_whole(path) as temporary, CheckedStream(temporary) as stream:
        try:
            with signals_held_back():
                yield stream
        finally:
            stream.check()  # also in the place of what the library says about it
