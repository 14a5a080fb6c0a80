"""HDF5 files that are whole or absent, on a full disk too, where HDF5 itself ends the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import h5py

from rib.io.files.streams import CheckedStream
from rib.io.files.whole import write_file_whole
from rib.io.processes.signals import signals_held_back


class Hdf5Writer:
    """An HDF5 file that is being written; one `step` at a time."""

    def __init__(self, file: h5py.File, stream: CheckedStream) -> None:
        self._file, self._stream = file, stream

    @contextmanager
    def step(self) -> Iterator[h5py.File]:
        """Give the file to write some more into; Ctrl-C and its kin wait until the block is left.

        Raises:
            OSError: A write failed; `write_hdf5` tells the user.
        """
        try:
            with signals_held_back():
                yield self._file
        finally:
            self._stream.check()


@contextmanager
def write_hdf5(path: str | Path) -> Iterator[Hdf5Writer]:
    """Give an HDF5 to write; it becomes `path` when the block ends well (see `write_file_whole`).

    Raises:
        RibError: No space is left, or the place cannot be written to.
    """
    with write_file_whole(path) as temporary, CheckedStream(temporary) as stream:
        file = None
        try:
            with signals_held_back():
                file = h5py.File(stream, "w")
            yield Hdf5Writer(file, stream)
        except BaseException:
            with signals_held_back(), suppress(Exception):
                if file is not None:
                    file.close()
            raise
        with signals_held_back():
            file.close()
        stream.check()
