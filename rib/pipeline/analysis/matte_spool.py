"""Mattes that are made before it is known where they are kept."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO

import cv2
import numpy as np

from rib.io.files.whole import write_errors_in_one_line
from rib.io.images import to_uint8


class AnalysisMatteSpool:
    """Mattes by track id, as PNG in a file without a name, which is gone when the process ends.

    Args:
        folder: On whose disk the file lies.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._lengths: dict[int, list[tuple[int, int]]] = {}
        self._end = 0

    def __contains__(self, track_id: int) -> bool:
        return track_id in self._lengths

    def add(self, track_id: int, matte: np.ndarray) -> None:
        """Take the next matte (H, W) float in 0..1 of one person.

        Raises:
            RibError: The disk is full.
        """
        content = cv2.imencode(".png", to_uint8(matte))[1].tobytes()
        with write_errors_in_one_line(self._folder.absolute()):
            self._file = self._file or tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
            self._file.write(content)
        self._lengths.setdefault(track_id, []).append((self._end, len(content)))
        self._end += len(content)

    def write(self, track_id: int, folder: Path) -> None:
        """Write one person's mattes into a folder, called by their number."""
        if self._file is None:
            return
        for index, (start, length) in enumerate(self._lengths[track_id]):
            self._file.seek(start)
            (folder / f"{index:06d}.png").write_bytes(self._file.read(length))
        self._file.seek(self._end)

    def close(self) -> None:
        """Forget them all."""
        if self._file is not None:
            self._file.close()
