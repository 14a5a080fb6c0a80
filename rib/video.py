"""Frames in and out: lazily, RGB, with their times and their sound."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np


class FrameSource(Protocol):
    """A clip that can be walked through any number of times, one decoded frame in memory at a time.

    Attributes:
        name: The clip's name without folder and suffix.
        size_px: Width and height after the container's rotation.
        fps: Frames a second, exact; the mean rate where the frame rate varies.
        times_s: (K,) float64 presentation times from 0, strictly increasing; exactly k / fps at a constant rate.
        audio: The file that holds the clip's sound, or None.
    """

    name: str
    size_px: tuple[int, int]
    fps: Fraction
    times_s: np.ndarray
    audio: Path | None

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[np.ndarray]:
        """Every frame in order as (H, W, 3) uint8 RGB, rotated upright."""
        ...

    def fingerprint(self) -> str:
        """A hash of the content, for the artefacts' keys."""
        ...
