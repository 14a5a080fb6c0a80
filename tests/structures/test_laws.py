"""Laws of boxes and joint sets, on whatever hypothesis thinks of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rib.io.images import resized
from rib.structures.box import Box
from rib.structures.interval import Background, Interval, Keyframe
from rib.structures.keypoints import PoseSequence
from rib.structures.person import PersonView
from rib.structures.person_interval import PersonInterval
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


@settings(max_examples=30, deadline=None)
@given(box=boxes, width=st.integers(8, 60), height=st.integers(8, 60))
def test_a_resized_box_holds_the_resized_matte(box: Box, width: int, height: int) -> None:
    whole = Box(0, 0, SIZE_PX[1], SIZE_PX[0])
    shown = box.common(whole)
    if shown is None:
        return
    mask = torch.zeros(1, *SIZE_PX[::-1])
    shown.of(mask).fill_(1)
    view = PersonView.of(None, mask).resized(SIZE_PX, (width, height))
    torch.testing.assert_close(view.mask((width, height)), resized(mask[None], (width, height))[0])


def test_a_resized_interval_shows_the_same_at_another_size() -> None:
    pose = PoseSequence(np.array([[[20.0, 15.0]]]), np.ones((1, 1)), np.zeros(1), "body25", SIZE_PX)
    pixels = torch.arange(30 * 40 * 3).remainder(256).view(30, 40, 3).to(torch.uint8).permute(2, 0, 1)
    mask = torch.zeros(1, 30, 40)
    mask[:, 10:20, 10:20] = 1
    keyframes = [Keyframe(k, float(k), pixels, (PersonView.of(pose, mask, 7),)) for k in (0, 1)]
    person = PersonInterval.of(Interval(*keyframes, np.array([0.5])), replace(pose, track_id=7))
    assert person is not None
    small = person.resized((20, 15))
    assert small.interval.a.pixels.dtype == torch.uint8
    assert small.interval.a.size_px == (20, 15)
    assert small.a.pose is not None
    assert small.a.pose.keypoints_px.tolist() == small.poses.keypoints_px.tolist() == [[[10.0, 7.5]]]
    assert float(small.b.mask((20, 15)).sum()) == pytest.approx(25, abs=0.5)
    flow = torch.tensor([4.0, 2.0, -4.0, -2.0]).view(1, 4, 1, 1).expand(1, 4, 30, 40)
    background = Background(torch.rand(1, 3, 30, 40), flow=flow, weight_a=torch.ones(1, 1, 30, 40))
    halved = background.resized_motion((20, 15))
    assert halved.flow is not None
    torch.testing.assert_close(halved.flow, flow[..., :15, :20] / 2)
    assert halved.interpolated.shape == (1, 3, 15, 20)
    assert halved.plate is None
