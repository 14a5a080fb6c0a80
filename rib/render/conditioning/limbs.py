"""The limbs that are drawn: their order and colours are those of the published design."""

from __future__ import annotations

from rib.structures.skeleton import BODY19

NUM_JOINTS = len(BODY19)
NUM_CHANNELS = 3 + NUM_JOINTS

_DRAWN = (
    ("neck", "nose", (153, 0, 51)),
    ("neck", "mid_hip", (153, 0, 0)),
    ("neck", "right_shoulder", (153, 51, 0)),
    ("right_shoulder", "right_elbow", (153, 102, 0)),
    ("right_elbow", "right_wrist", (153, 153, 0)),
    ("right_wrist", "right_hand", (208, 208, 0)),
    ("neck", "left_shoulder", (102, 153, 0)),
    ("left_shoulder", "left_elbow", (51, 153, 0)),
    ("left_elbow", "left_wrist", (0, 153, 0)),
    ("left_wrist", "left_hand", (0, 208, 0)),
    ("mid_hip", "right_hip", (0, 153, 51)),
    ("right_hip", "right_knee", (0, 153, 102)),
    ("right_knee", "right_ankle", (0, 153, 153)),
    ("mid_hip", "left_hip", (0, 102, 153)),
    ("left_hip", "left_knee", (0, 51, 153)),
    ("left_knee", "left_ankle", (0, 0, 153)),
    ("right_ankle", "right_big_toe", (0, 208, 208)),
    ("left_ankle", "left_big_toe", (0, 0, 208)),
)

LIMBS = tuple((BODY19.index(a), BODY19.index(b)) for a, b, _ in _DRAWN)
"""Pairs of joint numbers, in the order of drawing."""

COLOURS = tuple(colour for _, _, colour in _DRAWN)
"""RGB 0..255 of each limb."""
