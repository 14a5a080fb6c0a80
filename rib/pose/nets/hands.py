"""Squares around hands, from the body's points, and the joints in the hand networks' outputs.

MediaPipe Hands: Zhang et al., 2020; the crops between body and hand: MediaPipe Holistic, 2020. Points are
shares of a square picture's side.
"""

from __future__ import annotations

import numpy as np

from rib.pose.nets.rects import Rect, wrap_rad

RECROP_SIZE_PX = 256
"""Side of the pictures that the first network sees, which finds the hand."""
SIZE_PX = 224
"""Side of those that the second sees, which finds its joints."""
PALMS = ((15, 17, 19), (16, 18, 20))
"""Wrist, little finger and index finger of the left and the right hand among BlazePose's 33 points."""
MIN_WRIST_VISIBILITY = 0.1
MIN_PRESENCE = 0.5
_DEPTH_SCALE = 0.4
"""The network's z is this much of the scale of x."""


def rect_of_palm(palm: np.ndarray) -> Rect:
    """Where the first network looks.

    Args:
        palm: (3, 2) wrist, little finger and index finger.
    """
    wrist, little, index = palm
    middle = (2 * index + little) / 3
    x, y = middle - wrist
    side = 2 * float(np.hypot(x, y))
    angle_rad = wrap_rad(np.pi / 2 - np.arctan2(-y, x))
    return Rect(float(middle[0]), float(middle[1]), side, side, angle_rad).moved_up(0.1, 2.7)


def rect_of_recrop(rect: Rect, output: np.ndarray) -> Rect:
    """Where the second network looks.

    Args:
        rect: Where the first looked.
        output: (4,) what it gave: the hand's middle, and the middle of a side, in its pixels.
    """
    local = np.column_stack([output.reshape(2, 2).astype(np.float64) / RECROP_SIZE_PX, np.zeros(2)])
    middle, edge = rect.project(local)[:, :2]
    x, y = edge - middle
    side = 2 * float(np.hypot(x, y))
    angle_rad = wrap_rad(-np.pi / 2 - np.arctan2(-y, x))
    return Rect(float(middle[0]), float(middle[1]), side, side, angle_rad).moved_up(0.1, 1.0)


def joints_of_hand(rect: Rect, output: np.ndarray) -> np.ndarray:
    """The joints that the second network sees.

    Args:
        rect: Where it looked.
        output: (63,) what it gave.

    Returns:
        (21, 3) in the picture, in OpenPose's order.
    """
    local = output.reshape(21, 3).astype(np.float64) / SIZE_PX
    local[:, 2] /= _DEPTH_SCALE
    return rect.project(local)
