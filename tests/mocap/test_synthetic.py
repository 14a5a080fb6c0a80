import numpy as np

from rib.mocap.synthetic import TREE, synthetic_mocap_recordings
from rib.structures.skeleton import BODY19


def test_a_seed_gives_the_same_people():
    first, again, other = (synthetic_mocap_recordings(2, 30, 60, seed)[1].joints_m for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_person_does_not_depend_on_how_many_are_asked_for():
    np.testing.assert_array_equal(
        synthetic_mocap_recordings(1, 30, 60, 0)[0].joints_m,
        synthetic_mocap_recordings(3, 30, 60, 0)[0].joints_m,
    )


def test_people_are_plausible():
    for person in synthetic_mocap_recordings(8, 300, 60, seed=0):
        joints = person.joints_m
        for joint, (parent, _) in TREE.items():
            if parent:  # bones keep their length
                bone = joints[:, BODY19.index(joint)] - joints[:, BODY19.index(parent)]
                assert np.ptp(np.linalg.norm(bone, axis=-1)) < 1e-9
        speed_m_s = np.linalg.norm(np.diff(joints, axis=0), axis=-1) * 60
        assert 0.1 < speed_m_s.max() < 12
        height_m = joints[..., 1]
        assert (height_m[:, BODY19.index("nose")] > height_m[:, BODY19.index("mid_hip")]).mean() > 0.95
        assert (height_m[:, BODY19.index("mid_hip")] > height_m[:, BODY19.index("left_ankle")]).mean() > 0.95
