"""Memory that does not grow with the clip."""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import weakref
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

EVERY = 64
"""Frames between two returns; one takes about a millisecond."""

LARGE_BLOCK_BYTES = 4 * 2**20
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
"""Their numbers in glibc's malloc.h."""

_mapped: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


def trim_memory_between_frames(frames: Iterable[Item]) -> Iterator[Item]:
    """Iterate over frames, returning freed memory to the system now and then.

    What is kept of each frame is small, but it lies between pictures that are freed, and glibc keeps those
    pages: a frame's worth for every frame. Elsewhere than on glibc nothing is done.
    """
    for index, frame in enumerate(frames):
        yield frame
        if index % EVERY == EVERY - 1:
            trim_memory()


def give_back_when_trimmed(mapped: mmap.mmap) -> None:
    """Give back a mapped file's pages whenever memory is trimmed; they are read again when wanted."""
    _mapped.add(mapped)


def give_back_mapped_pages() -> None:
    """Free the memory that parts of mapped files take, where the system can."""
    if hasattr(mmap, "MADV_DONTNEED"):
        for one in list(_mapped):
            one.madvise(mmap.MADV_DONTNEED)


def give_back_large_blocks(from_bytes: int = LARGE_BLOCK_BYTES) -> None:
    """Let glibc return every block of so many bytes when it is freed, from here on in this process.

    Left to itself it keeps freed blocks up to 32 MB, and pictures of other sizes fit into them badly. What is
    returned has to be asked for again, which costs processor time: of small pictures more than it is worth.
    Threads that begin from here on share a heap: the ends of those of their own never go back.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is not None:
        set_option(M_MMAP_THRESHOLD, from_bytes)
        set_option(M_ARENA_MAX, 1)


def ask_for_huge_pages() -> None:
    """Let PyTorch, if it is not loaded yet, ask for large tensors in pages of 2 MB, which come sooner."""
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def trim_memory() -> None:
    """Return memory to the system: what is freed, where glibc would keep it, and pages of arrays in files."""
    give_back_mapped_pages()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
