from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rib.io.errors import RibError
from rib.mocap.readers.joint_files import write_mocap_joint_file
from rib.mocap.recording import MocapRecording
from rib.mocap.skeletons import SMPLH_JOINTS
from rib.mocap.stores.reference_store import write_reference_mocap_store
from rib.mocap.stores.store import write_motion_store
from rib.mocap.synthetic import synthetic_mocap_recordings
from rib.motion.recordings import NUM_PEOPLE, load_mocap_recordings


def test_a_store_a_folder_and_the_reference_store_are_read_by_one_name(tmp_path: Path) -> None:
    people = [
        replace(person, name=f"{i}") for i, person in enumerate(synthetic_mocap_recordings(2, 30, 60, seed=0))
    ]
    write_motion_store(tmp_path / "rib.h5", people, 60)
    (tmp_path / "folder").mkdir()
    for person in people:
        write_mocap_joint_file(tmp_path / "folder" / f"{person.name}.npz", person)
    body = np.random.default_rng(0).normal(size=(30, 52, 3)).astype(np.float32)
    smplh = MocapRecording("CMU/01_01", body, SMPLH_JOINTS, 60.0, "01", "AMASS CMU")
    write_reference_mocap_store(tmp_path / "AMASS_3D_joints.h5", [smplh])
    from_store, from_folder = (load_mocap_recordings(tmp_path / name, 60) for name in ("rib.h5", "folder"))
    assert (from_store.joints == from_folder.joints).all()
    reference = load_mocap_recordings(tmp_path / "AMASS_3D_joints.h5", 60)
    assert reference.subjects == ("01",)
    assert reference.joints.shape == (30, 19, 3)


def test_synthetic_people_need_no_data() -> None:
    assert len(load_mocap_recordings("synthetic", 60)) == NUM_PEOPLE


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RibError, match="nothing"):
        load_mocap_recordings(tmp_path / "nothing", 60)
