"""HumanSlomo's HDF5: one group a clip, pictures as encoded bytes, read a window at a time.

Layout, as the reference writes and reads it:
    train_images: (N,) variable-length uint8, encoded PNG or JPEG.
    train_dain: (N - 2,) the same; number i is frame i + 1, interpolated from frames i and i + 2.
    train_poses: (N, 19, 3) float64, x and y in px and confidence, joints in `BODY19`'s order.
    gt_images, gt_poses: the same for frames of a test clip at the full rate; gt_dain: (N,), number i is
        frame i, interpolated from the frames that a test gives, and those frames themselves.
Our own additions, which other readers pass over: train_masks and gt_masks, (N,) encoded grey pictures, and
the attributes `fps` and, of test clips, `given`: numbers of the frames that a test gives. All may be absent:
masks are then drawn from the poses, the rate is taken as 30, and every second frame is given.
"""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np

from rib.clips.clips import ClipWindow
from rib.clips.pose_mask import masks_from_clip_poses
from rib.io.encoded_pictures import decoded_image_bytes
from rib.io.errors import RibError
from rib.io.hdf5.reading import (
    hdf5_attribute,
    hdf5_dataset,
    hdf5_errors_in_one_line,
    hdf5_groups,
    hdf5_number,
    open_hdf5,
)
from rib.io.recipe import did_you_mean
from rib.structures.skeleton import BODY19

ASSUMED_FPS = 30.0
SPLITS = ("train", "gt")
FIRST_BACKGROUND = {"train": 1, "gt": 0}
"""The frame that the first interpolated picture belongs to."""
MAX_POSE = 1e6
"""No joint lies as far out, px."""
REMEDY = "prepare it again by `rib prepare data=humanslomo`, or leave it out by data.clips"
BYTES = h5py.vlen_dtype(np.uint8)


class Hdf5ClipStore:
    """The clips of a store file (see `ClipStore`).

    The file is opened when first read and again in every process that a store travels to.

    Args:
        path: The file.
        split: "train", or "gt" for the frames of the test clips.

    Raises:
        RibError: There is no such file, it is no HDF5, or holds no clip of the split.
    """

    def __init__(self, path: str | Path, split: str = "train") -> None:
        if split not in SPLITS:
            raise RibError(f"{split!r} is no part of a store of clips", did_you_mean(split, list(SPLITS)))
        self.path, self.split = Path(path).expanduser().absolute(), split
        self._file: h5py.File | None = None
        self._process = -1
        self._lengths: dict[str, int] = {}
        with hdf5_errors_in_one_line(self.path, REMEDY):
            self.names: tuple[str, ...] = tuple(
                name
                for name, group in self._groups().items()
                if any(f"{split}_{key}" in group for key in _KEYS)
            )
        if not self.names:
            raise RibError(f"{self.path} holds no clip with {split}_images", "name a store of clips")

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None, "_process": -1}

    def length(self, name: str) -> int:
        """Frames of a clip; the clip's keys and their lengths are checked on the way.

        Raises:
            RibError: There is no such clip, it lacks a key, or its parts do not fit each other.
        """
        if name not in self._lengths:
            with hdf5_errors_in_one_line(self._told(name), REMEDY):
                self._lengths[name] = _checked_length(self._group(name), self.split, self._told(name))
        return self._lengths[name]

    def fps(self, name: str) -> float:
        """Frames a second of a clip; `ASSUMED_FPS` where the file does not say."""
        with hdf5_errors_in_one_line(self._told(name), REMEDY):
            fps = hdf5_attribute(self._group(name), "fps", ASSUMED_FPS)
        return hdf5_number(fps, 0.001, 100_000, f"{self._told(name)}: fps", REMEDY)

    def given(self, name: str) -> list[int]:
        """Numbers of the frames that a test gives; every second one where the file does not say."""
        with hdf5_errors_in_one_line(self._told(name), REMEDY):
            stored = hdf5_attribute(self._group(name), "given")
            if stored is None:
                return list(range(0, self.length(name), 2))
            given = [int(n) for n in stored]
        if any(b <= a for a, b in pairwise([-1, *given, self.length(name)])):
            raise RibError(
                f"{self._told(name)}: the frames given are {given[:8]}, which do not increase", REMEDY
            )
        return given

    def window(self, name: str, start: int, frames: int) -> ClipWindow:
        """Frames `start` .. `start + frames - 1` of a clip.

        Raises:
            RibError: The window leaves the clip, a picture cannot be decoded or has another size.
        """
        if start < 0 or start + frames > self.length(name):
            raise RibError(
                f"{self._told(name)} has {self.length(name)} frames, got {start}..{start + frames}"
            )
        told = self._told(name)
        with hdf5_errors_in_one_line(told, REMEDY):
            return self._window(name, self._group(name), start, frames, told)

    def _window(self, name: str, group: h5py.Group, start: int, frames: int, told: str) -> ClipWindow:
        part = slice(start, start + frames)
        pictures = _pictures(group[f"{self.split}_images"], part, told)
        size = pictures.shape[1:3]
        between = start + 1 - FIRST_BACKGROUND[self.split]
        backgrounds = _pictures(
            group[f"{self.split}_dain"], slice(between, between + max(frames - 2, 0)), told, size
        )
        poses = np.asarray(group[f"{self.split}_poses"][part], np.float64)
        if not (np.abs(poses) < MAX_POSE).all():
            raise RibError(f"{told}: {self.split}_poses holds NaN, or what lies in no picture", REMEDY)
        masks = self._masks(group, part, poses, told, size)
        times_s = np.arange(start, start + frames) / self.fps(name)
        return ClipWindow(name, pictures, poses, masks, backgrounds, times_s)

    def _masks(
        self, group: h5py.Group, part: slice, poses: np.ndarray, told: str, size: tuple[int, int]
    ) -> np.ndarray:
        key = f"{self.split}_masks"
        if key not in group:
            return masks_from_clip_poses(poses, (size[1], size[0]))
        return _pictures(group[key], part, told, size, cv2.IMREAD_GRAYSCALE)

    def _told(self, name: str) -> str:
        return f"{self.path}: {name}"

    def _group(self, name: str) -> h5py.Group:
        if name not in self.names:
            raise RibError(f"{self.path} holds no clip {name!r}", did_you_mean(name, list(self.names)))
        return self._open()[name]

    def _groups(self) -> dict[str, h5py.Group]:
        with hdf5_errors_in_one_line(self.path, REMEDY):
            return hdf5_groups(self._open(), str(self.path))

    def _open(self) -> h5py.File:
        if self._file is None or self._process != os.getpid():
            self._file, self._process = open_clip_store_file(self.path), os.getpid()
        return self._file


_KEYS = ("images", "dain", "poses")


def open_clip_store_file(path: Path) -> h5py.File:
    """Open an HDF5 for reading.

    Raises:
        RibError: It is absent or no HDF5.
    """
    remedy = "make one by `rib prepare data=humanslomo`, or write synthetic for painted clips"
    return open_hdf5(path, remedy, "the store of clips ")


def _checked_length(group: h5py.Group, split: str, told: str) -> int:
    """Frames of a clip whose parts are all there and fit each other."""
    remedy = REMEDY
    num = len(hdf5_dataset(group, f"{split}_images", "bytes", (None,), told, remedy))
    hdf5_dataset(group, f"{split}_dain", "bytes", (None,), told, remedy)
    poses = hdf5_dataset(group, f"{split}_poses", "number", (None, None, None), told, remedy)
    if f"{split}_masks" in group:
        hdf5_dataset(group, f"{split}_masks", "bytes", (None,), told, remedy)
    if poses.shape != (num, len(BODY19), 3):
        raise RibError(
            f"{told} has {num} pictures, but {split}_poses of shape {poses.shape}, expected "
            f"({num}, {len(BODY19)}, 3)",
            remedy,
        )
    wanted = {"dain": num - 2 * FIRST_BACKGROUND[split], "masks": num}
    for key, count in wanted.items():
        if f"{split}_{key}" in group and len(group[f"{split}_{key}"]) != count:
            raise RibError(
                f"{told} has {num} pictures, but {len(group[f'{split}_{key}'])} in {split}_{key}, expected "
                f"{count}",
                remedy,
            )
    return num


def _pictures(
    encodeds: h5py.Dataset, part: slice, told: str, size: tuple[int, int] | None = None,
    mode: int = cv2.IMREAD_COLOR,
) -> np.ndarray:  # fmt: skip
    """Decode pictures of one size, (T, H, W, 3) or (T, H, W) uint8; no picture gives (0, H, W, 3)."""
    pictures = []
    for env_of, encoded in enumerate(encodeds[part], start=part.start):
        picture = decoded_image_bytes(np.asarray(encoded, np.uint8), mode)
        place = f"{told}: number {env_of} of {Path(encodeds.name).name}"
        if picture is None:
            raise RibError(f"{place} is no picture that can be decoded", "prepare the clip again")
        size = size or picture.shape[:2]
        if picture.shape[:2] != size:
            raise RibError(
                f"{place} is {picture.shape[1]} x {picture.shape[0]} px, the clip's first picture is "
                f"{size[1]} x {size[0]}"
            )
        pictures.append(picture if mode == cv2.IMREAD_GRAYSCALE else picture[..., ::-1])
    return np.stack(pictures) if pictures else np.zeros((0, *(size or (0, 0)), 3), np.uint8)
