"""The stages that run mediapipe's networks: on blank pictures always, on real footage where it is at hand."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import yaml

from rib.io.errors import RibError
from rib.io.recipe import build_recipe
from rib.io.weights.model_packages import require_model_package
from rib.pose.mask import MediapipeMask, matte_roi_of_body
from rib.pose.mediapipe import MediapipePose
from rib.pose.tracking.sequences import no_pose_tracks as no_tracks
from rib.structures.keypoints import PoseSequence, PoseTracks
from rib.structures.skeleton import convert_joints, convert_pose, joint_set_named, mirror_pose
from rib.video import open_frame_source, subclip, subsample_frames
from rib.video.reading.arrays import ArraySource

CONF = Path(__file__).parents[2] / "conf"
DATA = Path(__file__).parents[3] / "shared/data"
JOINTS = joint_set_named("body25_hands")


def recipe(file: str) -> dict:
    return {k: v for k, v in yaml.safe_load((CONF / file).read_text()).items() if k != "defaults"}


@pytest.fixture(scope="module")
def pose_stage() -> MediapipePose:
    needs_mediapipe()
    return build_recipe(recipe("pose/mediapipe.yaml") | {"tracker": recipe("pose/tracker/default.yaml")})


@pytest.fixture(scope="module")
def mask_stage() -> MediapipeMask:
    return build_recipe(recipe("mask/mediapipe.yaml"))


def needs_mediapipe() -> None:
    try:
        require_model_package("mediapipe")
    except RibError as error:
        pytest.skip(str(error))


def clip(name: str):
    needs_mediapipe()
    if not (DATA / "video" / name).exists():
        pytest.skip(f"the clip {name} is not beside this checkout (../shared/data/video)")
    return open_frame_source(DATA / "video" / name)


def nobody(source) -> PoseSequence:
    num = len(source)
    return PoseSequence(
        np.zeros((num, 67, 2)), np.zeros((num, 67)), source.times_s, "body25_hands", source.size_px
    )


def test_nobody_is_found_in_blank_pictures_and_nothing_is_said(pose_stage, capfd):
    frames = np.full((2, 64, 80, 3), 128, np.uint8)
    poses = pose_stage(ArraySource(frames, 10))
    assert poses.keypoints_px.shape == (2, 67, 2)
    assert not poses.present.any()
    assert np.isnan(poses.depth_order).all()
    assert capfd.readouterr() == ("", "")


def test_a_matte_of_nobody_is_empty(mask_stage):
    source = ArraySource(np.full((2, 32, 40, 3), 128, np.uint8), 10)
    matte = mask_stage.matte(next(iter(source)), nobody(source)[0], landmarker=None)
    assert matte.shape == (32, 40)
    assert matte.max() == 0


def test_mattes_of_nobody_and_of_somebody_missing_are_empty(mask_stage):
    source = ArraySource(np.full((2, 32, 40, 3), 128, np.uint8), 10)
    missing = PoseTracks.of([replace(nobody(source), track_id=number) for number in (1, 2)])
    assert [mattes.shape for mattes in mask_stage.everybody(source, missing)] == [(2, 32, 40)] * 2
    alone = no_tracks(source.times_s, source.size_px)
    assert [mattes.shape for mattes in mask_stage.everybody(source, alone)] == [(0, 32, 40)] * 2


@pytest.mark.slow
def test_each_matte_is_that_of_the_person_alone(pose_stage, mask_stage):
    source = subclip(subsample_frames(clip("sports2d_demo.mp4"), 16), first=5, count=3, size_px=(884, 498))
    tracks = pose_stage.tracks(source)
    assert len(tracks.track_ids) == 2
    together = np.stack(list(mask_stage.everybody(source, tracks)))
    for column, track_id in enumerate(tracks.track_ids):
        alone = np.stack(list(mask_stage(source, tracks.person(track_id))))
        np.testing.assert_array_equal(together[:, column], alone)
        assert alone.max() > 0.9


def test_the_bodys_square_turns_and_grows_with_the_body():
    rng = np.random.default_rng(1)
    joints_px, found = rng.uniform(0, 100, (25, 2)), np.ones(25, bool)
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    before, after = (
        matte_roi_of_body(joints_px, found),
        matte_roi_of_body(3 * joints_px @ turn.T + (5, 7), found),
    )
    np.testing.assert_allclose(after.centre_px, 3 * turn @ before.centre_px + (5, 7))
    assert after.side_px == pytest.approx(3 * before.side_px)
    assert np.exp(1j * after.angle_rad) == pytest.approx(np.exp(1j * (before.angle_rad + angle)))
    assert matte_roi_of_body(joints_px, np.arange(25) < 2) is None


def test_which_side_is_left_does_not_move_the_bodys_square():
    rng = np.random.default_rng(2)
    joints_px, confidence = rng.uniform(0, 100, (1, 67, 2)), rng.uniform(0, 1, (1, 67))
    squares = []
    for order in (np.arange(67), JOINTS.flip_index):
        points, found = convert_joints(joints_px[:, order], confidence[:, order], "body25_hands", "body25")
        squares.append(matte_roi_of_body(points[0], found[0] > 0))
    assert np.array_equal(squares[0].centre_px, squares[1].centre_px)
    assert (squares[0].side_px, squares[0].angle_rad) == (squares[1].side_px, squares[1].angle_rad)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least_share"),
    [("pose2sim_single_cam01.mp4", 1.0), ("sam2_juggle.mp4", 1.0), ("intel_asl_walk.mkv", 1.0)],
)
def test_one_person_is_there_in_every_keyframe(pose_stage, name, least_share):
    poses = pose_stage(subsample_frames(clip(name), 8))
    assert poses.present.mean() >= least_share
    size = np.median(np.ptp(poses.keypoints_px[:, [1, 8]], axis=1)[:, 1])
    steps = np.linalg.norm(np.diff(poses.keypoints_px[:, 8], axis=0), axis=1)
    assert steps.max() < 1.5 * size


@pytest.mark.slow
def test_the_woman_who_walks_below_the_roof_is_followed(pose_stage):
    source = subsample_frames(subclip(clip("sports2d_demo.mp4"), first=72, count=65), 8)
    lower = subclip(source, crop_xywh_px=(600, 300, 768, 694))
    poses = pose_stage(lower)
    x = poses.keypoints_px[:, JOINTS.index("mid_hip"), 0]
    assert poses.present.all()
    assert (np.diff(x) < 0).all()
    assert (poses.keypoints_px[:, JOINTS.index("mid_hip"), 1] > 250).all()


@pytest.mark.slow
@pytest.mark.parametrize("camera", ["cam01", "cam03"])
def test_joints_agree_with_openpose(pose_stage, camera):
    """Measured on all frames: 0.077 and 0.068 trunk lengths; the two place hips and nose differently."""
    from rib.pose.files import FilesPose

    source = clip(f"pose2sim_single_{camera}.mp4")
    reader = FilesPose(
        path=str(DATA / f"openpose_json/pose2sim_single_body25b/{camera}"),
        layout="body25b",
        tracker=recipe("pose/tracker/default.yaml"),
    )
    reference = convert_pose(reader(source)[::10], "body25_hands")
    poses = pose_stage(subsample_frames(source, 10))
    both = (poses.confidence > 0) & (reference.confidence > 0.4)
    trunk_px = np.linalg.norm(poses.keypoints_px[:, 1] - poses.keypoints_px[:, 8], axis=1)
    distance = np.linalg.norm(poses.keypoints_px - reference.keypoints_px, axis=2) / trunk_px[:, None]
    assert both.sum() > 150
    assert distance[both].mean() < 0.1


@pytest.mark.slow
def test_the_same_clip_gives_the_same_bytes_whatever_ran_before(pose_stage, mask_stage):
    source = subclip(subsample_frames(clip("intel_asl_walk.mkv"), 20), count=4)
    first, first_mask = pose_stage(source), None
    first_mask = next(mask_stage(source, first))
    other = subclip(subsample_frames(clip("sam2_juggle.mp4"), 50), count=2)
    list(mask_stage(other, pose_stage(other)))
    again = pose_stage(source)
    assert first.keypoints_px.tobytes() == again.keypoints_px.tobytes()
    assert first_mask.tobytes() == next(mask_stage(source, again)).tobytes()


@pytest.mark.slow
def test_mattes_hold_the_joints_and_leave_the_rest(pose_stage, mask_stage):
    source = subclip(subsample_frames(clip("sam2_juggle.mp4"), 40), count=3, size_px=(640, 360))
    poses = pose_stage(source)
    for matte, pose in zip(mask_stage(source, poses), poses, strict=False):
        seen = pose.confidence[0, :15] > 0.8
        x, y = np.floor(pose.keypoints_px[0, :15][seen]).astype(int).T
        assert matte.dtype == np.float32
        assert (matte[y, x] > 0.5).mean() > 0.9
        assert 0.02 < matte.mean() < 0.3


@pytest.mark.slow
def test_a_mirrored_clip_gives_the_mirrored_pose(pose_stage):
    frames = list(islice(subclip(clip("sam2_juggle.mp4"), first=20, count=2, size_px=(640, 360)), 2))
    poses = pose_stage(ArraySource(frames, 24))
    flipped = pose_stage(ArraySource([np.ascontiguousarray(frame[:, ::-1]) for frame in frames], 24))
    seen = poses.confidence[:, :25] > 0.8
    error = np.linalg.norm(mirror_pose(flipped).keypoints_px - poses.keypoints_px, axis=2)[:, :25][seen]
    assert error.mean() < 4
