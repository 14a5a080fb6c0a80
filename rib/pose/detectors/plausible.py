"""Filter of detections: seen in the picture, of human shape, and not a part of somebody else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rib.pose.detectors.detection import PersonDetection
from rib.structures.skeleton import BODY25_HANDS, joint_set_named

_BODY = slice(0, 25)
TRUNK = [BODY25_HANDS.index(name) for name in ("right_shoulder", "left_shoulder", "left_hip", "right_hip")]
_AS_LONG_AS_A_TRUNK = [
    (BODY25_HANDS.index(a), BODY25_HANDS.index(b), ratio)
    for a, b, ratio in (
        ("neck", "mid_hip", 1.0),
        ("left_hip", "left_knee", 1.2),
        ("right_hip", "right_knee", 1.2),
        ("left_knee", "left_ankle", 1.2),
        ("right_knee", "right_ankle", 1.2),
    )
]
"""Bones, and how many of each make a trunk's length."""
_LIMBS = np.array([limb for limb in joint_set_named("body25_hands").limbs if max(limb) < 25])
_SEEN = 0.3
_WIDEST_SHOULDERS = 1.3
"""Trunk lengths between two shoulders; a skeleton stretched over two people has more."""
_FLESH = 0.4
"""Trunk lengths around a bone that belong to the body."""
_LARGER = 1.15
_AS_SURE = 0.05
_SHARED = 0.75
"""Share of a small detection's joints on somebody else's body that makes it a part of that body."""


def detection_size_px(detection: PersonDetection) -> float:
    """Length of a trunk in pixels: the longest that the bones seen speak for, or a share of the box."""
    points, seen = detection.keypoints_px, detection.confidence > _SEEN
    lengths = [
        ratio * float(np.linalg.norm(points[a] - points[b]))
        for a, b, ratio in _AS_LONG_AS_A_TRUNK
        if seen[a] and seen[b]
    ]
    left, top, right, bottom = detection.box_xyxy
    return max([*lengths, 0.15 * float(np.hypot(right - left, bottom - top)), 1.0])


def plausible_detections(people: Sequence[PersonDetection], size: tuple[int, int]) -> list[int]:
    """The numbers of the detections of one picture that can each be a person of their own.

    Args:
        people: Everybody found in the picture.
        size: Its width and height.
    """
    alone = [
        i for i, person in enumerate(people) if _lies_inside(person, size) and _has_human_shoulders(person)
    ]
    sizes = {i: detection_size_px(people[i]) for i in alone}
    return [
        i
        for i in alone
        if not any(
            sizes[j] > _LARGER * sizes[i]
            and people[j].mean_confidence >= people[i].mean_confidence - _AS_SURE
            and _is_part_of(people[i], people[j], sizes[j])
            for j in alone
            if j != i
        )
    ]


def _lies_inside(person: PersonDetection, size: tuple[int, int]) -> bool:
    """Whether a shoulder or hip lies in the picture; True where none of the four was found."""
    corners = person.keypoints_px[TRUNK][person.confidence[TRUNK] > 0]
    inside = ((corners >= 0) & (corners < np.asarray(size))).all(axis=1)
    return len(corners) == 0 or bool(inside.any())


def _has_human_shoulders(person: PersonDetection) -> bool:
    right, left = TRUNK[:2]
    if min(person.confidence[right], person.confidence[left]) <= _SEEN:
        return True
    width_px = float(np.linalg.norm(person.keypoints_px[right] - person.keypoints_px[left]))
    return width_px <= _WIDEST_SHOULDERS * detection_size_px(person)


def _is_part_of(person: PersonDetection, other: PersonDetection, other_size_px: float) -> bool:
    """Whether most joints of a detection lie on the body of another, larger one."""
    joints = person.keypoints_px[_BODY][person.confidence[_BODY] > _SEEN]
    bones = _LIMBS[(other.confidence[_LIMBS] > _SEEN).all(axis=1)]
    if len(joints) == 0 or len(bones) == 0:
        return False
    a, b = other.keypoints_px[bones[:, 0]], other.keypoints_px[bones[:, 1]]
    along = (b - a)[None]
    length2 = np.maximum((along**2).sum(axis=-1), 1e-9)
    part = np.clip(((joints[:, None] - a) * along).sum(axis=-1) / length2, 0, 1)
    distance = np.linalg.norm(joints[:, None] - a - part[..., None] * along, axis=-1).min(axis=1)
    return float((distance < _FLESH * other_size_px).mean()) >= _SHARED
