"""People's poses as a file of the analysis, where they were looked at, and the poses' hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from rib.structures.keypoints import PoseSequence, PoseTracks

FORMAT = 3
"""Changed whenever the file's layout changes: older ones are then never found."""


def save_analysis_pose_tracks(tracks: PoseTracks, path: Path) -> None:
    """Every field of a `PoseTracks` as an .npz."""
    arrays: dict[str, Any] = {f.name: getattr(tracks, f.name) for f in fields(tracks)}
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})


def load_analysis_pose_tracks(path: Path) -> PoseTracks:
    """Load tracks that `save_analysis_pose_tracks` wrote, bit by bit."""
    with np.load(path, allow_pickle=False) as stored:
        return PoseTracks(
            keypoints_px=stored["keypoints_px"],
            confidence=stored["confidence"],
            times_s=stored["times_s"],
            track_ids=tuple(int(number) for number in stored["track_ids"]),
            joint_set=str(stored["joint_set"]),
            size_px=(int(stored["size_px"][0]), int(stored["size_px"][1])),
            person_depth=stored.get("person_depth"),
            layer_depth=stored.get("layer_depth"),
            shared_box=stored.get("shared_box"),
        )


def save_analysis_rois(rois: Mapping[int, np.ndarray], path: Path) -> None:
    """Save where each track was looked at closely, by track id (K, 4), as an .npz."""
    arrays: dict[str, Any] = {str(track_id): rows for track_id, rows in rois.items()}
    np.savez(path, **arrays)


def load_analysis_rois(path: Path) -> dict[int, np.ndarray]:
    """Load what `save_analysis_rois` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        return {int(name): stored[name] for name in stored.files}


def analysis_pose_digest(poses: PoseSequence) -> str:
    """A hash of a `PoseSequence`'s content."""
    parts = [poses.keypoints_px, poses.confidence, poses.times_s, np.array(poses.size_px)]
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()
