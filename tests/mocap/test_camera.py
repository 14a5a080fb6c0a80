import math

import pytest
import torch
from kornia.geometry.camera import project_points

from rib.io.errors import RibError
from rib.mocap.cameras.camera import VirtualCamera, orbit_rotation
from rib.mocap.cameras.views import RandomCameras, ReferenceCameras, camera_heading_rad
from rib.structures.skeleton import BODY19

OURS = {
    "yaw_deg": 180,
    "pitch_deg": 12,
    "roll_deg": 2,
    "distance_m": (3, 8),
    "clearance_m": 1.6,
    "height_px": 250,
    "centre_px": (256, 256),
    "perspective": True,
}
REFERENCE = {
    "angles_deg": (36, 0, 180),
    "focal": 4,
    "depth_m": 4,
    "jitter": 0.1,
    "depth_floor": 0.1,
    "plane_limit": 10,
    "scale_px": 512,
    "centre_px": (256, 256),
    "perspective": True,
}


def camera(yaw=0.0, pitch=0.0, roll=0.0, B=1, **changes):
    angles = (torch.full((B,), float(value)) for value in (yaw, pitch, roll))
    fields = {
        "rotation": orbit_rotation(*angles),
        "target_m": torch.zeros(B, 3),
        "distance_m": torch.full((B,), 4.0),
        "focal_px": torch.full((B,), 400.0),
        "centre_px": torch.full((B, 2), 256.0),
        "min_depth_m": torch.full((B,), 0.5),
    }
    return VirtualCamera(**{**fields, **changes})


def people(B=3, T=5, seed=0):
    return torch.randn(B, T, 19, 3, generator=torch.Generator().manual_seed(seed)) * 0.5


def points(*rows):
    return torch.tensor([rows], dtype=torch.float32)


def test_right_is_right_and_up_is_up():
    right, up, near = camera().project(points([1, 0, 0], [0, 1, 0], [0, 0, 2]))[0]
    torch.testing.assert_close(right, torch.tensor([356.0, 256.0]))
    torch.testing.assert_close(up, torch.tensor([256.0, 156.0]))
    torch.testing.assert_close(near, torch.tensor([256.0, 256.0]))


def test_nearer_is_larger_in_perspective_and_not_in_orthographic():
    near_far = points([1, 0, 2], [1, 0, -4])
    assert camera().project(near_far)[0, :, 0].tolist() == pytest.approx([456, 306])
    assert camera(perspective=False).project(near_far)[0, :, 0].tolist() == pytest.approx([356, 356])


def test_yaw_walks_the_camera_around_and_pitch_raises_it():
    assert camera(yaw=math.pi / 2).project(points([0, 0, -1]))[0, 0].tolist() == pytest.approx(
        [356, 256], abs=1e-3
    )
    seen_from_above = camera(pitch=math.pi / 6).view(points([0, 0, 1]))[0, 0]
    assert seen_from_above[1] > 0  # what is nearer lies lower in the picture
    assert camera(roll=math.pi / 2).project(points([1, 0, 0]))[0, 0].tolist() == pytest.approx(
        [256, 356], abs=1e-3
    )


def test_rotations_are_proper():
    angles = torch.linspace(-3, 3, 7)
    rotation = orbit_rotation(angles, angles / 7, angles / 9)
    torch.testing.assert_close(rotation @ rotation.mT, torch.eye(3).expand(7, 3, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(rotation.det(), torch.ones(7))


def test_projection_agrees_with_kornia():
    cameras, joints = camera(yaw=0.3, pitch=0.1, roll=0.05, B=3), people()
    intrinsics = torch.tensor([[400.0, 0, 256], [0, 400, 256], [0, 0, 1]]).expand(3, 5, 19, 3, 3)
    torch.testing.assert_close(cameras.project(joints), project_points(cameras.view(joints), intrinsics))


def test_turning_the_world_with_the_camera_changes_nothing():
    joints, angle = people(B=1), torch.tensor([0.7])
    turn = orbit_rotation(torch.zeros(1), torch.zeros(1), torch.zeros(1)).mT @ orbit_rotation(
        angle, torch.zeros(1), torch.zeros(1)
    )
    torch.testing.assert_close(
        camera(yaw=0.7).project(joints), camera().project(joints @ turn[0].T), atol=1e-3, rtol=0
    )


def test_moving_person_and_target_together_changes_nothing():
    joints, step = people(B=1), torch.tensor([[3.0, -1.0, 2.0]])
    moved = camera(target_m=step).project(joints + step)
    torch.testing.assert_close(moved, camera().project(joints), atol=1e-3, rtol=0)


def test_a_joint_behind_the_camera_stays_finite_and_the_limit_holds():
    behind = points([1, 1, 9])
    assert camera().project(behind)[0, 0].tolist() == pytest.approx([256 + 800, 256 - 800])
    assert camera(limit_px=300.0).project(behind)[0, 0].tolist() == pytest.approx([556, -44])


def test_gradients_flow_to_joints_and_camera():
    joints, cameras = people(B=1).requires_grad_(), camera()
    focal_px = cameras.focal_px.requires_grad_()
    cameras.project(joints).square().mean().backward()
    assert joints.grad.abs().sum() > 0
    assert focal_px.grad.abs().sum() > 0


def test_batched_and_single_agree():
    joints, statures = people(), torch.tensor([1.6, 1.7, 1.8])
    cameras = RandomCameras(**OURS)(joints, statures, torch.Generator().manual_seed(1))
    together = cameras.project(joints)
    for index in range(3):
        single = cameras[index].project(joints[index : index + 1])
        torch.testing.assert_close(single, together[index : index + 1], atol=1e-3, rtol=1e-5)


def test_wrong_shapes_are_one_clear_line():
    with pytest.raises(RibError, match=r"2 cameras got points of shape \(3, 5, 19, 3\)"):
        camera(B=2).project(people())


@pytest.mark.parametrize("views", [RandomCameras(**OURS), ReferenceCameras(**REFERENCE)])
def test_the_same_seed_draws_the_same_cameras(views):
    joints, statures = people(), torch.full((3,), 1.7)
    first, again, other = (
        views(joints, statures, torch.Generator().manual_seed(seed)).project(joints) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("perspective", [True, False])
def test_height_in_the_picture_does_not_depend_on_distance(perspective):
    still = torch.zeros(64, 2, 19, 3)
    cameras = RandomCameras(**{**OURS, "pitch_deg": 0, "roll_deg": 0, "perspective": perspective})(
        still, torch.full((64,), 1.7), torch.Generator().manual_seed(0)
    )
    feet_head = torch.tensor([[0.0, 0, 0], [0, 1.7, 0]]).expand(64, 2, 3)
    px = cameras.project(feet_head)
    torch.testing.assert_close(px[:, 0, 1] - px[:, 1, 1], torch.full((64,), 250.0))
    assert cameras.distance_m.min() >= 3
    assert cameras.distance_m.max() <= 8


def test_a_camera_steps_back_from_who_would_walk_into_it():
    walk = torch.zeros(16, 9, 19, 3)
    walk[..., 2] = torch.linspace(-6, 6, 9)[:, None]
    cameras = RandomCameras(**OURS)(walk, torch.full((16,), 1.7), torch.Generator().manual_seed(0))
    assert cameras.view(walk)[..., 2].min() >= 1.6 - 1e-4


def test_the_reference_sees_a_person_from_the_front_at_zero_angles():
    person = torch.zeros(1, 1, 19, 3)
    left, right = (
        [BODY19.index(f"{side}_{part}") for part in ("shoulder", "hip")] for side in ("left", "right")
    )
    person[..., left, :] = torch.tensor([0.0, 0.4, -0.2])  # faces +x, its left is -z
    person[..., right, :] = torch.tensor([0.0, 0.4, 0.2])
    assert float(camera_heading_rad(person)) == pytest.approx(math.pi / 2)
    still = {**REFERENCE, "angles_deg": (0, 0, 0), "jitter": 0}
    px = ReferenceCameras(**still)(person, torch.ones(1), torch.Generator()).project(person)
    assert px[0, 0, left[0]].tolist() == pytest.approx([256 + 0.2 * 512, 256 - 0.4 * 512], abs=0.01)
