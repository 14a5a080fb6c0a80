"""Poses at the output's frame rate that another program made: `motion=files`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rib.io.errors import RibError
from rib.keypoint_files import read_people_keypoints
from rib.motion.missing_spans import MotionExtrapolationLimit, depth_order_at_moments
from rib.structures.keypoints import PoseSequence


class FilesMotion:
    """Read one person's poses, one entry an output frame (the reference's `Predict_motion/<clip>`, for one).

    Args:
        path: A folder of OpenPose JSON or one JSON file (see `rib.keypoint_files.read_people_keypoints`).
        layout: The points' order, or `auto`.

    Raises:
        RibError: No path is given.
    """

    gives = frozenset({"keyframe_poses"})  # no pose stage is needed before it

    def __init__(self, path: str | Path | None, layout: str) -> None:
        if path is None:
            raise RibError("motion=files needs poses", "add poses=FOLDER_OF_JSON, one file an output frame")
        self.path = Path(path)
        self.layout = layout

    def __call__(self, poses: PoseSequence, times_s: np.ndarray, cuts: Sequence[int] = ()) -> PoseSequence:
        """The person in the files.

        Args:
            poses: The keyframes; they give the picture's size and the order of the limbs in depth.
            times_s: (N,) seconds, one for each entry in the files; those after the last keyframe may be
                absent there and hold its pose.
            cuts: Not needed: the files say where everybody is.

        Returns:
            N moments in the joint set `body25_hands`.

        Raises:
            RibError: The files cannot be read, have not N entries, or show more than one person at a moment.
        """
        people = read_people_keypoints(self.path, self.layout)
        moving = int(np.searchsorted(times_s, poses.times_s[-1], side="right"))
        people = people.aligned(moving if len(people) == moving else len(times_s))
        people.check_fits(poses.size_px)
        values = np.zeros((len(times_s), 67, 3))
        for moment, (frame, name) in enumerate(zip(people.frames, people.names, strict=True)):
            if len(frame) > 1:
                raise RibError(f"{name} shows {len(frame)} people", "motion=files takes one person's poses")
            if len(frame):
                values[moment] = frame[0]
        values[len(people) :] = values[len(people) - 1]
        return replace(
            poses,
            keypoints_px=values[..., :2],
            confidence=values[..., 2],
            times_s=np.asarray(times_s, dtype=np.float64),
            joint_set="body25_hands",
            depth_order=depth_order_at_moments(
                poses, times_s, MotionExtrapolationLimit(hold_s=np.inf, half_life_s=np.inf)
            ),
        )
