"""Write people's keypoints as OpenPose 1.3 JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rib.io.files.whole import write_text_whole
from rib.structures.keypoints import PoseSequence, PoseTracks
from rib.structures.skeleton import BODY25, HAND21, convert_joints

_NAME = "{:06d}_keypoints.json"
_OURS = re.compile(r"(\d{6,})_keypoints\.json")


def write_openpose_json(poses: PoseSequence | PoseTracks, folder: str | Path) -> list[Path]:
    """Write one file a moment, `000000_keypoints.json` and so on: BODY_25 and both hands.

    Numbers are written in full, so that reading gives back what was written, bit for bit. A missing
    point is 0, 0, 0 and whoever is away at a moment is not among its people. Files of an older, longer
    sequence in the same folder and under these names are removed.

    Args:
        poses: In any joint set; written as `body25_hands`. Everybody's `person_id` is their track id in all
            files, and -1 for somebody without one (0).
        folder: Made if needed.

    Returns:
        The files in order of time.

    Raises:
        RibError: The folder cannot be written to, or no space is left.
    """
    folder = Path(folder)
    tracks = poses if isinstance(poses, PoseTracks) else PoseTracks.of([poses])
    ids, values = [one or -1 for one in tracks.track_ids], _values(tracks)
    paths = [folder / _NAME.format(moment) for moment in range(len(poses))]
    for path, numbers in zip(paths, values, strict=True):
        write_text_whole(path, _frame(numbers, ids))
    for file in folder.glob("*_keypoints.json"):
        name = _OURS.fullmatch(file.name)
        if name and int(name[1]) >= len(paths):
            file.unlink()
    return paths


def _values(poses: PoseTracks) -> np.ndarray:
    """(T, P, 67, 3) x, y, confidence; what is not finite is missing."""
    finite = np.isfinite(poses.keypoints_px).all(axis=-1) & np.isfinite(poses.confidence)
    confidence = np.where(finite, poses.confidence, 0.0)
    keypoints_px, confidence = convert_joints(poses.keypoints_px, confidence, poses.joint_set, "body25_hands")
    return np.concatenate([keypoints_px, confidence[..., None]], axis=-1)


def _frame(values: np.ndarray, ids: Sequence[int]) -> str:
    """The JSON text of one moment (P, 67, 3)."""
    everybody = zip(values, ids, strict=True)
    people = [_person(numbers, one) for numbers, one in everybody if (numbers[:, 2] > 0).any()]
    return json.dumps({"version": 1.3, "people": people}, allow_nan=False, separators=(",", ":"))


def _person(values: np.ndarray, person_id: int) -> dict[str, list[float] | list[int]]:
    body, left, right = np.split(values, (len(BODY25), len(BODY25) + len(HAND21)))
    return {
        "person_id": [person_id],
        "pose_keypoints_2d": body.ravel().tolist(),
        "face_keypoints_2d": [],
        "hand_left_keypoints_2d": left.ravel().tolist(),
        "hand_right_keypoints_2d": right.ravel().tolist(),
    }
