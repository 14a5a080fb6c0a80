"""Mattes that are made before it is known where they are kept."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from rib.io.files.nameless import NamelessFile
from rib.io.images import to_uint8

_FAST = (
    [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE]
    if hasattr(cv2, "IMWRITE_PNG_FILTER")  # younger than the oldest OpenCV that we take
    else []
)
"""Mattes are mostly 0: unfiltered they are as small, and read eight times as fast."""


class AnalysisMatteSpool:
    """Mattes by track id, as PNG in a file without a name, which is gone when the process ends.

    Args:
        folder: On whose disk the file lies.
    """

    def __init__(self, folder: Path) -> None:
        self._file = NamelessFile(folder)
        self._lengths: dict[int, list[tuple[int, int]]] = {}
        self._end = 0

    def __contains__(self, track_id: int) -> bool:
        return track_id in self._lengths

    def add(self, track_id: int, matte: np.ndarray) -> None:
        """Take the next matte (H, W) float in 0..1 of one person.

        Raises:
            RibError: The disk is full.
        """
        content = cv2.imencode(".png", to_uint8(matte), _FAST)[1].tobytes()
        self._file.write(content, self._end)
        self._lengths.setdefault(track_id, []).append((self._end, len(content)))
        self._end += len(content)

    def write(self, track_id: int, folder: Path) -> None:
        """Write one person's mattes into a folder, called by their number."""
        for index, (start, length) in enumerate(self._lengths.get(track_id, ())):
            (folder / f"{index:06d}.png").write_bytes(self._file.read(start, length))

    def close(self) -> None:
        """Forget them all."""
        self._file.close()
