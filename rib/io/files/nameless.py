"""A file without a name: room on a disk that is free again when the process ends, however it ends."""

from __future__ import annotations

import tempfile
from io import FileIO
from pathlib import Path
from typing import cast

from rib.io.files.whole import write_errors_in_one_line


class NamelessFile:
    """Written and read at any place; the first write makes it, and what is written is on its disk at once.

    Args:
        folder: On whose disk the file lies; None takes the system's folder of temporary files.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._file: FileIO | None = None

    @property
    def opened(self) -> FileIO | None:
        """The file, or None where nothing has been written."""
        return self._file

    def write(self, content: bytes | memoryview, place: int) -> None:
        """Write all of it, from the byte `place` on.

        Raises:
            RibError: The disk is full.
        """
        with write_errors_in_one_line(Path(self._folder or tempfile.gettempdir()).absolute()):
            if self._file is None:
                made = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
                self._file = cast(FileIO, made)
            self._file.seek(place)
            left = memoryview(content)
            while left:
                left = left[self._file.write(left) :]

    def read(self, place: int, num_bytes: int) -> bytearray:
        """Read so many bytes from the byte `place` on; they were written."""
        assert self._file is not None
        content = bytearray(num_bytes)
        left = memoryview(content)
        self._file.seek(place)
        while left:
            left = left[self._file.readinto(left) :]
        return content

    def close(self) -> None:
        """Give its room back."""
        if self._file is not None:
            self._file.close()
