"""The bones that carry the picture of a body: segments between joints, each in one layer.

Letters: T moments, B bones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch

from rib.structures.box import Box
from rib.structures.keypoints import LAYERS, PoseSequence
from rib.structures.skeleton import joint_set_named


@dataclass(frozen=True)
class Bone:
    """A segment that moves one piece of the body.

    Attributes:
        layer: One of `rib.structures.keypoints.LAYERS`.
        start: A name in `POINTS`.
        end: A name in `POINTS`.
        radius: Half its width, in torso lengths.
        before: How far it reaches beyond its start, in its own lengths.
        beyond: How far it reaches beyond its end.
        rigid: Whether it turns about its end without a change of length, as a skull does.
    """

    layer: str
    start: str
    end: str
    radius: float
    before: float = 0.0
    beyond: float = 0.0
    rigid: bool = False

    @property
    def elastic(self) -> tuple[float, float]:
        """The part between the joints, as shares (0..1) of the whole length; of no length if it is rigid."""
        whole = self.before + 1 + self.beyond
        end = (self.before + 1) / whole
        return (end, end) if self.rigid else (self.before / whole, end)


def _limbs(side: str) -> tuple[Bone, ...]:
    arm, leg = f"{side}_arm", f"{side}_leg"
    return (
        Bone(arm, f"{side}_shoulder", f"{side}_elbow", 0.13),
        Bone(arm, f"{side}_elbow", f"{side}_wrist", 0.11),
        Bone(arm, f"{side}_wrist", f"{side}_hand", 0.10, beyond=0.6),
        Bone(leg, f"{side}_hip", f"{side}_knee", 0.19),
        Bone(leg, f"{side}_knee", f"{side}_ankle", 0.14),
        Bone(leg, f"{side}_ankle", f"{side}_toe", 0.12, before=0.25),
    )


BONES = (
    Bone("torso", "neck", "mid_hip", 0.16),
    Bone("torso", "left_shoulder", "left_hip", 0.16),
    Bone("torso", "right_shoulder", "right_hip", 0.16),
    Bone("torso", "neck", "head", 0.26, beyond=0.35, rigid=True),
    *_limbs("left"),
    *_limbs("right"),
)
ELASTIC = tuple(bone.elastic for bone in BONES)
LAYER_OF_BONE = tuple(LAYERS.index(bone.layer) for bone in BONES)

POINTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "neck": (("neck",), ("left_shoulder", "right_shoulder"), ("upper_neck",)),
    "mid_hip": (("mid_hip",), ("left_hip", "right_hip")),
    "head": (("left_ear", "right_ear"), ("nose",), ("left_ear",), ("right_ear",), ("head_top",)),
    **{
        f"{side}_{joint}": ((f"{side}_{joint}",),)
        for side in ("left", "right")
        for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    },
    **{
        f"{side}_hand": (
            (f"{side}_hand_index_1", f"{side}_hand_little_1"),
            (f"{side}_index_knuckle", f"{side}_little_knuckle"),
            (f"{side}_hand",),
        )
        for side in ("left", "right")
    },
    **{
        f"{side}_toe": ((f"{side}_big_toe",), (f"{side}_foot_index",), (f"{side}_foot",))
        for side in ("left", "right")
    },
}
"""Where a bone's end lies: the mean of the first group of joints that were all found."""

TYPICAL_LENGTH = {
    ("neck", "mid_hip"): 1.0,
    ("left_hip", "left_knee"): 0.8,
    ("right_hip", "right_knee"): 0.8,
    ("left_knee", "left_ankle"): 0.75,
    ("right_knee", "right_ankle"): 0.75,
    ("left_shoulder", "left_elbow"): 0.55,
    ("right_shoulder", "right_elbow"): 0.55,
}
"""Lengths of bones in torso lengths, for people whose torso is foreshortened or out of the picture."""


@dataclass(frozen=True)
class BoneSegments:
    """The bones of one person at T moments.

    Attributes:
        ends_px: (T, B, 2, 2) float32, start and end of each bone as (x, y).
        valid: (T, B) bool, False where one of its joints was not found.
        confidence: (T, B) float32, of the less certain of its joints.
    """

    ends_px: torch.Tensor
    valid: torch.Tensor
    confidence: torch.Tensor

    def only(self, bones: list[int]) -> BoneSegments:
        """Some of the bones."""
        return BoneSegments(self.ends_px[:, bones], self.valid[:, bones], self.confidence[:, bones])

    def to(self, device: torch.device) -> BoneSegments:
        """The same on another device."""
        return BoneSegments(self.ends_px.to(device), self.valid.to(device), self.confidence.to(device))

    def moved(self, box: Box) -> BoneSegments:
        """Measured from the corner of a box."""
        return replace(self, ends_px=self.ends_px - box.corner(self.ends_px.device))

    def without(self, hidden: torch.Tensor) -> BoneSegments:
        """With some bones (B,) not valid."""
        return replace(self, valid=self.valid & ~hidden)


def bone_segments(poses: PoseSequence, device: torch.device | str = "cpu") -> BoneSegments:
    """Compute the bones' ends in each pose, lengthened as `BONES` says."""
    starts, ends, confidence = [], [], []
    points = {name: _point(poses, name) for name in POINTS}
    for bone in BONES:
        (start, has_start), (end, has_end) = points[bone.start], points[bone.end]
        along = end - start
        starts.append(start - bone.before * along)
        ends.append(end + bone.beyond * along)
        confidence.append(np.minimum(has_start, has_end))
    both = np.stack([np.stack(starts, 1), np.stack(ends, 1)], 2).astype(np.float32)
    sure = torch.from_numpy(np.stack(confidence, 1).astype(np.float32)).to(device)
    return BoneSegments(torch.from_numpy(both).to(device), sure > 0, sure)


def hidden_limbs(bones: Sequence[BoneSegments], min_confidence: float) -> torch.Tensor:
    """(B,) bool: bones of limbs that no moment of any of the segments shows with so much confidence.

    Where the body hides an arm from a camera, its joints are guesses, and what lies there is the body.
    """
    sure = torch.cat([one.confidence for one in bones]).amax(0)
    limb = torch.tensor(LAYER_OF_BONE, device=sure.device) != LAYERS.index("torso")
    return limb & (sure < min_confidence)


def skinning_torso_length_px(poses: PoseSequence) -> float:
    """The scale of a body: its torso seen from the front, a median over moments; 0 where nothing was found.

    Foreshortening only shortens, so of all bones seen the one that asks for the longest torso is believed
    (the second longest, to survive a slip of the detector).
    """
    guesses = []
    for (start, end), typical in TYPICAL_LENGTH.items():
        (a, has_a), (b, has_b) = _point(poses, start), _point(poses, end)
        length = np.linalg.norm(b - a, axis=1) / typical
        guesses.append(np.where((has_a > 0) & (has_b > 0), length, 0.0))
    second = np.sort(np.stack(guesses), axis=0)[-2:]
    scale = np.where(second[0] > 0, second[0], second[1])
    return float(np.median(scale[scale > 0])) if (scale > 0).any() else 0.0


def _point(poses: PoseSequence, name: str) -> tuple[np.ndarray, np.ndarray]:
    """(T, 2) px and (T,) its confidence, 0 where it was not found."""
    place = np.zeros((len(poses), 2))
    found = np.zeros(len(poses))
    for index in _groups(poses.joint_set)[name]:
        sure = poses.confidence[:, index[0]] if len(index) == 1 else poses.confidence[:, index].min(1)
        there = (sure > 0) & (found == 0)
        if there.any():
            place[there] = poses.keypoints_px[there][:, index].mean(1)
            found[there] = sure[there]
        if found.all():
            break
    return place, found


@cache
def _groups(joint_set: str) -> dict[str, list[list[int]]]:
    """`POINTS` as numbers of joints, without the groups that the joint set lacks."""
    joints = joint_set_named(joint_set).joints
    return {
        name: [[joints.index(joint) for joint in group] for group in groups if set(group) <= set(joints)]
        for name, groups in POINTS.items()
    }
