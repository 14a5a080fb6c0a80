"""A clip that is decoded once where all of its frames fit into memory, however often it is walked through."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rib.video.source import FrameSource

LIMIT_BYTES = 96 * 2**20
"""Clips whose decoded frames take more are decoded anew on every walk."""


class InMemorySource:
    """Another clip, whose frames stay in memory as far as they were walked through (see `FrameSource`).

    Args:
        source: The clip.
        limit_bytes: A clip whose 8-bit frames take more is not kept, so that memory stays bounded.
    """

    def __init__(self, source: FrameSource, limit_bytes: int = LIMIT_BYTES) -> None:
        self.source = source
        self.name, self.size_px, self.notes = source.name, source.size_px, source.notes
        self.fps, self.fps_assumed = source.fps, source.fps_assumed
        self.times_s, self.duration_s = source.times_s, source.duration_s
        self.audio, self.audio_start_s, self.file = source.audio, source.audio_start_s, source.file
        self.look, self.not_kept = source.look, source.not_kept
        width, height = source.size_px
        self._fits = len(source) * width * height * 3 <= limit_bytes
        self._frames: list[np.ndarray] = []
        self._fingerprint = ""

    def __len__(self) -> int:
        return len(self.source)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Every frame in order as (H, W, 3) uint8 RGB, to be looked at and not to be changed."""
        index = 0
        while index < len(self._frames):
            yield self._frames[index]
            index += 1
        if index == len(self):
            return
        for number, frame in enumerate(self.source):
            if self._fits and number == len(self._frames):
                self._frames.append(frame)
            if number >= index:
                yield frame

    def stored(self) -> Iterator[np.ndarray]:
        """See `FrameSource.stored`; only plain frames are kept in memory."""
        return self.source.stored() if self.look.is_more else iter(self)

    def fingerprint(self) -> str:
        """The clip's own, computed once."""
        if not self._fingerprint:
            self._fingerprint = self.source.fingerprint()
        return self._fingerprint
