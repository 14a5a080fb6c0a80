"""Clips into HumanSlomo's HDF5 (`rib.clips.store` describes the layout)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import h5py
import numpy as np

from rib.clips.store import BYTES
from rib.io.hdf5.writing import write_hdf5


@dataclass(frozen=True)
class StoredClip:
    """A clip as it is written to the store.

    Attributes:
        name: Its group's name.
        split: "train" or "gt".
        frames: N pictures (H, W, 3) uint8 RGB.
        poses: (N, 19, 3) px and confidence.
        masks: N mattes (H, W) uint8, or None.
        backgrounds: N - 2 pictures for "train", N for "gt".
        fps: Frames a second.
        given: Numbers of the frames that a test gives; empty for training.
    """

    name: str
    split: str
    frames: Sequence[np.ndarray]
    poses: np.ndarray
    masks: Sequence[np.ndarray] | None
    backgrounds: Sequence[np.ndarray]
    fps: float
    given: Sequence[int] = ()


def write_clip_store(path: Path, clips: Iterable[StoredClip]) -> None:
    """Write a store, whole or not at all; a train clip and a gt clip of one name share a group."""
    with write_hdf5(path) as writer:
        for clip in clips:
            with writer.step() as file:
                add_clip_to_store(file, clip)


def add_clip_to_store(file: h5py.File, clip: StoredClip) -> None:
    """Write one clip into an open file."""
    group = file.require_group(clip.name)
    group.attrs["fps"] = clip.fps
    if clip.given:
        group.attrs["given"] = list(clip.given)
    _encoded(group, f"{clip.split}_images", clip.frames)
    _encoded(group, f"{clip.split}_dain", clip.backgrounds)
    if clip.masks is not None:
        _encoded(group, f"{clip.split}_masks", clip.masks)
    group.create_dataset(f"{clip.split}_poses", data=np.asarray(clip.poses, np.float64))


def merge_clip_stores(path: Path, parts: Iterable[Path]) -> None:
    """Copy the clips of several stores into one, whole or not at all."""
    with write_hdf5(path) as writer:
        for part in parts:
            with h5py.File(part, "r") as source, writer.step() as file:
                for name, group in source.items():
                    target = file.require_group(name)
                    target.attrs.update(group.attrs)
                    for key in group:
                        source.copy(group[key], target, name=key)


def _encoded(group: h5py.Group, key: str, pictures: Sequence[np.ndarray]) -> None:
    dataset = group.create_dataset(key, (len(pictures),), dtype=BYTES)
    for index, picture in enumerate(pictures):
        straight = picture[..., ::-1] if picture.ndim == 3 else picture
        dataset[index] = cv2.imencode(".png", straight)[1].ravel()
