"""Sources of recordings: a prepared store, the reference's store, a folder, or synthetic people."""

from __future__ import annotations

from pathlib import Path

import h5py

from rib.io.errors import RibError
from rib.io.hdf5.reading import hdf5_errors_in_one_line, hdf5_groups, open_hdf5
from rib.mocap.stores.bank import MotionBank
from rib.mocap.stores.reference_store import read_reference_mocap_store
from rib.mocap.stores.store import load_motion_bank
from rib.mocap.synthetic import synthetic_mocap_recordings

SYNTHETIC = "synthetic"
"""Given in place of a path: people who need no data, for tests and a first look."""
NUM_PEOPLE, NUM_FRAMES = 12, 600


def load_mocap_recordings(source: str | Path, fps: float) -> MotionBank:
    """All recordings in memory.

    Args:
        source: A store of `rib prepare`, the reference's `AMASS_3D_joints.h5`, a folder of `.npz` files
            of joint positions, or "synthetic" for `NUM_PEOPLE` people made from a seed.
        fps: The frame rate wanted, frames a second.

    Raises:
        RibError: There is nothing to load, or a store has another frame rate.
    """
    if str(source) == SYNTHETIC:
        return MotionBank.from_recordings(
            synthetic_mocap_recordings(NUM_PEOPLE, NUM_FRAMES, fps, seed=0), fps
        )
    path = Path(source).expanduser()
    if not path.exists():
        raise RibError(
            f"there is no motion capture at {path}",
            f"make a store of a collection, such as CMU's (mocap.cs.cmu.edu): rib prepare data=mocap "
            f"data.prepare.folder=cmu/ data.prepare.output={path}",
        )
    if path.is_file() and _is_reference_store(path):
        return MotionBank.from_recordings(read_reference_mocap_store(path), fps)
    return load_motion_bank(path, fps)


def _is_reference_store(path: Path) -> bool:
    if not h5py.is_hdf5(path):
        return False
    remedy = "name a store of `rib prepare`, or the reference's AMASS_3D_joints.h5"
    with hdf5_errors_in_one_line(path, remedy), open_hdf5(path, remedy) as file:
        return "format" not in file.attrs and len(hdf5_groups(file, str(path))) == len(file)
