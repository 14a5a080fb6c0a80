"""Laws of boxes and joint sets, on whatever hypothesis thinks of."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rib.structures.box import Box
from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import JOINT_SETS, convert_joints, joint_set_named, mirror_pose

SIZE_PX = (40, 30)
boxes = st.builds(Box, st.integers(0, 29), st.integers(0, 39), st.integers(1, 30), st.integers(1, 40))
points = st.lists(st.tuples(st.floats(-10, 50), st.floats(-10, 40)), min_size=1, max_size=6)
sets = st.sampled_from(sorted(JOINT_SETS))


@settings(max_examples=50, deadline=None)
@given(points=points, margin=st.floats(0.5, 5), multiple=st.sampled_from([1, 2, 8]))
def test_a_box_around_points_lies_in_the_picture_and_holds_those_that_do(
    points: list[tuple[float, float]], margin: float, multiple: int
) -> None:
    box = Box.around(torch.tensor(points), margin, SIZE_PX, multiple)
    inside = [(x, y) for x, y in points if 0 <= x < SIZE_PX[0] and 0 <= y < SIZE_PX[1]]
    if box is None:
        assert not inside
        return
    assert box.left % multiple == box.top % multiple == 0
    assert 0 <= box.left < box.left + box.width <= SIZE_PX[0]
    assert 0 <= box.top < box.top + box.height <= SIZE_PX[1]
    for x, y in inside:
        assert box.left <= x <= box.left + box.width
        assert box.top <= y <= box.top + box.height


@settings(max_examples=50, deadline=None)
@given(one=boxes, other=boxes)
def test_what_two_boxes_share_is_what_both_cut_out(one: Box, other: Box) -> None:
    pictures = torch.zeros(2, 60, 80, dtype=torch.bool)
    for picture, box in zip(pictures, (one, other), strict=True):
        box.of(picture)[...] = True
    both = pictures.all(0)
    common = one.common(other)
    assert common == other.common(one)
    assert (common or Box.empty()) == Box.of_mask(both[None])
    if common is not None:
        assert torch.equal(common.within(one).of(one.of(both)), common.of(both))


@settings(max_examples=50, deadline=None)
@given(name=sets, seed=st.integers(0, 99), share=st.floats(0, 1))
def test_a_joint_set_converts_to_itself_and_mirroring_twice_changes_nothing(
    name: str, seed: int, share: float
) -> None:
    draw, num = np.random.default_rng(seed), len(joint_set_named(name))
    confidence = draw.uniform(0.1, 1, (3, num)) * (draw.uniform(size=(3, num)) < share)
    joints = draw.uniform(0, 30, (3, num, 2)) * (confidence > 0)[..., None]
    same, sure = convert_joints(joints, confidence, name, name)
    assert np.array_equal(same, joints)
    assert np.array_equal(sure, confidence)
    poses = PoseSequence(joints, confidence, np.arange(3.0), name, SIZE_PX)
    twice = mirror_pose(mirror_pose(poses))
    assert np.allclose(twice.keypoints_px, joints)
    assert np.array_equal(twice.confidence, confidence)


@settings(max_examples=60, deadline=None)
@given(source=sets, target=sets, seed=st.integers(0, 99))
def test_joints_that_two_sets_call_alike_come_back(source: str, target: str, seed: int) -> None:
    have, want = joint_set_named(source).joints, joint_set_named(target).joints
    joints = np.random.default_rng(seed).uniform(0, 30, (len(have), 2))
    there, sure = convert_joints(joints, None, source, target)
    back, _ = convert_joints(there, sure, target, source)
    for index, name in enumerate(have):
        if name in want:
            assert np.allclose(there[want.index(name)], joints[index]), name
            assert np.allclose(back[index], joints[index]), name
