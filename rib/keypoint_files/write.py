"""Write one person's keypoints as OpenPose 1.3 JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from rib.io.files import write_text_whole
from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import BODY25, HAND21, convert_joints

_NAME = "{:06d}_keypoints.json"
_OURS = re.compile(r"(\d{6,})_keypoints\.json")


def write_openpose(poses: PoseSequence, folder: str | Path) -> list[Path]:
    """Write one file a moment, `000000_keypoints.json` and so on: BODY_25 and both hands.

    Numbers are written in full, so that `read_people` gives back what was written, bit for bit. A missing
    point is 0, 0, 0 and a moment without the person has no people. Files of an older, longer sequence in the
    same folder and under these names are removed.

    Args:
        poses: In any joint set; written as `body25_hands`.
        folder: Made if needed.

    Returns:
        The files in order of time.

    Raises:
        RibError: The folder cannot be written to, or no space is left.
    """
    folder = Path(folder)
    values = _values(poses)
    paths = [folder / _NAME.format(moment) for moment in range(len(poses))]
    for path, numbers in zip(paths, values, strict=True):
        write_text_whole(path, _frame(numbers))
    for file in folder.glob("*_keypoints.json"):
        name = _OURS.fullmatch(file.name)
        if name and int(name[1]) >= len(paths):
            file.unlink()
    return paths


def _values(poses: PoseSequence) -> np.ndarray:
    """(T, 67, 3) x, y, confidence; what is not finite is missing."""
    finite = np.isfinite(poses.keypoints_px).all(axis=-1) & np.isfinite(poses.confidence)
    confidence = np.where(finite, poses.confidence, 0.0)
    keypoints_px, confidence = convert_joints(poses.keypoints_px, confidence, poses.joint_set, "body25_hands")
    return np.concatenate([keypoints_px, confidence[..., None]], axis=-1)


def _frame(values: np.ndarray) -> str:
    """The JSON text of one moment (67, 3)."""
    body, left, right = np.split(values, (len(BODY25), len(BODY25) + len(HAND21)))
    person = {
        "person_id": [-1],
        "pose_keypoints_2d": body.ravel().tolist(),
        "face_keypoints_2d": [],
        "hand_left_keypoints_2d": left.ravel().tolist(),
        "hand_right_keypoints_2d": right.ravel().tolist(),
    }
    people = [person] if (values[:, 2] > 0).any() else []
    return json.dumps({"version": 1.3, "people": people}, allow_nan=False, separators=(",", ":"))
