"""From the skeletons of mocap databases to the motion model's 19 joints, by the joints' names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rib.io.errors import RibError
from rib.mocap.recording import MocapRecording
from rib.structures.skeleton import BODY19

FINGERS = tuple(
    f"{finger}{segment}" for finger in ("index", "middle", "pinky", "ring", "thumb") for segment in "123"
)
SMPLH_JOINTS = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle",
    "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    *(f"left_{finger}" for finger in FINGERS), *(f"right_{finger}" for finger in FINGERS),
)  # fmt: skip
SMPLX_JOINTS = (*SMPLH_JOINTS[:22], "jaw", "left_eye_smplhf", "right_eye_smplhf", *SMPLH_JOINTS[22:])

_SIDE = ("shoulder", "elbow", "wrist", "hand", "hip", "knee", "ankle", "big_toe")


def _table(
    nose: str, right: str, left: str, neck: str = "", mid_hip: str = "", hand: tuple[str, ...] = ()
) -> dict[str, tuple[str, ...]]:
    """The source joints whose mean is each of the 19; `right` and `left` list `_SIDE`, "-" for none."""
    table = {"nose": tuple(nose.split()), "neck": tuple(neck.split()), "mid_hip": tuple(mid_hip.split())}
    for side, names in (("right", right.split()), ("left", left.split())):
        for part, name in zip(_SIDE, names, strict=True):
            table[f"{side}_{part}"] = () if name == "-" else (name,)
        if hand:
            table[f"{side}_hand"] = tuple(f"{side}_{name}" for name in hand)
    table["neck"] = table["neck"] or table["right_shoulder"] + table["left_shoulder"]
    table["mid_hip"] = table["mid_hip"] or table["right_hip"] + table["left_hip"]
    return table


SKELETONS = {
    "cmu_daz": _table(
        "head",
        "rShldr rForeArm rHand - rThigh rShin rFoot rFoot_end",
        "lShldr lForeArm lHand - lThigh lShin lFoot lFoot_end",
    ),
    "cmu_asf": _table(
        "upperneck head",
        "rclavicle rhumerus rradius rhand rhipjoint rfemur rtibia rfoot",
        "lclavicle lhumerus lradius lhand lhipjoint lfemur ltibia lfoot",
    ),
    "motionbuilder": _table(
        "Head",
        "RightArm RightForeArm RightHand - RightUpLeg RightLeg RightFoot RightToeBase",
        "LeftArm LeftForeArm LeftHand - LeftUpLeg LeftLeg LeftFoot LeftToeBase",
    ),
    "bandai_namco": _table(
        "Head",
        "UpperArm_R LowerArm_R Hand_R - UpperLeg_R LowerLeg_R Foot_R Toes_R",
        "UpperArm_L LowerArm_L Hand_L - UpperLeg_L LowerLeg_L Foot_L Toes_L",
    ),
    "smplh": _table(
        "head",
        "right_shoulder right_elbow right_wrist - right_hip right_knee right_ankle right_foot",
        "left_shoulder left_elbow left_wrist - left_hip left_knee left_ankle left_foot",
        neck="neck",
        mid_hip="pelvis",
        hand=FINGERS,
    ),
    "deepmimic": _table(
        "",
        "right_shoulder right_elbow right_wrist - right_hip right_knee right_ankle -",
        "left_shoulder left_elbow left_wrist - left_hip left_knee left_ankle -",
    ),
}
"""For each known skeleton: the source joints whose mean is each of the 19, none where they must be made up.

ASF bones are named after their ends: the end of `rclavicle` is the right shoulder. The SMPL-H row is the
reference's own mapping; SMPL-X has the same names. A skeleton stands before those whose names are a part of
its own.
"""


def mocap_joints_to_body19(recording: MocapRecording) -> MocapRecording:
    """Map a recording of any known skeleton to the 19 joints of `rib.structures.skeleton.BODY19`.

    A hand that was not captured extends the forearm by 0.3 of its length; toes step 0.13 m along the pelvis'
    normal; a head lies 0.35 torso lengths above the neck. Toes and head so guessed are listed in `made_up`
    (an extended hand moves as its forearm does, which is captured).

    Raises:
        RibError: The joints' names are those of no known skeleton.
    """
    if recording.joint_names == BODY19:
        return recording
    names = [name.rpartition(":")[2] for name in recording.joint_names]  # "mixamorig:Hips" is "Hips"
    table = SKELETONS[mocap_skeleton_of(names, recording.source)]
    source = recording.joints_m
    joints = np.zeros((len(source), len(BODY19), 3), source.dtype)
    for index, name in enumerate(BODY19):
        if table[name]:
            joints[:, index] = np.mean([source[:, names.index(part)] for part in table[name]], axis=0)
    made_up = _fill(joints, absent=[name for name in BODY19 if not table[name]])
    return replace(recording, joints_m=joints, joint_names=BODY19, made_up=made_up)


def skeleton_stature_m(joints_TJ3: np.ndarray) -> float:
    """Standing height in metres, estimated from the median lengths of legs and torso, (T, 19, 3) -> ().

    Legs and torso are 0.76 of a standing body; bones, unlike the body's extent, do not shrink as it crouches.
    """

    def length(a: str, b: str) -> float:
        bone = joints_TJ3[:, BODY19.index(a)] - joints_TJ3[:, BODY19.index(b)]
        return float(np.median(np.linalg.norm(bone, axis=-1)))

    legs = [
        length(f"{side}_{a}", f"{side}_{b}")
        for side in ("left", "right")
        for a, b in (("hip", "knee"), ("knee", "ankle"))
    ]
    return (sum(legs) / 2 + length("neck", "mid_hip")) / 0.76


def mocap_skeleton_of(names: Sequence[str], source: str) -> str:
    """The key of `SKELETONS` whose joints are all among `names`; `source` is named in the error.

    Raises:
        RibError: They are those of no known skeleton.
    """
    known = set(names)
    for skeleton, table in SKELETONS.items():
        if all(known.issuperset(parts) for parts in table.values()):
            return skeleton
    raise RibError(
        f"{source}: joints {', '.join(names[:6])} ... are of no known skeleton ({', '.join(SKELETONS)})",
        "add its joint names to SKELETONS in rib/mocap/skeletons.py",
    )


def _fill(joints: np.ndarray, absent: list[str]) -> tuple[str, ...]:
    """Set the absent joints in place; the names of those that are guesses."""

    def at(name: str) -> np.ndarray:
        return joints[:, BODY19.index(name)]

    up = at("neck") - at("mid_hip")
    forward = np.cross(up, at("right_hip") - at("left_hip"))
    forward /= np.linalg.norm(forward, axis=-1, keepdims=True) + 1e-9
    for name in absent:
        side = name.partition("_")[0]
        if name.endswith("_hand"):
            joints[:, BODY19.index(name)] = at(f"{side}_wrist") + 0.3 * (
                at(f"{side}_wrist") - at(f"{side}_elbow")
            )
        elif name.endswith("_big_toe"):
            joints[:, BODY19.index(name)] = at(f"{side}_ankle") + 0.13 * forward
        else:
            joints[:, BODY19.index(name)] = at("neck") + 0.35 * up
    return tuple(name for name in absent if not name.endswith("_hand"))
