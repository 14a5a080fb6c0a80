"""Protocols of clips, wherever their frames come from, and of writers."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from rib.video.colour.look import ColourMetadata


class FrameSource(Protocol):
    """A clip that can be walked through any number of times, one decoded frame in memory at a time.

    Attributes:
        name: The clip's name without folder and suffix.
        size_px: Width and height after the container's rotation.
        fps: Frames a second, exact; the nominal rate where frames are missing or the clock is unsteady.
        fps_assumed: True where nothing said the rate and the default stands in.
        times_s: (K,) float64 presentation times from 0, strictly increasing; k / fps at a constant rate.
        duration_s: When the last frame is no longer shown; K / fps at a constant rate.
        audio: The file that holds the clip's sound, or None.
        file: The video file that the clip comes from, or None.
        audio_start_s: When the first frame is shown on that file's own clock, in seconds.
        notes: Sentences on what was found and mended, for the summary.
        look: How the stored numbers look on a screen.
        not_kept: Sentences on what the input lacks or what of it cannot be read: the clip is the rest.
    """

    name: str
    size_px: tuple[int, int]
    fps: Fraction
    fps_assumed: bool
    times_s: np.ndarray
    duration_s: float
    audio: Path | None
    file: Path | None
    audio_start_s: float
    notes: list[str]
    look: ColourMetadata
    not_kept: list[str]

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[np.ndarray]:
        """Every frame in order as (H, W, 3) uint8 RGB, rotated upright."""
        ...

    def stored(self) -> Iterator[np.ndarray]:
        """Every frame as its file has it, where `look.is_more`, else as `__iter__` gives it.

        uint16 where the file has more than 8 bits a colour, else uint8; (H, W, 4) with straight alpha where
        it has transparency, else (H, W, 3).
        """
        ...

    def fingerprint(self) -> str:
        """A hash of the content, for the artefacts' keys."""
        ...


class FrameWriter(Protocol):
    """A context manager that takes frames; its file or files appear only when the block ends well."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None: ...

    def write(self, frame: np.ndarray) -> None:
        """Append one (H, W, 3) RGB or (H, W, 4) straight RGBA frame, uint8 or uint16."""
        ...
