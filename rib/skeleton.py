"""Joint sets, their limbs and left/right pairs, and the conversions between them.

`BODY25_HANDS` is the set that flows through the chain: OpenPose's BODY_25 followed by the 21 points of the left and of the
right hand, in OpenPose's order. Every reader converts to it, and a joint that a source does not have has confidence 0.
`BODY19` is the motion model's set: BODY_25 without eyes, ears, small toes and heels, with one point a hand.
"""

from __future__ import annotations

BODY25 = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "right_eye",
    "left_eye", "right_ear", "left_ear", "left_big_toe", "left_small_toe", "left_heel", "right_big_toe",
    "right_small_toe", "right_heel",
)  # fmt: skip
HAND21 = (
    "wrist", "thumb_1", "thumb_2", "thumb_3", "thumb_tip", "index_1", "index_2", "index_3", "index_tip", "middle_1",
    "middle_2", "middle_3", "middle_tip", "ring_1", "ring_2", "ring_3", "ring_tip", "little_1", "little_2",
    "little_3", "little_tip",
)  # fmt: skip
BODY25_HANDS = (
    BODY25 + tuple(f"left_hand_{name}" for name in HAND21) + tuple(f"right_hand_{name}" for name in HAND21)
)
BODY19 = (*BODY25[:15], "left_big_toe", "right_big_toe", "left_hand", "right_hand")
