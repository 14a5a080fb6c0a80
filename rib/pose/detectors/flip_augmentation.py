"""Test-time flip augmentation of landmarks: less jitter, and a second opinion on left and right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rib.pose.detectors.networks import BodyNetwork, BodyNetworkCall
from rib.pose.detectors.regions import SHOULDERS_AND_HIPS, BlazePoseRoi, BodyLandmarks
from rib.structures.skeleton import joint_set_named

_FLIP = joint_set_named("blazepose33").flip_index
_EVERYTHING = np.arange(33)
_ARMS = np.arange(13, 23)
_LEGS = np.arange(25, 33)


def landmarks_of_flipped_picture(
    landmarker: BodyNetworkCall, picture: np.ndarray, roi: BlazePoseRoi
) -> BodyLandmarks | None:
    """Detect landmarks in the mirrored picture, and map them back to the picture itself.

    Args:
        landmarker: The network.
        picture: (H, W, 3) uint8 RGB.
        roi: Where to look, in the picture as it is.
    """
    width = picture.shape[1]
    return _mirror_back(landmarker(picture[:, ::-1], _mirror_roi(roi, width)), width)


def landmarks_in_mirror(
    network: BodyNetwork, picture: np.ndarray, rois: Sequence[BlazePoseRoi]
) -> list[BodyLandmarks | None]:
    """What `landmarks_of_flipped_picture` gives for each of several squares of a picture."""
    width = picture.shape[1]
    seen = network.in_each([(picture[:, ::-1], _mirror_roi(roi, width)) for roi in rois])
    return [_mirror_back(body, width) for body in seen]


def _mirror_roi(roi: BlazePoseRoi, width: int) -> BlazePoseRoi:
    return BlazePoseRoi(np.array([width - roi.centre_px[0], roi.centre_px[1]]), roi.side_px, -roi.angle_rad)


def _mirror_back(body: BodyLandmarks | None, width: int) -> BodyLandmarks | None:
    """What was seen in the mirrored picture, in the picture itself."""

    def mirror(points: np.ndarray | None) -> np.ndarray | None:
        return None if points is None else np.column_stack([width - points[:, 0], points[:, 1:]])

    if body is None:
        return None
    rows, columns = body.window
    return BodyLandmarks(
        points=np.column_stack([width - body.points[_FLIP, 0], body.points[_FLIP, 1:]]),
        visibility=body.visibility[_FLIP],
        roi=_mirror_roi(body.roi, width),
        left_hand=mirror(body.right_hand),
        right_hand=mirror(body.left_hand),
        mask=None if body.mask is None else body.mask[:, ::-1],
        window=(rows, slice(width - columns.stop, width - columns.start)),
    )


def average_landmarks(
    body: BodyLandmarks, other: BodyLandmarks, earlier: BodyLandmarks, apart: float
) -> BodyLandmarks:
    """Average two looks at one person; hands and square are those of the first.

    Where the looks tell left from right differently the second gives way. Joints on which they still differ
    are not averaged to a place where neither saw them: the one nearer to an earlier look stands, at half
    its confidence.

    Args:
        body: The first look.
        other: The second look.
        earlier: A rougher look at the same picture.
        apart: Distance at which two joints differ, in lengths of the trunk.
    """
    other, earlier = _same_sides(body, other), _same_sides(body, earlier)
    agree = _distance(body.points, other.points) <= apart * body.trunk_px
    first = _distance(body.points, earlier.points) <= _distance(other.points, earlier.points)
    points = np.where(first[:, None], body.points, other.points)
    points[agree] = (body.points[agree] + other.points[agree]) / 2
    mean = (body.visibility + other.visibility) / 2
    chosen = np.where(first, body.visibility, other.visibility)
    return replace(body, points=points, visibility=np.where(agree, mean, chosen / 2))


def trunks_agree(body: BodyLandmarks, other: BodyLandmarks, apart: float) -> bool:
    """Whether two looks see the trunk in one place: in the median of shoulders and hips, sides set right.

    Args:
        body: The first look.
        other: The second look at the same picture.
        apart: Distance at which two joints differ, in lengths of the trunk.
    """
    trunk = list(SHOULDERS_AND_HIPS)
    distance = _distance(body.points[trunk], _same_sides(body, other).points[trunk])
    return float(np.median(distance)) <= apart * body.trunk_px


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N,) pixels between points that lie in the same picture."""
    return np.linalg.norm(a[:, :2] - b[:, :2], axis=1)


def _same_sides(body: BodyLandmarks, other: BodyLandmarks) -> BodyLandmarks:
    """The second look, with sides swapped where it then lies at most half as far from the first.

    The whole body is tried first, then the arms, then the legs.
    """
    points, visibility = other.points.copy(), other.visibility.copy()
    for limb in (_EVERYTHING, _ARMS, _LEGS):
        swapped = _FLIP[limb]
        distance = _distance(body.points[limb], points[limb]).sum()
        if _distance(body.points[limb], points[swapped]).sum() < distance / 2:
            points[limb], visibility[limb] = points[swapped], visibility[swapped]
    return replace(other, points=points, visibility=visibility)
