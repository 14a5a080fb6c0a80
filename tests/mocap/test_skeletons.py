import numpy as np
import pytest

from rib.io.errors import RibError
from rib.mocap.recording import MocapRecording, subject_of_recording
from rib.mocap.skeletons import (
    SKELETONS,
    SMPLH_JOINTS,
    SMPLX_JOINTS,
    mocap_joints_to_body19,
    mocap_skeleton_of,
    skeleton_stature_m,
)
from rib.mocap.synthetic import synthetic_mocap_recordings
from rib.structures.skeleton import BODY19


def recording(names, joints=None, frames=4):
    if joints is None:
        joints = np.random.default_rng(0).normal(size=(frames, len(names), 3))
    return MocapRecording("a", joints, tuple(names), 60.0, "s", "test")


def test_every_table_names_the_19_joints():
    for table in SKELETONS.values():
        assert set(table) == set(BODY19)


@pytest.mark.parametrize("skeleton", SKELETONS)
def test_a_skeleton_is_known_by_its_own_joints(skeleton):
    names = sorted({name for items in SKELETONS[skeleton].values() for name in items})
    assert mocap_skeleton_of(names, "test") == skeleton
    assert np.isfinite(mocap_joints_to_body19(recording(names)).joints_m).all()


def test_smplh_joints_follow_the_references_numbers():
    assert len(SMPLH_JOINTS) == 52
    assert len(SMPLX_JOINTS) == 55
    source = recording(SMPLH_JOINTS)
    body = mocap_joints_to_body19(source)
    numbers = [15, 12, 17, 19, 21, 16, 18, 20, 0, 2, 5, 8, 1, 4, 7, 10, 11]
    np.testing.assert_allclose(body.joints_m[:, :17], source.joints_m[:, numbers])
    np.testing.assert_allclose(body.joints_m[:, 17], source.joints_m[:, 22:37].mean(1))
    np.testing.assert_allclose(body.joints_m[:, 18], source.joints_m[:, 37:52].mean(1))
    assert body.valid.all()


def test_prefixes_of_exporters_do_not_matter():
    names = sorted({name for items in SKELETONS["motionbuilder"].values() for name in items})
    plain, prefixed = recording(names), recording([f"mixamorig:{name}" for name in names])
    np.testing.assert_array_equal(
        mocap_joints_to_body19(plain).joints_m, mocap_joints_to_body19(prefixed).joints_m
    )


def test_guessed_joints_are_marked_and_lie_where_they_should():
    person = synthetic_mocap_recordings(1, 3, 60, seed=0)[0]
    table = SKELETONS["deepmimic"]
    names = [name for name in BODY19 if table[name] == (name,)]
    body = mocap_joints_to_body19(
        recording(names, person.joints_m[:, [BODY19.index(name) for name in names]])
    )
    assert set(body.made_up) == {"nose", "left_big_toe", "right_big_toe"}
    assert (~body.valid).sum() == 3
    toe, ankle, true_toe = (BODY19.index(name) for name in ("left_big_toe", "left_ankle", "left_big_toe"))
    forward = body.joints_m[:, toe] - body.joints_m[:, ankle]
    np.testing.assert_allclose(np.linalg.norm(forward, axis=-1), 0.13, rtol=1e-6)
    assert ((person.joints_m[:, true_toe] - person.joints_m[:, ankle]) * forward).sum(-1).min() > 0


def test_stature_does_not_depend_on_place_or_pose():
    person = synthetic_mocap_recordings(1, 50, 60, seed=1)[0].joints_m
    assert 1.4 < skeleton_stature_m(person) < 2.1
    assert skeleton_stature_m(person) == pytest.approx(skeleton_stature_m(person[20:30] + 5.0), rel=0.03)


def test_unknown_skeletons_are_one_clear_line():
    with pytest.raises(RibError, match="are of no known skeleton"):
        mocap_joints_to_body19(recording(["wheel", "handlebar"]))


def test_recordings_that_cannot_be_are_refused():
    with pytest.raises(RibError, match="shape"):
        recording(["a"], np.zeros((3, 2, 3)))
    with pytest.raises(RibError, match="1 of 3 frames"):
        recording(["a"], np.array([[[0, 0, 0]], [[np.nan, 0, 0]], [[0, 0, 0]]], dtype=float))


@pytest.mark.parametrize(
    ("file", "subject"),
    [
        ("05_02.bvh", "05"),
        ("cmu_05_02.npz", "05"),
        ("cmuasf_5_01.npz", "05"),
        ("salsa_15.bvh", "60"),
        ("cmu_salsa_16.npz", "61"),
        ("indian_06.bvh", "94"),
        ("angry_13_000.bvh", "xia"),
    ],
)
def test_subjects_are_known_in_every_format(tmp_path, file, subject):
    assert subject_of_recording(tmp_path / "xia" / file) == subject
