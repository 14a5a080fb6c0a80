"""From a file of a mocap collection to a recording: what `rib prepare` is told once, applied to every file.

Readers are plain frozen values: they travel to worker processes, and their `repr` tells whether a prepared
file is still up to date.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Protocol

from rib.io.errors import RibError
from rib.io.recipe import did_you_mean
from rib.mocap.kinematics import to_y_up
from rib.mocap.readers import amass, asf, bvh
from rib.mocap.readers.body_model import BodyModels
from rib.mocap.readers.joint_files import read_mocap_joint_file
from rib.mocap.recording import MocapRecording, subject_of_recording
from rib.mocap.skeletons import mocap_joints_to_body19, mocap_skeleton_of, skeleton_stature_m

UNITS_M = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254, "cmu": 0.0254 / 0.45}
"""Metres a file unit. CMU's unit, kept by everything that was converted from its ASF files, is 1/0.45
inch."""
TYPICAL_STATURE_M = 1.7


class RecordingReader(Protocol):
    """Reads the files of a collection that match `patterns`."""

    patterns: ClassVar[tuple[str, ...]]

    def __call__(self, path: Path, name: str) -> MocapRecording:
        """The recording in a file; `name` is its path below the collection's folder, without suffix."""


@dataclass(frozen=True)
class MocapReader:
    """BVH files, ASF/AMC pairs and `.npz` files of joint positions.

    Args:
        units: For each skeleton of `SKELETONS` the unit of its BVH files, a key of `UNITS_M`; a skeleton that
            is not listed, or is "auto", gets the unit that makes its owner's stature most like a person's.
            ASF files state their unit, `.npz` files are in metres.
        drop_frames: For each skeleton the frames left out at a recording's start (a T-pose, say).
        up: "y" or "z", the axis of BVH files that points up.
        amc_fps: Frames a second of AMC files, which do not say.
    """

    units: Mapping[str, str]
    drop_frames: Mapping[str, int]
    up: str
    amc_fps: float
    patterns: ClassVar[tuple[str, ...]] = ("*.bvh", "*.amc", "*.npz")

    def __post_init__(self) -> None:
        for unit in self.units.values():
            if unit not in (*UNITS_M, "auto"):
                raise RibError(f"unknown unit {unit!r}", did_you_mean(unit, [*UNITS_M, "auto"]))
        if self.up not in ("y", "z"):
            raise RibError(f"up is {self.up!r}, expected y or z")

    def __call__(self, path: Path, name: str) -> MocapRecording:
        """Read a file by its suffix."""
        if path.suffix == ".npz":
            return replace(read_mocap_joint_file(path), name=name)
        recording = self._amc(path, name) if path.suffix == ".amc" else self._bvh(path, name)
        skipped = self.drop_frames.get(mocap_skeleton_of(recording.joint_names, recording.source), 0)
        return replace(recording, joints_m=recording.joints_m[skipped:])

    def _bvh(self, path: Path, name: str) -> MocapRecording:
        parsed = bvh.read_bvh(path)
        joints = to_y_up(bvh.bvh_positions(parsed), self.up)
        recording = MocapRecording(
            name, joints, tuple(parsed.names), parsed.fps, subject_of_recording(path), path.name
        )
        unit = self.units.get(mocap_skeleton_of(parsed.names, path.name), "auto")
        metres = UNITS_M[unit] if unit != "auto" else guess_mocap_unit_m(recording)
        return replace(recording, joints_m=joints * metres)

    def _amc(self, path: Path, name: str) -> MocapRecording:
        skeleton = asf.read_asf(asf.asf_file_of_amc(path))
        joints_m = asf.amc_positions(skeleton, asf.read_amc(path, skeleton)) * skeleton.metres_per_unit
        bones = tuple(bone.name for bone in skeleton.bones)
        return MocapRecording(name, joints_m, bones, self.amc_fps, subject_of_recording(path), path.name)


@dataclass(frozen=True)
class AmassReader:
    """AMASS recordings, posed with the user's own SMPL-H or SMPL-X body models.

    Args:
        body_models: The models' folder (see `BodyModels`).
    """

    body_models: str
    patterns: ClassVar[tuple[str, ...]] = amass.PATTERNS

    def __call__(self, path: Path, name: str) -> MocapRecording:
        """Read a file; AMASS's folders give the name."""
        return amass.read_amass(path, _models(self.body_models))


def guess_mocap_unit_m(recording: MocapRecording) -> float:
    """Metres a file unit for joints in unknown units, from the stature that each unit would give."""
    stature = skeleton_stature_m(mocap_joints_to_body19(recording).joints_m)
    if not stature > 0:
        raise RibError(f"{recording.source}: its bones have no length, so its unit cannot be guessed")
    return min(UNITS_M.values(), key=lambda unit_m: abs(math.log(stature * unit_m / TYPICAL_STATURE_M)))


@lru_cache(maxsize=1)
def _models(folder: str) -> BodyModels:
    """One set of models a process, however many recordings it reads."""
    return BodyModels(folder)
