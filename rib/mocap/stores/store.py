"""One HDF5 file of recordings as 19 joints, from which windows are read without their recordings.

Layout: `joints` (N, 19, 3) float32 metres, y up, all recordings end to end; `offsets` (R + 1,); `names`,
`subjects`, `sources` (R,) strings; `valid` (R, 19); attributes `format`, `version`, `fps`, `joint_names`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from rib.io.errors import RibError
from rib.io.hdf5.reading import hdf5_attribute, hdf5_dataset, hdf5_errors_in_one_line, hdf5_number, open_hdf5
from rib.io.hdf5.writing import write_hdf5
from rib.mocap.recording import FPS_RANGE, MocapRecording, check_mocap_values
from rib.mocap.resample import resample_recording
from rib.mocap.skeletons import mocap_joints_to_body19, skeleton_stature_m
from rib.mocap.stores.bank import MotionBank
from rib.structures.skeleton import BODY19

FORMAT, VERSION = "rib-motion", 1
CHUNK_FRAMES = 128
REMEDY = "make one with `rib prepare data=mocap`"


class MotionStore:
    """Windows of the recordings in a store file.

    The file is opened when first read and again in every process that a store travels to: a store may be
    pickled to a spawned worker or inherited by a forked one.

    Args:
        path: A file that `write_motion_store` wrote.

    Attributes:
        names: R names.
        subjects: R subjects.
        sources: R sources.
        valid: (R, 19) bool, False for made-up joints.
        offsets: (R + 1,) int64.
        fps: Frames a second.

    Raises:
        RibError: There is no such file, or it is not a store of this version.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser().absolute()
        self._file: h5py.File | None = None
        self._joints: h5py.Dataset | None = None
        self._process = -1
        with hdf5_errors_in_one_line(self.path, REMEDY), open_hdf5(self.path, REMEDY) as file:
            _check(self.path, file)
            told, num = (
                str(self.path),
                len(hdf5_dataset(file, "names", "text", (None,), str(self.path), REMEDY)),
            )
            self.names, self.subjects, self.sources = (
                tuple(map(str, hdf5_dataset(file, key, "text", (num,), told, REMEDY).asstr()[:]))
                for key in ("names", "subjects", "sources")
            )
            self.valid = hdf5_dataset(file, "valid", "bool", (num, len(BODY19)), told, REMEDY)[:]
            self.offsets = hdf5_dataset(file, "offsets", "integer", (num + 1,), told, REMEDY)[:].astype(
                np.int64
            )
            self.fps = hdf5_number(hdf5_attribute(file, "fps"), *FPS_RANGE, f"{told}: fps", REMEDY)
            joints = hdf5_dataset(file, "joints", "number", (None, len(BODY19), 3), told, REMEDY)
            if num == 0 or self.offsets[0] != 0 or self.offsets[-1] != len(joints):
                raise RibError(f"{told}: its recordings do not fill its {len(joints)} frames", REMEDY)
            if (np.diff(self.offsets) < 1).any():
                raise RibError(f"{told}: a recording has no frame", REMEDY)

    def __len__(self) -> int:
        """The number of recordings."""
        return len(self.names)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None, "_joints": None, "_process": -1}

    @property
    def lengths(self) -> np.ndarray:
        """(R,) int64, frames a recording."""
        return np.diff(self.offsets)

    def window(self, recording: int, start: int, frames: int) -> np.ndarray:
        """Consecutive frames of a recording, (frames, 19, 3) float32 metres, y up.

        Raises:
            RibError: The window reaches outside the recording.
        """
        first = self.offsets[recording] + start
        if start < 0 or frames < 0 or first + frames > self.offsets[recording + 1]:
            raise RibError(
                f"{self.names[recording]} has {self.lengths[recording]} frames, got {start}..{start + frames}"
            )
        with hdf5_errors_in_one_line(self.path, REMEDY):
            return _finite(self._dataset()[first : first + frames], self.path)

    def __getitem__(self, recording: int) -> MocapRecording:
        """A whole recording."""
        return MocapRecording(
            name=self.names[recording],
            joints_m=self.window(recording, 0, int(self.lengths[recording])),
            joint_names=BODY19,
            fps=self.fps,
            subject=self.subjects[recording],
            source=self.sources[recording],
            made_up=tuple(
                name for name, valid in zip(BODY19, self.valid[recording], strict=True) if not valid
            ),
        )

    def __iter__(self) -> Iterator[MocapRecording]:
        return (self[recording] for recording in range(len(self)))

    def load(self) -> MotionBank:
        """All of it in memory."""
        with hdf5_errors_in_one_line(self.path, REMEDY):
            joints = _finite(self._dataset()[:], self.path)
        pieces = np.split(joints, self.offsets[1:-1])
        return MotionBank(
            joints=torch.from_numpy(joints),
            offsets=torch.from_numpy(self.offsets),
            names=self.names,
            subjects=self.subjects,
            stature_m=torch.tensor([skeleton_stature_m(piece) for piece in pieces], dtype=torch.float32),
            valid=torch.from_numpy(self.valid),
            fps=self.fps,
        )

    def close(self) -> None:
        """Close the file; the next read opens it again."""
        if self._file is not None and self._process == os.getpid():
            self._file.close()
        self._file = self._joints = None

    def _dataset(self) -> h5py.Dataset:
        if self._joints is None or self._process != os.getpid():
            self._file, self._process = open_hdf5(self.path, REMEDY), os.getpid()
            self._joints = self._file["joints"]
        return self._joints


def load_motion_bank(path: str | Path, fps: float) -> MotionBank:
    """All recordings in memory, from a store or from a folder of `.npz` files of joint positions.

    Args:
        path: A file that `write_motion_store` wrote, or a folder for `MotionBank.from_folder`.
        fps: The frame rate wanted: files are resampled to it, a store must have it.

    Raises:
        RibError: There is nothing to load, or the store has another frame rate.
    """
    if Path(path).expanduser().is_dir():
        return MotionBank.from_folder(path, fps)
    store = MotionStore(path)
    if store.fps != fps:
        raise RibError(
            f"{path} has {store.fps:g} frames a second, expected {fps:g}",
            "run `rib prepare data=mocap` with that fps",
        )
    return store.load()


def write_motion_store(path: str | Path, recordings: Iterable[MocapRecording], fps: float) -> None:
    """Write recordings of any known skeletons, mapped and resampled, one in memory at a time.

    Raises:
        RibError: There is no recording, two have one name, or a skeleton is unknown.
    """
    shape = (len(BODY19), 3)
    bodies: list[tuple[MocapRecording, int]] = []
    with write_hdf5(Path(path).expanduser().absolute()) as writer:
        with writer.step() as file:
            file.attrs.update(format=FORMAT, version=VERSION, fps=float(fps), joint_names=list(BODY19))
            chunks = (CHUNK_FRAMES, *shape)
            joints = file.create_dataset("joints", (0, *shape), "f4", maxshape=(None, *shape), chunks=chunks)
        for recording in recordings:
            body = resample_recording(mocap_joints_to_body19(recording), fps)
            with writer.step():
                joints.resize(len(joints) + len(body), axis=0)
                joints[-len(body) :] = body.joints_m
            bodies.append((replace(body, joints_m=body.joints_m[:1]), len(body)))
        with writer.step() as file:
            _describe(file, bodies)


def _describe(file: h5py.File, bodies: list[tuple[MocapRecording, int]]) -> None:
    """Write what is told of every recording beside its joints."""
    names = [body.name for body, _ in bodies]
    if not bodies:
        raise RibError("there is no recording to store")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise RibError(f"two recordings are called {twice}", "take one of them out of the collection")
    file["offsets"] = np.cumsum([0] + [length for _, length in bodies])
    file["valid"] = np.stack([body.valid for body, _ in bodies])
    for key in ("name", "subject", "source"):
        values = [getattr(body, key) for body, _ in bodies]
        file.create_dataset(f"{key}s", data=values, dtype=h5py.string_dtype())


def _check(path: Path, file: h5py.File) -> None:
    if hdf5_attribute(file, "format") != FORMAT:
        raise RibError(f"{path} is an HDF5 file but not a motion store", REMEDY)
    version = str(hdf5_attribute(file, "version"))[:40]
    names = np.atleast_1d(hdf5_attribute(file, "joint_names", ())).tolist()
    if version != str(VERSION) or tuple(names) != BODY19:
        raise RibError(
            f"{path} is a motion store of version {version}, this is version {VERSION}",
            "make it again with `rib prepare data=mocap`",
        )


def _finite(joints: np.ndarray, path: Path) -> np.ndarray:
    """(T, 19, 3) float32, refused where a joint is nowhere."""
    try:
        return check_mocap_values(joints, f"{path}: joints").astype(np.float32, copy=False)
    except ValueError as error:
        raise RibError(str(error), REMEDY) from error
