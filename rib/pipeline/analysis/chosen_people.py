"""`people=all|largest|[1,3]`: who of those in a clip is drawn, and who of them stands in front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from rib.io.errors import RibError
from rib.structures.keypoints import PoseSequence, PoseTracks
from rib.structures.skeleton import convert_joints
from rib.video import FrameSource

BODY_TORSOS = 3.3
"""Height of a standing body in lengths of its torso."""
_NECK, _HIP = 1, 8
_BODY = 25


@runtime_checkable
class EverybodyPoseStage(Protocol):
    """A pose stage that follows everybody, each under an id of their own."""

    def tracks(self, source: FrameSource, cuts: Sequence[int] = ()) -> PoseTracks:
        """See the class."""
        ...


def find_people_for_analysis(
    stage: Any, source: FrameSource, cuts: Sequence[int], everybody: bool
) -> PoseTracks:
    """Whom the pose stage finds: everybody, or the most prominent person alone, as number 1."""
    if not everybody or not isinstance(stage, EverybodyPoseStage):
        found = stage(source, cuts)
        return found if isinstance(found, PoseTracks) else PoseTracks.of([replace(found, track_id=1)])
    return at_least_one_track(stage.tracks(source, cuts))


def at_least_one_track(found: PoseTracks) -> PoseTracks:
    """The people found; where nobody ever is, one who is always away: a clip's records name somebody."""
    return found if found.track_ids else PoseTracks.of([_nobody_in(found)])


def choose_people_to_draw(found: PoseTracks, people: str | Sequence[int]) -> PoseTracks:
    """Those of the people found whom the setting names.

    Raises:
        RibError: It names somebody who was not found.
    """
    if isinstance(people, str):
        return found
    lacking = [one for one in people if one not in found.track_ids]
    if lacking:
        there = ", ".join(str(one) for one in sorted(found.track_ids))
        raise RibError(
            f"people={list(people)}: nobody in this clip has person_id {lacking[0]}",
            f"the person_ids are {there}; people=all write_poses=true shows who is who",
        )
    return found.only(people)


def with_person_depth(tracks: PoseTracks) -> PoseTracks:
    """The people with a depth each: whoever looks larger and stands lower in the picture is nearer.

    Under perspective both the height of a body and how far its feet lie below the horizon are in inverse
    proportion to its distance. One person, or people whose depth is known, come back as they are.
    """
    if len(tracks.track_ids) < 2 or tracks.person_depth is not None:
        return tracks
    joints, confidence = convert_joints(tracks.keypoints_px, tracks.confidence, tracks.joint_set, "body25")
    seen = confidence[..., :_BODY] > 0
    low = np.where(seen, joints[..., :_BODY, 1], -np.inf).max(axis=2)
    trunk = np.linalg.norm(joints[..., _NECK, :] - joints[..., _HIP, :], axis=2)
    both = seen[..., _NECK] & seen[..., _HIP]
    height = float(tracks.size_px[1])
    nearness = (BODY_TORSOS * trunk + np.minimum(low, height)) / height
    depth = np.where(both & seen.any(axis=2), -nearness, np.nan)
    return replace(tracks, person_depth=depth)


def _nobody_in(found: PoseTracks) -> PoseSequence:
    joints = found.confidence.shape[2]
    return PoseSequence.of_nobody(found.times_s, joints, found.joint_set, found.size_px, track_id=1)
