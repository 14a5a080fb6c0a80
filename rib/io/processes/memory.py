"""Memory that does not grow with the clip."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

EVERY = 64
"""Frames between two returns; one takes about a millisecond."""


def trim_memory_between_frames(frames: Iterable[Item]) -> Iterator[Item]:
    """Iterate over frames, returning freed memory to the system now and then.

    What is kept of each frame is small, but it lies between pictures that are freed, and glibc keeps those
    pages: a frame's worth for every frame. Elsewhere than on glibc nothing is done.
    """
    for index, frame in enumerate(frames):
        yield frame
        if index % EVERY == EVERY - 1:
            trim_memory()


def trim_memory() -> None:
    """Return freed memory to the system, where glibc would keep it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
