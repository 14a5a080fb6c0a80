"""Refiner samples that stay on disk: a crop reads what it needs; a corpus may be larger than memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import h5py

from rib.render.refine.dataset import open_refiner_samples, refiner_sample_parts


class StoredRefinerSample(Protocol):
    """Source of crops: `rib.render.refine.dataset.RefinerSample`, or one that stays on disk."""

    @property
    def channels(self) -> Any:
        """(N, C, H, W) uint8; an array, or what is indexed like one."""
        ...

    @property
    def truth(self) -> Any:
        """(N, 3, H, W) uint8, likewise."""
        ...

    @property
    def gate(self) -> float:
        """How far the interval was trusted, 0..1."""
        ...


@dataclass(frozen=True)
class RefinerSampleOnDisk:
    """A `RefinerSample` whose pixels are read when they are indexed; each process opens the file for itself.

    Attributes:
        path: The file.
        place: Group of the sample.
        gate: See `RefinerSample`.
    """

    path: Path
    place: str
    gate: float

    @property
    def channels(self) -> h5py.Dataset:
        """See `RefinerSample`."""
        return _opened(self.path, os.getpid())[self.place]["planes"]

    @property
    def truth(self) -> h5py.Dataset:
        """See `RefinerSample`."""
        return _opened(self.path, os.getpid())[self.place]["truth"]


@lru_cache(maxsize=8)
def _opened(path: Path, process: int) -> h5py.File:
    return h5py.File(path, "r")


def refiner_samples_on_disk(path: Path) -> dict[str, list[RefinerSampleOnDisk]]:
    """List the samples of a file by clip; every one is looked at, and none of their pixels is read.

    Raises:
        RibError: The file is absent, none of ours, of another version, or damaged.
    """
    _opened.cache_clear()
    with open_refiner_samples(path) as file:
        return {
            clip: [
                RefinerSampleOnDisk(path, group.name, refiner_sample_parts(group, told)[2])
                for group, told in samples
            ]
            for clip, samples in file.items()
        }
