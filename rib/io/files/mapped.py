"""Arrays that lie in files: what was read of them takes memory only until it is given back."""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from rib.io.files.nameless import NamelessFile
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
        self._file, self._end = NamelessFile(folder), 0
        self._rows, self._like = 0, np.empty(0)

    def append(self, rows: np.ndarray) -> None:
        """Take the next rows; all have one shape and type but for their number.

        Raises:
            RibError: The disk is full.
        """
        self._like, self._rows = rows[:0], self._rows + len(rows)
        for chunk in chunks_of_rows(rows):
            self._file.write(chunk.tobytes(), self._end)
            self._end += chunk.nbytes

    def array(self) -> np.ndarray:
        """All rows, to be read only; in memory where they are few."""
        shape = (self._rows, *self._like.shape[1:])
        if (file := self._file.opened) is None:
            return np.zeros(shape, self._like.dtype)
        with file:
            if self._end < SMALL_BYTES:
                content: Any = bytes(self._file.read(0, self._end))
            else:
                content = mmap.mmap(file.fileno(), self._end, access=mmap.ACCESS_READ)
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
