"""Layouts of keypoint files: the joints that the numbers stand for."""

from __future__ import annotations

import numpy as np

from rib.io.errors import RibError
from rib.io.recipe import did_you_mean
from rib.keypoint_files.raw import RawKeypointClip
from rib.structures.skeleton import JOINT_SETS, convert_joints, joint_set_named

LAYOUTS = tuple(name for name in JOINT_SETS if name != "smplh")
"""The layouts a file can be in; `auto` tells them by the number of points and, for 25, by their geometry."""
_BY_COUNT = {len(joint_set_named(name)): name for name in reversed(LAYOUTS)}


def check_keypoint_layout(layout: str) -> None:
    """Refuse a layout that does not exist.

    Raises:
        RibError: It names none.
    """
    if layout not in ("auto", *LAYOUTS):
        raise RibError(f"layout={layout} does not exist", did_you_mean(layout, ["auto", *LAYOUTS]))


def keypoints_per_person(clip: RawKeypointClip) -> int:
    """Count the points of every person; 0 where there is nobody.

    Raises:
        RibError: Two people have different numbers of points.
    """
    seen: dict[int, str] = {}
    for frame in clip.frames:
        for body in frame.bodies:
            seen.setdefault(len(body) // 3, frame.name)
    if len(seen) > 1:
        (a, first), (b, other) = list(seen.items())[:2]
        raise RibError(f"{first} has {a} points a person and {other} has {b}", "give files of one detector")
    return next(iter(seen), 0)


def detect_keypoint_layout(bodies: np.ndarray, layout: str, where: str) -> str:
    """The joint set of (S, J, 3) numbers of S people.

    Args:
        bodies: x, y and confidence, 0 where missing.
        layout: What the user says, or `auto`.
        where: The file or folder, for errors.

    Raises:
        RibError: The user's layout has another number of points, or no layout has that many.
    """
    num_points = bodies.shape[1]
    if layout != "auto":
        if num_points != len(joint_set_named(layout)):
            raise RibError(
                f"{where} has {num_points} points a person, {layout} has {len(joint_set_named(layout))}",
                "leave layout=auto, or name the layout that the files are in",
            )
        return layout
    if num_points not in _BY_COUNT:
        known = ", ".join(f"{count} ({name})" for count, name in sorted(_BY_COUNT.items()))
        raise RibError(f"{where} has {num_points} points a person, expected one of: {known}")
    if num_points == len(joint_set_named("body25")):
        as_25, as_25b = (_limb_lengths(bodies, name) for name in ("body25", "body25b"))
        both = (as_25 > 0) & (as_25b > 0)
        shorter = both.any() and np.median(as_25b[both] / as_25[both]) < 1
        return "body25b" if shorter else "body25"
    return _BY_COUNT[num_points]


def _limb_lengths(bodies: np.ndarray, layout: str) -> np.ndarray:
    """Mean limb length (S,) of each person under a layout: the right order joins what lies close."""
    joints, confidence = convert_joints(bodies[..., :2], bodies[..., 2], layout, "body19")
    a, b = np.array(joint_set_named("body19").limbs).T
    there = (confidence[:, a] > 0) & (confidence[:, b] > 0)
    lengths = np.where(there, np.linalg.norm(joints[:, a] - joints[:, b], axis=-1), 0.0)
    return lengths.sum(axis=1) / np.maximum(there.sum(axis=1), 1)
