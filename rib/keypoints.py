"""The pose of one person over time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

LAYERS = ("torso", "left_arm", "right_arm", "left_leg", "right_leg")
"""The body's layers in the column order of `PoseSequence.depth_order`."""


@dataclass(frozen=True)
class PoseSequence:
    """One person's 2-D keypoints over T moments.

    Attributes:
        keypoints_px: (T, J, 2) float64, x to the right and y down, pixel centres at .5; 0 where missing.
        confidence: (T, J) float64 in 0..1; 0 means missing.
        times_s: (T,) float64 seconds, strictly increasing.
        joint_set: Name of the joint set in `rib.skeleton` ("body25_hands", "body19", ...).
        size_px: Width and height of the picture the keypoints lie in.
        depth_order: (T, 5) float64, relative depth of each of `LAYERS` (smaller is nearer the camera), or
            None where the detector does not tell; NaN at moments without a person.
        track_id: The person's number in the clip.
    """

    keypoints_px: np.ndarray
    confidence: np.ndarray
    times_s: np.ndarray
    joint_set: str
    size_px: tuple[int, int]
    depth_order: np.ndarray | None = None
    track_id: int = 0

    def __len__(self) -> int:
        return len(self.times_s)

    def __getitem__(self, index: int | slice | list[int] | np.ndarray) -> PoseSequence:
        """The same person at some of the moments; an int gives a sequence of length 1."""
        if isinstance(index, int | np.integer):
            index = [int(index)]
        depth = None if self.depth_order is None else self.depth_order[index]
        return replace(
            self,
            keypoints_px=self.keypoints_px[index],
            confidence=self.confidence[index],
            times_s=self.times_s[index],
            depth_order=depth,
        )

    @property
    def present(self) -> np.ndarray:
        """(T,) bool, True at moments where at least one joint was found."""
        return np.asarray((self.confidence > 0).any(axis=1))
