from dataclasses import replace

import numpy as np
import pytest

from rib.pose.detectors.flip_augmentation import average_landmarks, landmarks_of_flipped_picture
from rib.pose.detectors.regions import BlazePoseRoi, BodyLandmarks
from rib.structures.skeleton import joint_set_named

FLIP = joint_set_named("blazepose33").flip_index


@pytest.fixture
def body() -> BodyLandmarks:
    rng = np.random.default_rng(3)
    points = np.column_stack([rng.uniform(20, 180, (33, 2)), rng.normal(size=33)])
    points[[11, 12, 23, 24], :2] = [[120, 50], [80, 50], [115, 150], [85, 150]]
    return BodyLandmarks(
        points=points,
        visibility=rng.uniform(0.5, 1, 33),
        roi=BlazePoseRoi(np.array([100.0, 150.0]), 240.0, 0.1),
        left_hand=None,
        right_hand=None,
        mask=np.zeros((200, 160), np.float32),
        window=(slice(0, 200), slice(20, 180)),
    )


def test_two_equal_looks_average_to_themselves(body):
    mean = average_landmarks(body, body, body, apart=0.3)
    np.testing.assert_allclose(mean.points, body.points)
    np.testing.assert_allclose(mean.visibility, body.visibility)


@pytest.mark.parametrize("limb", [np.arange(33), np.arange(13, 23), np.arange(25, 33)])
def test_a_look_that_mistakes_left_for_right_gives_way(body, limb):
    points, visibility = body.points.copy(), body.visibility.copy()
    points[limb], visibility[limb] = points[FLIP[limb]], visibility[FLIP[limb]]
    mean = average_landmarks(body, replace(body, points=points, visibility=visibility), body, apart=0.3)
    np.testing.assert_allclose(mean.points, body.points)
    np.testing.assert_allclose(mean.visibility, body.visibility)


def test_a_contradicted_joint_follows_the_earlier_look_at_half_its_confidence(body):
    wrist, points = 15, body.points.copy()
    points[wrist, 0] += 60
    other = replace(body, points=points)
    assert average_landmarks(body, other, body, apart=0.3).points[wrist, 0] == body.points[wrist, 0]
    settled = average_landmarks(body, other, other, apart=0.3)
    assert settled.points[wrist, 0] == points[wrist, 0]
    assert settled.visibility[wrist] == pytest.approx(body.visibility[wrist] / 2)


def test_the_mirror_is_undone(body):
    """A network that sees a person mirrored in the mirrored picture sees them as they are in the picture."""
    width = 200

    def network(picture: np.ndarray, roi: BlazePoseRoi) -> BodyLandmarks:
        assert picture[0, 0, 0] == 255
        return replace(
            body,
            points=np.column_stack([width - body.points[FLIP, 0], body.points[FLIP, 1:]]),
            visibility=body.visibility[FLIP],
            roi=roi,
            window=(body.window[0], slice(width - 180, width - 20)),
        )

    picture = np.zeros((200, width, 3), np.uint8)
    picture[0, -1] = 255
    seen = landmarks_of_flipped_picture(network, picture, body.roi)
    np.testing.assert_allclose(seen.points, body.points)
    np.testing.assert_allclose(seen.roi.centre_px, body.roi.centre_px)
    assert seen.roi.angle_rad == body.roi.angle_rad
    assert seen.window == body.window
