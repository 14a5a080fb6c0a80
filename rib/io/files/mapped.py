"""Arrays that lie in files: what was read of them takes memory only until it is given back."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np

from rib.io.files.whole import write_errors_in_one_line
from rib.io.processes.memory import give_back_mapped_pages, give_back_when_trimmed

SMALL_BYTES = 1 << 18
"""Arrays of fewer bytes stay in memory."""
CHUNK_ROWS = 256


class ArrayFileWriter:
    """Takes an array a few rows at a time into a file without a name, gone with the array.

    Args:
        folder: On whose disk the file lies.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._rows, self._like = 0, np.empty(0)

    def append(self, rows: np.ndarray) -> None:
        """Take the next rows; all have one shape and type but for their number.

        Raises:
            RibError: The disk is full.
        """
        self._like, self._rows = rows[:0], self._rows + len(rows)
        with write_errors_in_one_line(self._folder.absolute()):
            self._file = self._file or tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
            for chunk in chunks_of_rows(rows):
                self._file.write(chunk.tobytes())
            self._file.flush()

    def array(self) -> np.ndarray:
        """All rows, to be read only; in memory where they are few."""
        shape = (self._rows, *self._like.shape[1:])
        num_bytes = int(np.prod(shape)) * self._like.itemsize
        if self._file is None or not num_bytes:
            return np.zeros(shape, self._like.dtype)
        with self._file as file:
            if num_bytes < SMALL_BYTES:
                file.seek(0)
                content: Any = file.read()
            else:
                content = mmap.mmap(file.fileno(), num_bytes, access=mmap.ACCESS_READ)
                give_back_when_trimmed(content)
        return np.frombuffer(content, self._like.dtype).reshape(shape)


def array_in_file(array: np.ndarray, folder: Path) -> np.ndarray:
    """Move an array into a file without a name; one that is small, lies in a file or is constant stays.

    Args:
        array: At least one axis.
        folder: On whose disk the file lies.

    Returns:
        The same values, to be read only.
    """
    if array.nbytes < SMALL_BYTES or not any(array.strides) or _lies_in_file(array):
        return array
    writer = ArrayFileWriter(folder)
    writer.append(array)
    return writer.array()


def map_array_file(path: Path) -> np.ndarray:
    """Open what `np.save` wrote, to be read only; a large array is not read into memory."""
    if path.stat().st_size < SMALL_BYTES:
        return np.asarray(np.load(path, allow_pickle=False))
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    assert isinstance(array.base, mmap.mmap)
    give_back_when_trimmed(array.base)
    return np.asarray(array)


def chunks_of_rows(array: np.ndarray) -> Iterable[np.ndarray]:
    """An array's rows, some at a time, each part contiguous; what lies in a file is given back after it."""
    for start in range(0, len(array), CHUNK_ROWS):
        yield np.ascontiguousarray(array[start : start + CHUNK_ROWS])
        if _lies_in_file(array):
            give_back_mapped_pages()


def _lies_in_file(array: np.ndarray) -> bool:
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base.obj if isinstance(base, memoryview) else base, mmap.mmap)
