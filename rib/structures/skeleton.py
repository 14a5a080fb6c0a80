"""Joint sets, their limbs and left/right pairs, and the conversions between them.

`BODY25_HANDS` is the set that flows through the chain: OpenPose's BODY_25 followed by the 21 points of the
left and of the right hand, in OpenPose's order. Every reader converts to it, and a joint that a source does
not have has confidence 0. `BODY19` is the motion model's set: BODY_25 without eyes, ears, small toes and
heels, with one point a hand. A joint has the same name in every set, so that pairs, limbs and conversions
follow from the names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import pairwise

import numpy as np

from rib.io.errors import RibError
from rib.io.recipe import did_you_mean
from rib.structures.keypoints import LAYERS, PoseSequence

SIDES = ("left", "right")


def _both_sides(*names: str) -> tuple[str, ...]:
    """left_a, right_a, left_b, right_b, ..."""
    return tuple(f"{side}_{name}" for name in names for side in SIDES)


def _hands(names: Sequence[str]) -> tuple[str, ...]:
    """All points of the left hand, then all of the right one."""
    return tuple(f"{side}_hand_{name}" for side in SIDES for name in names)


_EYES_TO_ANKLES = _both_sides("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_FEET = tuple(f"{side}_{name}" for side in SIDES for name in ("big_toe", "small_toe", "heel"))
_FINGERS = ("thumb", "index", "middle", "ring", "little")

# OpenPose, output format 1.3 (doc/02_output.md), and its BODY_25B experiment
BODY25 = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow",
    "left_wrist", "mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear", *_FEET,
)  # fmt: skip
HAND21 = ("wrist", *(f"{finger}_{n}" for finger in _FINGERS for n in ("1", "2", "3", "tip")))
BODY25_HANDS = BODY25 + _hands(HAND21)
BODY25B = ("nose", *_EYES_TO_ANKLES, "upper_neck", "head_top", *_FEET)
COCO18 = (*BODY25[:8], *BODY25[9:19])
# the motion model's
BODY19 = (*BODY25[:15], "left_big_toe", "right_big_toe", "left_hand", "right_hand")
# COCO (Lin et al., ECCV 2014); COCO-WholeBody (Jin et al., ECCV 2020); Halpe (Fang et al., AlphaPose)
COCO17 = ("nose", *_EYES_TO_ANKLES)
_FACE_RIGHT_TO_LEFT = {
    **{i: 16 - i for i in range(8)}, **{i: 43 - i for i in range(17, 22)}, 31: 35, 32: 34, 36: 45, 37: 44,
    38: 43, 39: 42, 40: 47, 41: 46, 48: 54, 49: 53, 50: 52, 59: 55, 58: 56, 60: 64, 61: 63, 67: 65,
}  # fmt: skip
_FACE_SIDE = {i: f"right_face_{i}" for i in _FACE_RIGHT_TO_LEFT} | {
    left: f"left_face_{right}" for right, left in _FACE_RIGHT_TO_LEFT.items()
}
FACE68 = tuple(_FACE_SIDE.get(i, f"face_{i}") for i in range(68))
COCO_WHOLEBODY133 = COCO17 + _FEET + FACE68 + _hands(HAND21)
HALPE26 = (*COCO17, "head_top", "neck", "mid_hip", *_both_sides("big_toe", "small_toe", "heel"))
HALPE136 = HALPE26 + FACE68 + _hands(HAND21)
# SMPL+H (Romero et al., SIGGRAPH Asia 2017), as in AMASS
_SMPLH_FINGERS = tuple(f"{f}_{n}" for f in ("index", "middle", "little", "ring", "thumb") for n in (1, 2, 3))
SMPLH = (
    "pelvis", "left_hip", "right_hip", "spine_1", "left_knee", "right_knee", "spine_2", "left_ankle",
    "right_ankle", "spine_3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head",
    *_both_sides("shoulder", "elbow", "wrist"), *_hands(_SMPLH_FINGERS),
)  # fmt: skip
# BlazePose (Bazarevsky et al., 2020)
BLAZEPOSE33 = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    *_both_sides("ear", "mouth", "shoulder", "elbow", "wrist", "little_knuckle", "index_knuckle",
                 "thumb_knuckle", "hip", "knee", "ankle", "heel", "foot_index"),
)  # fmt: skip

_TRUNK = (("neck", "nose"), ("neck", "right_shoulder"), ("neck", "left_shoulder"), ("neck", "mid_hip"),
          ("mid_hip", "right_hip"), ("mid_hip", "left_hip"))  # fmt: skip
_TRUNK_WITHOUT_NECK = (("right_shoulder", "left_shoulder"), ("right_shoulder", "right_hip"),
                       ("left_shoulder", "left_hip"), ("right_hip", "left_hip"))  # fmt: skip
_TRUNK_OF_SMPLH = (
    ("pelvis", "spine_1"), ("spine_1", "spine_2"), ("spine_2", "spine_3"), ("spine_3", "neck"),
    ("neck", "head"), ("pelvis", "right_hip"), ("pelvis", "left_hip"), ("spine_3", "right_collar"),
    ("spine_3", "left_collar"), ("right_collar", "right_shoulder"), ("left_collar", "left_shoulder"),
)  # fmt: skip
_ON_EACH_SIDE = (
    ("{}_shoulder", "{}_elbow"), ("{}_elbow", "{}_wrist"), ("{}_wrist", "{}_hand"), ("{}_hip", "{}_knee"),
    ("{}_knee", "{}_ankle"), ("{}_ankle", "{}_big_toe"), ("{}_big_toe", "{}_small_toe"),
    ("{}_ankle", "{}_heel"), ("{}_ankle", "{}_foot"), ("{}_ankle", "{}_foot_index"),
    ("{}_heel", "{}_foot_index"), ("nose", "{}_eye"),
    ("{}_eye", "{}_ear"), ("{}_wrist", "{}_little_knuckle"), ("{}_wrist", "{}_index_knuckle"),
    ("{}_wrist", "{}_thumb_knuckle"), ("{}_wrist", "{}_hand_wrist"),
    *(("{}_hand_wrist", f"{{}}_hand_{finger}_1") for finger in _FINGERS),
    *((f"{{}}_hand_{finger}_{a}", f"{{}}_hand_{finger}_{b}")
      for finger in _FINGERS for a, b in pairwise(("1", "2", "3", "tip"))),
)  # fmt: skip


@dataclass(frozen=True)
class JointSet:
    """The joints of a skeleton, in the order of an array's joint axis.

    Attributes:
        name: The name that `PoseSequence.joint_set` and configs use.
        joints: J names; those of pairs begin with `left_` and `right_` (the person's own left and right).
        limbs: Pairs of joint numbers to draw; body19's 18 limbs are a tree over its 19 joints.
    """

    name: str
    joints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """The number of a joint.

        Raises:
            RibError: The set has no such joint.
        """
        if joint not in self.joints:
            raise RibError(f"{self.name} has no joint {joint!r}", did_you_mean(joint, list(self.joints)))
        return self.joints.index(joint)

    @cached_property
    def flip_index(self) -> np.ndarray:
        """(J,) int: `joints[..., flip_index, :]` swaps left and right."""
        return _flip_index(self.joints)


def _flip_index(names: Sequence[str]) -> np.ndarray:
    """Compute the index of each name's other side: that of `left_x` is `right_x`."""
    swap = {"left": "right", "right": "left"}
    sides = [name.partition("_") for name in names]
    return np.array([names.index(swap.get(side, side) + rest + last) for side, rest, last in sides])


def _joint_set(name: str, joints: tuple[str, ...]) -> JointSet:
    trunk = _TRUNK_OF_SMPLH if "spine_1" in joints else _TRUNK if "mid_hip" in joints else _TRUNK_WITHOUT_NECK
    pairs = [
        *trunk,
        *((a.format(side), b.format(side)) for side in ("right", "left") for a, b in _ON_EACH_SIDE),
    ]
    limbs = tuple((joints.index(a), joints.index(b)) for a, b in pairs if a in joints and b in joints)
    return JointSet(name, joints, limbs)


JOINT_SETS = {
    name: _joint_set(name, joints)
    for name, joints in {
        "body19": BODY19, "body25": BODY25, "body25_hands": BODY25_HANDS, "body25b": BODY25B,
        "coco17": COCO17, "coco18": COCO18, "coco_wholebody133": COCO_WHOLEBODY133,
        "halpe26": HALPE26, "halpe136": HALPE136,
        "smplh": SMPLH, "blazepose33": BLAZEPOSE33,
    }.items()
}  # fmt: skip
"""Every joint set by name."""


def joint_set_named(name: str) -> JointSet:
    """The joint set of that name.

    Raises:
        RibError: There is none.
    """
    if name not in JOINT_SETS:
        raise RibError(f"{name!r} is no joint set", did_you_mean(name, list(JOINT_SETS)))
    return JOINT_SETS[name]


_MADE_FROM: dict[str, tuple[tuple[str, ...], ...]] = {
    "nose": (("head",),),
    "neck": (("left_shoulder", "right_shoulder"),),
    "mid_hip": (("pelvis",), ("left_hip", "right_hip")),
    "pelvis": (("mid_hip",), ("left_hip", "right_hip")),
    **{f"{side}_big_toe": ((f"{side}_foot_index",), (f"{side}_foot",)) for side in SIDES},
    **{f"{side}_foot_index": ((f"{side}_big_toe",),) for side in SIDES},
    **{f"{side}_foot": ((f"{side}_big_toe",),) for side in SIDES},
    **{f"{side}_hand_index_1": ((f"{side}_index_knuckle",),) for side in SIDES},
    **{f"{side}_hand_little_1": ((f"{side}_little_knuckle",),) for side in SIDES},
    **{f"{side}_hand_thumb_2": ((f"{side}_thumb_knuckle",),) for side in SIDES},
    # one point a hand comes back as it was, because the mean over a hand takes the points there are
    **{f"{side}_hand_middle_1": ((f"{side}_hand",),) for side in SIDES},
}
"""What stands in, in this order, for a joint that the source does not have: the mean of all of these."""


@cache
def _sources(source: str, target: str) -> tuple[np.ndarray, np.ndarray]:
    """Build the matrix (Jt, Js) 0/1 of a target joint's source joints, and how many it needs (Jt,)."""
    have, want = joint_set_named(source).joints, joint_set_named(target).joints
    takes, least = np.zeros((len(want), len(have))), np.ones(len(want))
    for row, joint in enumerate(want):
        if joint in ("left_hand", "right_hand") and joint not in have:
            takes[row, [name.startswith(f"{joint}_") or _is_knuckle(name, joint) for name in have]] = 1
            continue
        recipes = ((joint,), *_MADE_FROM.get(joint, ()))
        names = next((names for names in recipes if all(name in have for name in names)), ())
        takes[row, [have.index(name) for name in names]] = 1
        least[row] = max(len(names), 1)
    return takes, least


def _is_knuckle(name: str, hand: str) -> bool:
    return name.endswith("_knuckle") and name.startswith(hand.removesuffix("hand"))


def convert_joints(
    joints: np.ndarray, confidence: np.ndarray | None, source: str, target: str
) -> tuple[np.ndarray, np.ndarray]:
    """Carry joints from one set to another: each target joint is the mean of one or more source joints.

    Neck and mid hip stand between shoulders and hips where the source lacks them (both sides must be
    there); the point of a hand is the mean of the hand's valid points; the confidence of a mean is the mean
    confidence.

    Args:
        joints: (..., Js, D), pixels or metres.
        confidence: (..., Js), 0 means missing; None where every joint is there.
        source: Name of the joint set given.
        target: Name of the joint set wanted.

    Returns:
        (..., Jt, D) and (..., Jt); 0 and 0 where a joint is missing.

    Raises:
        RibError: An unknown joint set, or a joint axis that does not fit it.
    """
    if joints.shape[-2] != len(joint_set_named(source)):
        raise RibError(
            f"{source} has {len(joint_set_named(source))} joints, got an array of shape {joints.shape}"
        )
    if confidence is None:
        confidence = np.ones(joints.shape[:-1])
    valid = confidence > 0
    if source == target:
        return np.where(valid[..., None], joints, 0.0), np.where(valid, confidence, 0.0)
    takes, least = _sources(source, target)
    count = valid @ takes.T
    enough = count >= least
    weight = np.where(enough, 1 / np.maximum(count, 1), 0.0)
    mean = takes @ np.where(valid[..., None], joints, 0.0) * weight[..., None]
    return mean, np.where(valid, confidence, 0.0) @ takes.T * weight


def convert_pose(poses: PoseSequence, target: str) -> PoseSequence:
    """The same person in another joint set (`convert_joints`)."""
    keypoints_px, confidence = convert_joints(poses.keypoints_px, poses.confidence, poses.joint_set, target)
    return replace(poses, keypoints_px=keypoints_px, confidence=confidence, joint_set=target)


def mirror_pose(poses: PoseSequence) -> PoseSequence:
    """Mirror poses as in the mirrored picture: x becomes W - x, and left and right change names."""
    index = joint_set_named(poses.joint_set).flip_index
    confidence = poses.confidence[:, index]
    flipped = poses.keypoints_px[:, index] * (-1, 1) + (poses.size_px[0], 0)
    depth = None if poses.depth_order is None else poses.depth_order[:, _flip_index(LAYERS)]
    keypoints_px = np.where(confidence[..., None] > 0, flipped, 0.0)
    return replace(poses, keypoints_px=keypoints_px, confidence=confidence, depth_order=depth)
