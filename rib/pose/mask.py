"""`mask=mediapipe`: a matte of each person a keyframe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Annotated

import numpy as np

from rib.io.processes.memory import trim_memory_between_frames
from rib.io.settings.ranges import OneOf, Range, TorchDevice
from rib.pose.detectors.flip_augmentation import landmarks_of_flipped_picture
from rib.pose.detectors.networks import RUNTIMES, BodyNetwork, PoseRuntime
from rib.pose.detectors.regions import BlazePoseRoi, BodyLandmarks
from rib.pose.matting import guided_filter, keep_matte_touching_joints, steepen_matte
from rib.structures.keypoints import PoseSequence, PoseTracks
from rib.structures.skeleton import convert_joints
from rib.video import FrameSource

_NETWORK_PX = 256
_ISLAND_LEVEL = 0.2
_EDGE = (0.02, 0.98)
"""Between these values of the network's mask the guided filter has its say."""


class MediapipeMask:
    """Segment the person on the square that their pose spans, twice (once mirrored), and sharpen the edge.

    Works with poses from anywhere: only the body's joints are used. Where the pose stage looked at the person
    with the same network, its masks are taken and nobody looks again.

    Args:
        window_px: A person is shrunk to at most this many pixels before the network sees them.
        zoom: Side of the square the network sees, in sides of the square it was trained on.
        centre: Value (0..1) of the network's mask that becomes 1/2; lower gives a larger person.
        gain: Steepness of the matte's edge; 1 leaves the network's.
        guide_radius: Windows of the guided filter reach this many of the network's pixels; 0 leaves it out.
        guide_epsilon: Ridge of the guided filter, squared colour units of 0..1; larger is smoother.
        runtime: What runs the network: the package itself (`mediapipe`), or a torch module with its weights.
        device: Where the torch module runs: `cpu`, `cuda`.
    """

    def __init__(
        self,
        window_px: Annotated[int, Range(16, 4096)],
        zoom: Annotated[float, Range(above=0, most=100)],
        centre: Annotated[float, Range(above=0, below=1)],
        gain: Annotated[float, Range(above=0, most=1000)],
        guide_radius: Annotated[float, Range(0, 256)],
        guide_epsilon: Annotated[float, Range(above=0, most=1e6)],
        runtime: Annotated[str, OneOf(*RUNTIMES)] = "mediapipe",
        device: Annotated[str, TorchDevice()] = "cpu",
    ) -> None:
        self._window_px, self._zoom = window_px, zoom
        self._centre, self._gain = centre, gain
        self._guide_radius, self._guide_epsilon = guide_radius, guide_epsilon
        self._runtime = PoseRuntime(runtime, device)

    def __call__(self, source: FrameSource, poses: PoseSequence) -> Iterator[np.ndarray]:
        """Walk over the clip.

        Args:
            source: K keyframes.
            poses: The person at those keyframes.

        Yields:
            K mattes (H, W) float32 in 0..1; 0 throughout where the person is missing.

        Raises:
            RibError: The mediapipe package is missing or not the pinned one.
        """
        with closing(self.begin()) as look:
            for index, picture in enumerate(trim_memory_between_frames(source)):
                yield look(picture, poses[index])

    def everybody(self, source: FrameSource, tracks: PoseTracks) -> Iterator[np.ndarray]:
        """Walk over the clip once for all people.

        Args:
            source: K keyframes.
            tracks: P people at those keyframes.

        Yields:
            K times (P, H, W) float32 in 0..1, each person's matte as a call gives it for that person alone;
            where people hide each other, mattes may overlap.

        Raises:
            RibError: The mediapipe package is missing or not the pinned one.
        """
        people = [tracks.person(track_id) for track_id in tracks.track_ids]
        with closing(self.begin()) as look:
            for index, picture in enumerate(trim_memory_between_frames(source)):
                mattes = [look(picture, person[index]) for person in people]
                yield np.stack(mattes) if mattes else np.zeros((0, *picture.shape[:2]), np.float32)

    def begin(self) -> MattePass:
        """For those who walk over a clip themselves: to be called with each picture, and closed."""
        return MattePass(self)

    def landmarker(self) -> BodyNetwork:
        """The network that looks at people whom nobody saw before."""
        return self._runtime.body_network(hands=False, mask=True, window_px=self._window_px)

    def matte(
        self,
        picture: np.ndarray,
        pose: PoseSequence,
        landmarker: Callable[[], BodyNetwork],
        seen: Sequence[BodyLandmarks] | None = None,
    ) -> np.ndarray:
        """Cut out one person.

        Args:
            picture: (H, W, 3) uint8 RGB.
            pose: Of length 1.
            landmarker: Gives the network where it has to look.
            seen: What it saw of them already, with its masks, or None where nobody looked.

        Returns:
            (H, W) float32 in 0..1.
        """
        matte = np.zeros(picture.shape[:2], np.float32)
        joints, confidence = convert_joints(pose.keypoints_px, pose.confidence, pose.joint_set, "body25")
        joints, found = joints[0], confidence[0] > 0
        roi = matte_roi_of_body(joints, found)
        if roi is None:
            return matte
        looks = self._look_twice(picture, roi, landmarker()) if seen is None else seen
        if not looks:
            return matte
        coarse = _mean_in_picture(looks, picture.shape[:2])
        window = _bounds(coarse > _EDGE[0], margin_px=round(roi.side_px / 32))
        origin = (window[1].start or 0, window[0].start or 0)
        sharp = self._sharpen(picture[window], coarse[window], roi.side_px)
        matte[window] = keep_matte_touching_joints(sharp, joints[found] - origin, _ISLAND_LEVEL)
        return matte

    def _look_twice(
        self, picture: np.ndarray, roi: BlazePoseRoi, landmarker: BodyNetwork
    ) -> list[BodyLandmarks]:
        """As it is on the pose's square, then mirrored on the square that the first look asks for."""
        first = landmarker(picture, replace(roi, side_px=roi.side_px * self._zoom))
        if first is not None:
            roi = first.roi
        second = landmarks_of_flipped_picture(
            landmarker, picture, replace(roi, side_px=roi.side_px * self._zoom)
        )
        return [look for look in (first, second) if look is not None]

    def _sharpen(self, picture: np.ndarray, coarse: np.ndarray, side_px: float) -> np.ndarray:
        """The matte at the picture's resolution; the guided filter has its say near the edge only."""
        matte = steepen_matte(coarse, self._centre, self._gain)
        radius_px = round(self._guide_radius * side_px * self._zoom / _NETWORK_PX)
        if radius_px < 1:
            return matte
        guided = steepen_matte(guided_filter(picture, matte, radius_px, self._guide_epsilon), 0.5, self._gain)
        return np.where((coarse > _EDGE[0]) & (coarse < _EDGE[1]), guided, matte)


class MattePass:
    """Makes one matte after the other; the network is there from the first person on whom nobody saw.

    Args:
        stage: Its settings.
    """

    def __init__(self, stage: MediapipeMask) -> None:
        self._stage, self._network = stage, list[BodyNetwork]()

    def __call__(
        self, picture: np.ndarray, pose: PoseSequence, seen: Sequence[BodyLandmarks] | None = None
    ) -> np.ndarray:
        """See `MediapipeMask.matte`."""
        return self._stage.matte(picture, pose, self._landmarker, seen)

    def close(self) -> None:
        """Free the network."""
        while self._network:
            self._network.pop().close()

    def _landmarker(self) -> BodyNetwork:
        if not self._network:
            self._network.append(self._stage.landmarker())
        return self._network[0]


def matte_roi_of_body(joints_px: np.ndarray, found: np.ndarray) -> BlazePoseRoi | None:
    """The square that BlazePose would choose for a skeleton; None where there is too little of it.

    The circle around the body has its centre between the hips, reaches the farthest joint, and is never
    smaller than 1.7 trunk lengths, the ratio of people seen whole.

    Args:
        joints_px: (25, 2) in the joint set body25.
        found: (25,) bool.
    """
    neck, mid_hip = 1, 8
    if found.sum() < 3:
        return None
    if not (found[neck] and found[mid_hip]):
        low, high = joints_px[found].min(axis=0), joints_px[found].max(axis=0)
        centre = (low + high) / 2
        return BlazePoseRoi.around(centre, centre - (0, max((high - low).max() / 2, 1.0)))
    centre, up = joints_px[mid_hip], joints_px[neck] - joints_px[mid_hip]
    trunk_px = max(float(np.linalg.norm(up)), 1.0)
    reach_px = max(1.7 * trunk_px, float(np.linalg.norm(joints_px[found] - centre, axis=1).max()))
    return BlazePoseRoi.around(centre, centre + up / trunk_px * reach_px)


def _bounds(inside: np.ndarray, margin_px: int) -> tuple[slice, slice]:
    """Rows and columns that hold all that is True, and a margin; the whole where nothing is."""
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    if len(rows) == 0:
        return slice(None), slice(None)
    top, left = max(rows[0] - margin_px, 0), max(columns[0] - margin_px, 0)
    return slice(int(top), int(rows[-1] + margin_px + 1)), slice(int(left), int(columns[-1] + margin_px + 1))


def _mean_in_picture(looks: Sequence[BodyLandmarks], shape: tuple[int, ...]) -> np.ndarray:
    """The mean of one look's mask or of two on the whole picture; each is 0 beyond its window."""
    import cv2

    whole = np.zeros(shape, np.float32)
    for look in looks:
        assert look.mask is not None
        rows, columns = look.window
        size = columns.stop - columns.start, rows.stop - rows.start
        mask = np.ascontiguousarray(look.mask, np.float32)
        whole[look.window] += cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR)
    if len(looks) == 2:
        whole *= np.float32(0.5)
    return whole
