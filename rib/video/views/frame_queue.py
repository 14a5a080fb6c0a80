"""Frames that wait for somebody who takes them later than they are decoded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from rib.io.files.nameless import NamelessFile

MEMORY_BYTES = 48 * 2**20
"""Frames of more than so many bytes wait on disk."""


class FrameQueue:
    """First in, first out; frames for which memory has no room lie in a file without a name meanwhile.

    The file is gone when the process ends, however it ends; its places are used again.

    Args:
        folder: On whose disk the file lies; None takes the folder for temporary files.
        memory_bytes: So many bytes of frames are kept in memory.
    """

    def __init__(self, folder: Path | None = None, memory_bytes: int = MEMORY_BYTES) -> None:
        self._memory_bytes = memory_bytes
        self._waiting: deque[np.ndarray | int] = deque()
        self._held_bytes = self.num_bytes = 0
        self._file = NamelessFile(folder)
        self._free: list[int] = []
        self._num_places = 0
        self._shape: tuple[int, ...] = ()
        self._dtype, self._frame_bytes = np.dtype(np.uint8), 0

    def __len__(self) -> int:
        return len(self._waiting)

    def append(self, frame: np.ndarray) -> None:
        """Put a frame at the end; all of a queue have the same shape and type.

        Raises:
            RibError: The disk is full.
        """
        self.num_bytes += frame.nbytes
        if self._held_bytes + frame.nbytes <= self._memory_bytes:
            self._held_bytes += frame.nbytes
            self._waiting.append(frame)
            return
        self._shape, self._dtype, self._frame_bytes = frame.shape, frame.dtype, frame.nbytes
        place = self._free.pop() if self._free else self._num_places
        self._num_places = max(self._num_places, place + 1)
        self._file.write(frame.tobytes(), place * frame.nbytes)
        self._waiting.append(place)

    def pop(self) -> np.ndarray:
        """Take the first frame."""
        first = self._waiting.popleft()
        frame = self._read(first) if isinstance(first, int) else first
        self._held_bytes -= 0 if isinstance(first, int) else frame.nbytes
        self.num_bytes -= frame.nbytes
        return frame

    def _read(self, place: int) -> np.ndarray:
        content = self._file.read(place * self._frame_bytes, self._frame_bytes)
        self._free.append(place)
        return np.frombuffer(content, self._dtype).reshape(self._shape)


def share_decoded_frames(frames: Iterable[np.ndarray], count: int) -> list[Iterator[np.ndarray]]:
    """The same frames for several who walk at different paces, decoded once (`itertools.tee` with a disk)."""
    queues = [FrameQueue() for _ in range(count)]
    walk = iter(frames)

    def branch(queue: FrameQueue) -> Iterator[np.ndarray]:
        while True:
            if not queue:
                frame = next(walk, None)
                if frame is None:
                    return
                for each in queues:
                    each.append(frame)
            yield queue.pop()

    return [branch(queue) for queue in queues]
