"""People's poses as files of the analysis, where they were looked at, and the poses' hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from rib.io.files.mapped import array_in_file, chunks_of_rows, map_array_file
from rib.structures.keypoints import PoseSequence, PoseTracks

FORMAT = 4
"""Changed whenever the files' layout changes: older ones are then never found."""
PER_MOMENT = ("keypoints_px", "confidence", "person_depth", "layer_depth", "shared_box")
"""Fields of `PoseTracks` that grow with the clip, but for the times."""


def save_analysis_pose_tracks(tracks: PoseTracks, folder: Path) -> None:
    """Every field of a `PoseTracks` as an .npy in a folder of their own."""
    folder.mkdir()
    for field in fields(tracks):
        if (value := getattr(tracks, field.name)) is not None:
            np.save(folder / f"{field.name}.npy", np.asarray(value))


def load_analysis_pose_tracks(folder: Path) -> PoseTracks:
    """Tracks that `save_analysis_pose_tracks` wrote, bit by bit; of long clips they stay on disk."""
    stored = {path.stem: map_array_file(path) for path in folder.glob("*.npy")}
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


def pose_tracks_in_file(tracks: PoseTracks, folder: Path) -> PoseTracks:
    """The same tracks, those of a long clip in files without a name on a folder's disk."""
    given = {name: getattr(tracks, name) for name in PER_MOMENT}
    moved: dict[str, Any] = {
        name: array_in_file(array, folder) for name, array in given.items() if array is not None
    }
    return replace(tracks, **moved)


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
    digest = hashlib.sha256()
    for part in (poses.keypoints_px, poses.confidence, poses.times_s, np.array(poses.size_px)):
        for rows in chunks_of_rows(part):
            digest.update(rows.tobytes())
    return digest.hexdigest()
