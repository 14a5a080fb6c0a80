"""The reference's store, `AMASS_3D_joints.h5`.

It holds `/<database>/<subject_clip>/joints`, (T, 52, 3) float64 metres, z up. It says nothing of frame rates;
its programs take 60 frames a second for granted, so that is what is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import h5py
import numpy as np

from rib.io.errors import RibError
from rib.io.hdf5.reading import (
    hdf5_attribute,
    hdf5_dataset,
    hdf5_errors_in_one_line,
    hdf5_groups,
    hdf5_number,
    open_hdf5,
)
from rib.io.hdf5.writing import write_hdf5
from rib.mocap.kinematics import to_y_up, to_z_up
from rib.mocap.readers.body_model import JOINT_NAMES
from rib.mocap.recording import FPS_RANGE, MocapRecording
from rib.mocap.resample import resample_recording
from rib.mocap.skeletons import SMPLH_JOINTS

REFERENCE_FPS = 60.0
REMEDY = "name a store of `rib prepare`, or the reference's AMASS_3D_joints.h5"
SUBJECT_SEPARATOR = "_"


def read_reference_mocap_store(path: str | Path, fps: float = REFERENCE_FPS) -> Iterator[MocapRecording]:
    """Read the recordings one at a time, with all 52 joints and y up.

    Args:
        path: The HDF5 file.
        fps: The frame rate of recordings that do not carry their own in an attribute.

    Raises:
        RibError: The file is not such a store.
    """
    path = Path(path).expanduser()
    with hdf5_errors_in_one_line(path, REMEDY), open_hdf5(path, REMEDY) as file:
        for database, recordings in hdf5_groups(file, str(path)).items():
            for clip, group in hdf5_groups(recordings, f"{path}: {database}").items():
                yield _recording(path, database, clip, group, fps)


def write_reference_mocap_store(path: str | Path, recordings: Iterable[MocapRecording]) -> None:
    """Write recordings of SMPL-H or SMPL-X bodies, named `<database>/<subject_clip>`, as the reference does.

    Raises:
        RibError: A recording has another skeleton or name.
    """
    with write_hdf5(Path(path).expanduser().absolute()) as writer:
        for recording in recordings:
            resampled = resample_recording(recording, REFERENCE_FPS)
            with writer.step() as file:
                _write(file, resampled)


def _recording(path: Path, database: str, clip: str, group: h5py.Group, fps: float) -> MocapRecording:
    told = f"{path} is not the reference's store: /{database}/{clip}"
    joints = hdf5_dataset(group, "joints", "number", (None, len(SMPLH_JOINTS), 3), told, REMEDY)
    subject = clip.partition(SUBJECT_SEPARATOR)[0]
    return MocapRecording(
        name=f"{database}/{clip}",
        joints_m=to_y_up(joints[:], up="z"),
        joint_names=SMPLH_JOINTS,
        fps=hdf5_number(hdf5_attribute(group, "fps", fps), *FPS_RANGE, f"{told}: fps", REMEDY),
        subject=subject if database == "CMU" else f"{database}/{subject}",
        source=f"AMASS {database}",
    )


def _write(file: h5py.File, recording: MocapRecording) -> None:
    if recording.joint_names not in JOINT_NAMES.values() or recording.name.count("/") != 1:
        raise RibError(
            f"{recording.name}: the reference's store holds SMPL-H joints under <database>/<subject_clip>, "
            f"not {len(recording.joint_names)} joints"
        )
    order = [recording.joint_names.index(name) for name in SMPLH_JOINTS]
    group = file.create_group(recording.name)
    group["joints"] = to_z_up(recording.joints_m[:, order].astype(np.float64))
    group.attrs["fps"] = recording.fps
