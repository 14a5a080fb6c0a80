"""From detections to the record of one person over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rib.pose.detectors.detection import PersonDetection
from rib.structures.keypoints import LAYERS, PoseSequence, PoseTracks
from rib.structures.skeleton import BODY25_HANDS


def detections_to_sequence(
    people: Sequence[Sequence[PersonDetection]],
    members: Mapping[int, int],
    times_s: np.ndarray,
    size_px: tuple[int, int],
    track_id: int = 0,
) -> PoseSequence:
    """One person's detections as a sequence in the joint set `body25_hands`."""
    num_frames, num_joints = len(times_s), len(BODY25_HANDS)
    keypoints_px, confidence = np.zeros((num_frames, num_joints, 2)), np.zeros((num_frames, num_joints))
    depth = np.full((num_frames, len(LAYERS)), np.nan)
    chosen = {moment: people[moment][index] for moment, index in members.items()}
    for moment, person in chosen.items():
        found = person.confidence > 0
        keypoints_px[moment, found] = person.keypoints_px[found]
        confidence[moment] = person.confidence
        if person.depth is not None:
            depth[moment] = person.depth
    return PoseSequence(
        keypoints_px=keypoints_px,
        confidence=confidence,
        times_s=np.asarray(times_s, float),
        joint_set="body25_hands",
        size_px=size_px,
        depth_order=depth if any(person.depth is not None for person in chosen.values()) else None,
        track_id=track_id,
    )


def no_pose_tracks(times_s: np.ndarray, size_px: tuple[int, int]) -> PoseTracks:
    """No tracks, at these moments."""
    num_frames, num_joints = len(times_s), len(BODY25_HANDS)
    keypoints_px, confidence = np.zeros((num_frames, 0, num_joints, 2)), np.zeros((num_frames, 0, num_joints))
    return PoseTracks(keypoints_px, confidence, np.asarray(times_s, float), (), "body25_hands", size_px)
