"""A painted figure whose true picture is known in every pose."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from rib.structures.interval import Interval, Keyframe
from rib.structures.keypoints import LAYERS, PoseSequence
from rib.structures.person import PersonView
from rib.structures.person_interval import PersonInterval
from rib.structures.skeleton import BODY25_HANDS

HEIGHT, WIDTH = 120, 140
JOINTS = {
    "neck": (70, 30), "nose": (70, 17), "left_ear": (73, 17), "right_ear": (67, 17), "mid_hip": (70, 66),
    "left_shoulder": (79, 31), "right_shoulder": (61, 31), "left_hip": (75, 66), "right_hip": (65, 66),
    "left_elbow": (97, 31), "left_wrist": (113, 31), "left_hand_index_1": (119, 31),
    "left_hand_little_1": (119, 31),
    "right_elbow": (43, 31), "right_wrist": (27, 31), "right_hand_index_1": (21, 31),
    "right_hand_little_1": (21, 31),
    "left_knee": (78, 87), "left_ankle": (78, 106), "left_big_toe": (85, 110),
    "right_knee": (62, 87), "right_ankle": (62, 106), "right_big_toe": (55, 110),
}  # fmt: skip
LIMB = (
    ("shoulder", "elbow", 4, "arm"), ("elbow", "wrist", 3, "arm"), ("wrist", "hand_index_1", 3, "arm"),
    ("hip", "knee", 6, "leg"), ("knee", "ankle", 4, "leg"), ("ankle", "big_toe", 3, "leg"),
)  # fmt: skip
STICKS = (
    ("neck", "mid_hip", 11, "torso"),
    ("neck", "nose", 7, "torso"),
    *((f"{s}_{a}", f"{s}_{b}", r, f"{s}_{layer}") for s in ("left", "right") for a, b, r, layer in LIMB),
)
COLOURS = {"torso": 200, "left_arm": 60, "right_arm": 110, "left_leg": 150, "right_leg": 90}


def figure(degrees: float, time_s: float = 0.0) -> PoseSequence:
    """The figure with its left arm turned about the shoulder."""
    turn = np.deg2rad(degrees)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    keypoints, confidence = np.zeros((1, len(BODY25_HANDS), 2)), np.zeros((1, len(BODY25_HANDS)))
    shoulder = np.array(JOINTS["left_shoulder"], float)
    for name, place in JOINTS.items():
        point = np.array(place, float)
        if name.startswith(("left_elbow", "left_wrist", "left_hand")):
            point = shoulder + rotation @ (point - shoulder)
        keypoints[0, BODY25_HANDS.index(name)] = point
        confidence[0, BODY25_HANDS.index(name)] = 1
    depth = np.array([[0.0, -1.0, -1.0, 0.5, 0.5]])
    return PoseSequence(keypoints, confidence, np.array([time_s]), "body25_hands", (WIDTH, HEIGHT), depth)


def scene() -> np.ndarray:
    coarse = np.random.default_rng(0).integers(30, 226, (8, 9, 3)).astype(np.uint8)
    return cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)


def paint(pose: PoseSequence) -> tuple[np.ndarray, np.ndarray]:
    """The figure before the scene, (H, W, 3) uint8, and its mask (H, W) in 0..1."""
    picture, mask = scene(), np.zeros((HEIGHT, WIDTH), np.uint8)
    order = sorted(STICKS, key=lambda stick: -pose.depth_order[0, LAYERS.index(stick[3])])
    for start, end, radius, layer in order:
        a, b = (tuple(round(x) for x in pose.keypoints_px[0, BODY25_HANDS.index(n)]) for n in (start, end))
        cv2.line(picture, a, b, (COLOURS[layer], 80, 255 - COLOURS[layer]), 2 * radius)
        cv2.line(mask, a, b, 255, 2 * radius)
    return picture, mask.astype(np.float32) / 255


def keyframe(index: int, degrees: float, time_s: float) -> Keyframe:
    pose = figure(degrees, time_s)
    picture, mask = paint(pose)
    tensor = torch.from_numpy(picture).permute(2, 0, 1).float() / 255
    return Keyframe(index, time_s, tensor, (PersonView.of(pose, torch.from_numpy(mask)[None]),))


def turning(first: float, last: float, fractions: tuple[float, ...] = (0.25, 0.5, 0.75)) -> PersonInterval:
    """The left arm turns from one angle to another within a second."""
    parts = [figure(first + t * (last - first), t) for t in fractions]
    poses = PoseSequence(
        np.concatenate([p.keypoints_px for p in parts]),
        np.concatenate([p.confidence for p in parts]),
        np.array(fractions),
        "body25_hands",
        (WIDTH, HEIGHT),
    )
    interval = Interval(keyframe(0, first, 0.0), keyframe(1, last, 1.0), np.array(fractions))
    return PersonInterval.of(interval, poses)
