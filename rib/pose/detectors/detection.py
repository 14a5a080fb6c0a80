"""Detections of people: one person in one frame, and everybody in a clip as the tracker takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

_BODY = slice(0, 25)


@dataclass(frozen=True)
class PersonDetection:
    """One person in one frame, in the joint set `body25_hands`.

    Attributes:
        keypoints_px: (67, 2) float64, pixel centres at .5; 0 where missing.
        confidence: (67,) float64 in 0..1; 0 means missing.
        box_xyxy: (4,) float64 left, top, right, bottom in pixels.
        appearance: (5, B) colours of the body's parts (`rib.pose.detectors.appearance`), or None where no
            picture was at hand.
        depth: (5,) relative depth of each of `rib.structures.keypoints.LAYERS`, smaller is nearer, or None.
    """

    keypoints_px: np.ndarray
    confidence: np.ndarray
    box_xyxy: np.ndarray
    appearance: np.ndarray | None = None
    depth: np.ndarray | None = None

    @classmethod
    def from_keypoints(
        cls,
        keypoints_px: np.ndarray,
        confidence: np.ndarray,
        appearance: np.ndarray | None = None,
        depth: np.ndarray | None = None,
    ) -> PersonDetection | None:
        """A detection whose box spans the body's points that were found; None where there are none."""
        found = keypoints_px[_BODY][confidence[_BODY] > 0]
        if len(found) == 0:
            return None
        box = np.concatenate([found.min(axis=0), found.max(axis=0)])
        return cls(keypoints_px, confidence, box, appearance, depth)

    @property
    def area_px2(self) -> float:
        """The box's area."""
        left, top, right, bottom = self.box_xyxy
        return float((right - left) * (bottom - top))

    @property
    def mean_confidence(self) -> float:
        """Mean over the 25 body points; missing ones count as 0."""
        return float(self.confidence[_BODY].mean())


@dataclass(frozen=True)
class ClipDetections:
    """Everybody found in the K frames of a clip.

    Attributes:
        people: The people of each frame; their order plays no part.
        times_s: (K,) seconds, strictly increasing.
        size_px: Width and height of the picture.
        cuts: Frames that begin a new shot.
        camera: (K, 2, 3) the camera's motion from the frame before to each frame; None for a still one.
    """

    people: Sequence[Sequence[PersonDetection]]
    times_s: np.ndarray
    size_px: tuple[int, int]
    cuts: Sequence[int] = ()
    camera: Sequence[np.ndarray] | None = None

    @property
    def shots(self) -> list[range]:
        """The frames of each shot."""
        edges = [0, *sorted({cut for cut in self.cuts if 0 < cut < len(self.people)}), len(self.people)]
        return [range(a, b) for a, b in pairwise(edges)]
