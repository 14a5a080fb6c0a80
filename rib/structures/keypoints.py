"""Poses over time: of one person, and of everybody in a clip."""

from __future__ import annotations

from collections.abc import Sequence
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
        joint_set: Name of the joint set in `rib.structures.skeleton` ("body25_hands", "body19", ...).
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

    @classmethod
    def of_nobody(
        cls, times_s: np.ndarray, num_joints: int, joint_set: str, size_px: tuple[int, int], track_id: int = 0
    ) -> PoseSequence:
        """Somebody who is missing at all moments; takes no memory for them, and can only be read."""
        keypoints_px = np.broadcast_to(0.0, (len(times_s), num_joints, 2))
        return cls(keypoints_px, keypoints_px[..., 0], times_s, joint_set, size_px, None, track_id)

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

    def resized(self, size_px: tuple[int, int]) -> PoseSequence:
        """The same person in the same picture at another width and height."""
        ratio = np.array(size_px) / self.size_px
        return replace(self, keypoints_px=self.keypoints_px * ratio, size_px=size_px)

    @property
    def present(self) -> np.ndarray:
        """(T,) bool, True at moments where at least one joint was found."""
        return np.asarray((self.confidence > 0).any(axis=1))


@dataclass(frozen=True)
class PoseTracks:
    """The 2-D keypoints of P people at the same N moments.

    Attributes:
        keypoints_px: (N, P, J, 2) float64, x to the right and y down, pixel centres at .5; 0 where missing.
        confidence: (N, P, J) float64 in 0..1; 0 means missing.
        times_s: (N,) float64 seconds, strictly increasing.
        track_ids: The number of each of the P people in the clip, no two alike.
        joint_set: Name of the joint set in `rib.structures.skeleton`.
        size_px: Width and height of the picture the keypoints lie in.
        person_depth: (N, P) float64, smaller is nearer the camera; NaN where unknown, None where nothing
            tells it.
        layer_depth: (N, P, 5) float64, relative depth of each of `LAYERS` within a person, as
            `PoseSequence.depth_order`; None where the detector does not tell.
        shared_box: (N, P) float64 in 0..1, the share of each person's box in which somebody else's lies, also
            of those who are not in these tracks; None where nothing tells it.

    Raises:
        ValueError: Shapes that do not fit together, or a track id given twice.
    """

    keypoints_px: np.ndarray
    confidence: np.ndarray
    times_s: np.ndarray
    track_ids: tuple[int, ...]
    joint_set: str
    size_px: tuple[int, int]
    person_depth: np.ndarray | None = None
    layer_depth: np.ndarray | None = None
    shared_box: np.ndarray | None = None

    def __post_init__(self) -> None:
        moments, people = len(self.times_s), len(self.track_ids)
        joints = self.confidence.shape[2:]
        shapes = {
            "keypoints_px": (self.keypoints_px, (moments, people, *joints, 2)),
            "confidence": (self.confidence, (moments, people, *joints)),
            "person_depth": (self.person_depth, (moments, people)),
            "layer_depth": (self.layer_depth, (moments, people, len(LAYERS))),
            "shared_box": (self.shared_box, (moments, people)),
        }
        for name, (array, expected) in shapes.items():
            if array is not None and array.shape != expected:
                raise ValueError(f"{name} has shape {array.shape}, expected {expected}")
        if len(set(self.track_ids)) != people:
            raise ValueError(f"track ids {self.track_ids} are not all different")

    @classmethod
    def of(cls, people: Sequence[PoseSequence], person_depth: np.ndarray | None = None) -> PoseTracks:
        """Everybody side by side, at least one; all at the same moments and in the same joint set.

        Args:
            people: P sequences; each keeps its `track_id`.
            person_depth: (N, P), smaller is nearer the camera, or None.
        """
        if len(people) == 1:
            return cls._of_one(people[0], person_depth)
        first, depths = people[0], [one.depth_order for one in people]
        layers = None
        if any(depth is not None for depth in depths):
            unknown = np.full((len(first), len(LAYERS)), np.nan)
            layers = np.stack([unknown if depth is None else depth for depth in depths], axis=1)
        return cls(
            keypoints_px=np.stack([one.keypoints_px for one in people], axis=1),
            confidence=np.stack([one.confidence for one in people], axis=1),
            times_s=first.times_s,
            track_ids=tuple(one.track_id for one in people),
            joint_set=first.joint_set,
            size_px=first.size_px,
            person_depth=person_depth,
            layer_depth=layers,
        )

    @classmethod
    def _of_one(cls, one: PoseSequence, person_depth: np.ndarray | None) -> PoseTracks:
        """Somebody alone: the same arrays."""
        layers = None if one.depth_order is None else one.depth_order[:, None]
        return cls(
            one.keypoints_px[:, None], one.confidence[:, None], one.times_s, (one.track_id,), one.joint_set,
            one.size_px, person_depth, layers,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.times_s)

    def __getitem__(self, index: int | slice | list[int] | np.ndarray) -> PoseTracks:
        """The same people at some of the moments; an int gives one moment."""
        if isinstance(index, int | np.integer):
            index = [int(index)]
        return replace(
            self,
            keypoints_px=self.keypoints_px[index],
            confidence=self.confidence[index],
            times_s=self.times_s[index],
            person_depth=None if self.person_depth is None else self.person_depth[index],
            layer_depth=None if self.layer_depth is None else self.layer_depth[index],
            shared_box=None if self.shared_box is None else self.shared_box[index],
        )

    @property
    def present(self) -> np.ndarray:
        """(N, P) bool, True where at least one joint of the person was found."""
        return np.asarray((self.confidence > 0).any(axis=2))

    def only(self, track_ids: Sequence[int]) -> PoseTracks:
        """Some of the people, in their order.

        Raises:
            KeyError: One of them is not there.
        """
        for track_id in track_ids:
            if track_id not in self.track_ids:
                raise KeyError(f"there is no track {track_id}, only {self.track_ids}")
        kept = [column for column, one in enumerate(self.track_ids) if one in track_ids]
        return replace(
            self,
            keypoints_px=self.keypoints_px[:, kept],
            confidence=self.confidence[:, kept],
            track_ids=tuple(self.track_ids[column] for column in kept),
            person_depth=None if self.person_depth is None else self.person_depth[:, kept],
            layer_depth=None if self.layer_depth is None else self.layer_depth[:, kept],
            shared_box=None if self.shared_box is None else self.shared_box[:, kept],
        )

    def shared_by(self, track_id: int, *moments: int) -> float:
        """The greatest share of a person's box in which somebody else's lies; 0 where nothing tells it."""
        if self.shared_box is None:
            return 0.0
        return float(self.shared_box[list(moments), self.track_ids.index(track_id)].max())

    def person(self, track_id: int) -> PoseSequence:
        """One of them alone.

        Raises:
            KeyError: Nobody has this track id.
        """
        if track_id not in self.track_ids:
            raise KeyError(f"there is no track {track_id}, only {self.track_ids}")
        column = self.track_ids.index(track_id)
        return PoseSequence(
            keypoints_px=self.keypoints_px[:, column],
            confidence=self.confidence[:, column],
            times_s=self.times_s,
            joint_set=self.joint_set,
            size_px=self.size_px,
            depth_order=None if self.layer_depth is None else self.layer_depth[:, column],
            track_id=track_id,
        )
