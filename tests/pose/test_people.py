from dataclasses import replace

import numpy as np
import pytest

from rib.pose.detectors.people_detector import PeopleDetector, detector_tiles, filter_detection
from rib.pose.detectors.regions import BlazePoseRoi, BodyLandmarks
from rib.structures.skeleton import joint_set_named

BLAZEPOSE, OUT = joint_set_named("blazepose33"), joint_set_named("body25_hands")
PICTURE = np.full((400, 300, 3), 90, np.uint8)


@pytest.fixture
def body() -> BodyLandmarks:
    points = np.zeros((33, 3))
    points[:, :2] = (150, 100)
    for name, x, y in (("shoulder", 30, 0), ("hip", 20, 100), ("wrist", 60, 90), ("elbow", 50, 50)):
        for side, sign in (("left", 1), ("right", -1)):
            points[BLAZEPOSE.index(f"{side}_{name}")] += (sign * x, y, 0)
    return BodyLandmarks(
        points=points,
        visibility=np.full(33, 0.9),
        roi=BlazePoseRoi(np.array([150.0, 200.0]), 450.0, 0.0),
        left_hand=None,
        right_hand=None,
        mask=None,
        window=(slice(0, 400), slice(0, 300)),
    )


def test_tiles_cover_the_picture_and_lie_inside_it():
    width, height = 1768, 994
    hits = np.zeros((height, width), int)
    for x, y, side in detector_tiles(width, height, 240):
        assert 0 <= x <= width - side
        assert 0 <= y <= height - side
        hits[y : y + side, x : x + side] += 1
    assert hits.min() >= 1


def test_small_pictures_are_not_tiled():
    assert detector_tiles(320, 240, 240) == []


def test_a_person_is_believed_and_told_in_the_chains_joints(body):
    candidate = filter_detection(body, PICTURE, 0.5)
    assert candidate is not None
    assert candidate.detection.keypoints_px.shape == (67, 2)
    np.testing.assert_allclose(candidate.detection.keypoints_px[OUT.index("neck")], (150, 100))
    np.testing.assert_allclose(candidate.detection.keypoints_px[OUT.index("mid_hip")], (150, 200))
    assert candidate.detection.confidence[OUT.index("left_wrist")] == pytest.approx(0.9)


@pytest.mark.parametrize("shift", [0, 10, 25, 100])
def test_joints_beyond_the_edge_fade(body, shift):
    points = body.points.copy()
    wrist = BLAZEPOSE.index("left_wrist")
    points[wrist, 0] = 300 + shift
    confidence = filter_detection(replace(body, points=points), PICTURE, 0.5).detection.confidence
    expected = 0.9 * max(0, 1 - 4 * shift / 100)
    assert confidence[OUT.index("left_wrist")] == pytest.approx(expected)


def test_a_hand_far_from_its_wrist_is_not_believed(body):
    wrist = body.points[BLAZEPOSE.index("left_wrist"), :2]
    hand = wrist + np.random.default_rng(0).uniform(-10, 10, (21, 2))
    columns = slice(OUT.index("left_hand_wrist"), OUT.index("left_hand_wrist") + 21)
    near = filter_detection(replace(body, left_hand=hand), PICTURE, 0.5).detection
    far = filter_detection(replace(body, left_hand=hand + np.array([0, 80])), PICTURE, 0.5).detection
    np.testing.assert_allclose(near.keypoints_px[columns], hand)
    assert (near.confidence[columns] > 0).all()
    assert (far.confidence[columns] > 0).sum() < 5


def test_what_cannot_be_a_person_is_not_believed(body):
    squashed = body.points.copy()
    squashed[[23, 24], 1] = 101
    outside = body.points + np.array([400, 0, 0])
    assert filter_detection(None, PICTURE, 0.5) is None
    assert filter_detection(replace(body, visibility=np.full(33, 0.2)), PICTURE, 0.5) is None
    assert filter_detection(replace(body, points=squashed), PICTURE, 0.5) is None
    assert filter_detection(replace(body, points=outside), PICTURE, 0.5) is None


def test_the_nearer_arm_has_the_smaller_depth(body):
    points = body.points.copy()
    points[[BLAZEPOSE.index("left_elbow"), BLAZEPOSE.index("left_wrist")], 2] = -90
    depth = filter_detection(replace(body, points=points), PICTURE, 0.5).detection.depth
    np.testing.assert_allclose(depth, [0, -0.2, 0, 0, 0])


class OneSquare:
    """Finds the same square in every picture."""

    def __init__(self, roi: BlazePoseRoi) -> None:
        self.roi = roi

    def __call__(self, picture: np.ndarray) -> list[BlazePoseRoi]:
        return [self.roi]


class TwoFaced:
    """Sees one body in the picture and another in its mirror image, whose first pixel is dark."""

    def __init__(self, body: BodyLandmarks, in_mirror: BodyLandmarks | None) -> None:
        self.body, self.in_mirror, self.looks = body, in_mirror, 0

    def __call__(self, picture: np.ndarray, roi: BlazePoseRoi) -> BodyLandmarks | None:
        self.looks += 1
        return self.body if picture[0, 0].any() else self.in_mirror


def found(landmarker: TwoFaced) -> int:
    picture = PICTURE.copy()
    picture[:, -1] = 0
    nets = OneSquare(landmarker.body.roi), landmarker
    limits = {"min_visibility": 0.5, "max_people": 3, "tile_px": 500, "search_every": 9, "apart": 0.3}
    return len(PeopleDetector(*nets, **limits)(picture))


def mirrored(body: BodyLandmarks, by_px: float = 0.0) -> BodyLandmarks:
    points = body.points[BLAZEPOSE.flip_index] * (-1, 1, 1) + (PICTURE.shape[1] + by_px, 0, 0)
    return replace(body, points=points, visibility=body.visibility[BLAZEPOSE.flip_index])


def across(body: BodyLandmarks) -> BodyLandmarks:
    x, y, z = (body.points - (150, 150, 0)).T
    return replace(body, points=np.column_stack([150 - y, 150 + x, z]))


def test_who_lies_across_the_picture_is_believed_where_the_mirror_shows_them_too(body):
    lying = across(body)
    assert found(TwoFaced(lying, mirrored(lying))) == 1
    assert found(TwoFaced(lying, mirrored(lying, by_px=0.1 * body.trunk_px))) == 1
    assert found(TwoFaced(lying, mirrored(lying, by_px=0.2 * body.trunk_px))) == 0
    assert found(TwoFaced(lying, mirrored(body))) == 0
    assert found(TwoFaced(lying, None)) == 0


def test_who_is_upright_is_not_looked_at_in_the_mirror(body):
    landmarker = TwoFaced(body, None)
    assert found(landmarker) == 1
    assert landmarker.looks == 1
