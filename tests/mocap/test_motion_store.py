import multiprocessing
import pickle
from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch

from rib.io.errors import RibError
from rib.mocap.readers.joint_files import write_mocap_joint_file
from rib.mocap.recording import MocapRecording
from rib.mocap.skeletons import SMPLH_JOINTS, SMPLX_JOINTS, mocap_joints_to_body19
from rib.mocap.stores.reference_store import read_reference_mocap_store, write_reference_mocap_store
from rib.mocap.stores.store import MotionStore, load_motion_bank, write_motion_store
from rib.mocap.synthetic import synthetic_mocap_recordings


@pytest.fixture
def people():
    people = synthetic_mocap_recordings(3, 300, 60, seed=0)
    return [replace(person, joints_m=person.joints_m[: 300 - 60 * i]) for i, person in enumerate(people)]


@pytest.fixture
def store(tmp_path, people):
    write_motion_store(tmp_path / "motion.h5", people, fps=60)
    return MotionStore(tmp_path / "motion.h5")


def smplh(joint_names=SMPLH_JOINTS, fps=60.0, name="CMU/05_05_01"):
    joints = np.random.default_rng(0).normal(size=(9, len(joint_names), 3))
    return MocapRecording(name, joints, joint_names, fps, "05", "AMASS CMU")


def test_recordings_come_back_as_they_went_in(store, people):
    assert len(store) == 3
    for back, person in zip(store, people, strict=True):
        assert (back.name, back.subject, back.source, back.fps) == (
            person.name,
            person.subject,
            "synthetic",
            60,
        )
        np.testing.assert_allclose(back.joints_m, person.joints_m, atol=1e-6)
        assert back.valid.all()


def test_windows_are_parts_of_recordings(store):
    np.testing.assert_array_equal(store.window(1, 100, 50), store[1].joints_m[100:150])
    with pytest.raises(RibError, match=r"has 240 frames, got 200\.\.260"):
        store.window(1, 200, 60)


def test_store_and_bank_agree(store):
    bank = store.load()
    torch.testing.assert_close(bank[2], torch.from_numpy(store[2].joints_m))
    assert bank.names == store.names
    assert bank.lengths.tolist() == store.lengths.tolist()


def test_a_bank_comes_from_a_store_or_a_folder(tmp_path, store, people):
    (tmp_path / "joints").mkdir()
    for number, person in enumerate(people):
        write_mocap_joint_file(tmp_path / "joints" / f"{number}.npz", person)
    torch.testing.assert_close(
        load_motion_bank(store.path, 60).joints, load_motion_bank(tmp_path / "joints", 60).joints
    )
    with pytest.raises(RibError, match="60 frames a second, expected 30"):
        load_motion_bank(store.path, 30)


def test_made_up_joints_stay_marked(tmp_path, people):
    write_motion_store(tmp_path / "a.h5", [replace(people[0], made_up=("nose",))], fps=60)
    assert MotionStore(tmp_path / "a.h5")[0].made_up == ("nose",)
    assert not MotionStore(tmp_path / "a.h5").load().valid[0, 0]


def test_a_store_has_one_frame_rate(tmp_path, people):
    write_motion_store(tmp_path / "a.h5", people, fps=30)
    store = MotionStore(tmp_path / "a.h5")
    assert store.fps == 30
    np.testing.assert_allclose(store[0].joints_m, people[0].joints_m[::2], atol=1e-6)


def test_an_open_store_travels_to_other_processes(store):
    here = store.window(0, 10, 5)  # opens the file
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(store)).window(0, 10, 5), here)
    receiver, sender = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=lambda: sender.send(store.window(0, 10, 5)))
    child.start()
    there = receiver.recv()
    child.join()
    np.testing.assert_array_equal(there, here)
    np.testing.assert_array_equal(store.window(0, 10, 5), here)


def test_a_closed_store_opens_again(store):
    here = store.window(0, 0, 5)
    store.close()
    np.testing.assert_array_equal(store.window(0, 0, 5), here)


def test_a_failed_write_leaves_the_old_store(store, people):
    with pytest.raises(RibError, match="two recordings are called"):
        write_motion_store(store.path, [people[0], people[0]], fps=60)
    assert len(MotionStore(store.path)) == 3
    assert [path.name for path in store.path.parent.iterdir()] == ["motion.h5"]


def test_what_is_not_a_store_is_one_clear_line(tmp_path, store):
    with pytest.raises(RibError, match="rib prepare"):
        MotionStore(tmp_path / "nothing.h5")
    write_reference_mocap_store(tmp_path / "reference.h5", [smplh()])
    with pytest.raises(RibError, match="not a motion store"):
        MotionStore(tmp_path / "reference.h5")
    with h5py.File(store.path, "a") as file:
        file.attrs["version"] = 99
    with pytest.raises(RibError, match="version 99"):
        MotionStore(store.path)


def test_the_references_file_has_its_own_layout(tmp_path):
    recording = smplh(fps=120.0)
    write_reference_mocap_store(tmp_path / "AMASS_3D_joints.h5", [recording])
    with h5py.File(tmp_path / "AMASS_3D_joints.h5") as file:
        joints = file["CMU/05_05_01/joints"]
        assert (joints.shape, joints.dtype) == ((5, 52, 3), np.float64)
        np.testing.assert_array_equal(joints[..., 2], recording.joints_m[::2, :, 1])  # z is up there
    back = next(read_reference_mocap_store(tmp_path / "AMASS_3D_joints.h5"))
    assert (back.name, back.subject, back.fps) == (recording.name, "05", 60)
    np.testing.assert_array_equal(back.joints_m, recording.joints_m[::2])


def test_the_references_file_becomes_a_store(tmp_path):
    with h5py.File(tmp_path / "theirs.h5", "w") as file:  # without attributes, as the reference writes it
        file["KIT/3_walk_01/joints"] = np.random.default_rng(0).normal(size=(6, 52, 3))
    write_motion_store(tmp_path / "ours.h5", read_reference_mocap_store(tmp_path / "theirs.h5"), fps=60)
    store = MotionStore(tmp_path / "ours.h5")
    assert (store.names, store.subjects) == (("KIT/3_walk_01",), ("KIT/3",))
    expected = mocap_joints_to_body19(next(read_reference_mocap_store(tmp_path / "theirs.h5"))).joints_m
    np.testing.assert_allclose(store[0].joints_m, expected, atol=1e-6)


def test_smplx_bodies_are_written_without_jaw_and_eyes(tmp_path):
    recording = smplh(SMPLX_JOINTS)
    write_reference_mocap_store(tmp_path / "a.h5", [recording])
    kept = [i for i, name in enumerate(SMPLX_JOINTS) if name in SMPLH_JOINTS]
    back = next(read_reference_mocap_store(tmp_path / "a.h5"))
    np.testing.assert_array_equal(back.joints_m, recording.joints_m[:, kept])


def test_other_skeletons_do_not_fit_the_references_file(tmp_path, people):
    with pytest.raises(RibError, match="SMPL-H joints"):
        write_reference_mocap_store(tmp_path / "a.h5", people)
