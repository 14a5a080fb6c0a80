"""The camera's motion between keyframes near by, followed from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from rib.background.scene_layers import SceneLayer
from rib.video.camera import STILL, CameraMotion, chain_camera_motions, estimate_camera_motions

Followed = tuple[SceneLayer, SceneLayer, CameraMotion]


class CameraMotionLinks:
    """Estimates the motion between two neighbours in time once; further ones follow from those in between.

    Beyond two neighbours between which it cannot be told the camera counts as still, as between them.
    """

    def __init__(self) -> None:
        self._known: list[Followed] = []

    def from_first(self, layers: Sequence[SceneLayer], times_s: Sequence[float]) -> list[np.ndarray]:
        """The map (2, 3) from the first layer to each, itself included.

        Args:
            layers: Keyframes without people; what was estimated between any of them before is kept.
            times_s: Their times.
        """
        present = {id(layer) for layer in layers}
        self._known = [link for link in self._known if {id(link[0]), id(link[1])} <= present]
        order = np.argsort(times_s, kind="stable").tolist()
        place = order.index(0)
        found: dict[int, np.ndarray] = {0: STILL}
        for way, link in ((order[place:], self._link), (order[place::-1], self._back)):
            motion: np.ndarray | None = STILL
            for last, following in pairwise(way):
                if motion is not None:
                    motion = _followed_by(motion, link(layers[last], layers[following]))
                found[following] = STILL if motion is None else motion
        return [found[number] for number in range(len(layers))]

    def _link(self, a: SceneLayer, b: SceneLayer) -> CameraMotion:
        for one, other, motion in self._known:
            if one is a and other is b:
                return motion
        motion = estimate_camera_motions(a.grey, [b.grey])[0]
        self._known.append((a, b, motion))
        return motion

    def _back(self, a: SceneLayer, b: SceneLayer) -> CameraMotion:
        """From a layer to one before it."""
        there = self._link(b, a)
        if there.matrix is STILL:
            return there
        return CameraMotion(cv2.invertAffineTransform(there.matrix), there.confidence)


def _followed_by(motion: np.ndarray, step: CameraMotion) -> np.ndarray | None:
    """A motion and one step more; None where that cannot be told."""
    if step.confidence == 0:
        return None
    if motion is STILL or step.matrix is STILL:
        return step.matrix if motion is STILL else motion
    return chain_camera_motions(motion, step.matrix)
