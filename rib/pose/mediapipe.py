"""`pose=mediapipe`: body, feet and hands of people at every keyframe, by networks inside a package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Annotated, Any

import numpy as np

from rib.io.processes.memory import trim_memory_between_frames
from rib.io.recipe import build_recipe
from rib.io.settings.ranges import NonNegative, OneOf, Positive, Range, Seconds, Share, TorchDevice
from rib.pose.detectors.networks import RUNTIMES, PoseRuntime
from rib.pose.walks import PoseEstimationPasses, PoseEstimationSettings
from rib.structures.keypoints import PoseSequence, PoseTracks
from rib.video import FrameSource


class MediapipePose:
    """Walk over the clip twice: find everybody and link them to tracks, then look at each closely.

    The second walk uses the square that fits the person in that very frame, sees them twice (as they are and
    mirrored), finds the hands, and looks again where the first walk lost them for a moment.

    Args:
        tracker: Recipe of the tracker (`rib.pose.tracking.tracker.Tracker`).
        min_visibility: Mean visibility (0..1) of shoulders and hips below which a find is not believed.
        max_people: At most so many people are followed at a time, the largest.
        tile_px: Side in pixels of the smallest tile on which small people are searched.
        search_every_s: Seconds between two searches for small people while somebody is found.
        max_missing_s: Longest time in seconds without a detection over which the person is looked for.
        window_px: A person is shrunk to at most this many pixels before the networks see them.
        apart: Distance (trunk lengths) at which the two looks at a joint count as contradicting each other.
        swap_cost: Price (trunk lengths) of taking left for right at one keyframe
            (`rib.pose.tracking.left_right.fix_left_right_swaps`).
        runtime: What runs the networks: the package itself (`mediapipe`), or torch modules with its weights.
        device: Where the torch modules run: `cpu`, `cuda`.
    """

    keep = True

    def __init__(
        self,
        tracker: Mapping[str, Any],
        min_visibility: Share,
        max_people: Annotated[int, Range(1, 100)],
        tile_px: Annotated[int, Range(32, 100000)],
        search_every_s: Positive,
        max_missing_s: Seconds,
        window_px: Annotated[int, Range(16, 4096)],
        apart: NonNegative,
        swap_cost: NonNegative,
        runtime: Annotated[str, OneOf(*RUNTIMES)] = "mediapipe",
        device: Annotated[str, TorchDevice()] = "cpu",
    ) -> None:
        self._tracker = build_recipe(tracker)
        self._settings = PoseEstimationSettings(
            min_visibility,
            max_people,
            tile_px,
            search_every_s,
            max_missing_s,
            window_px,
            apart,
            swap_cost,
            PoseRuntime(runtime, device),
        )

    def __call__(self, source: FrameSource, cuts: Sequence[int] = ()) -> PoseSequence:
        """Find the most prominent person at each of the K keyframes.

        Args:
            source: The clip; it is decoded twice, and one frame is held at a time.
            cuts: Keyframes that begin a new shot.

        Returns:
            K moments in the joint set `body25_hands`, with depth order; confidence 0 where nobody was found.

        Raises:
            RibError: The mediapipe package is missing or not the pinned one.
        """
        found = self._walk_twice(source, cuts, everybody=False)
        return found.person(found.track_ids[0])

    def tracks(self, source: FrameSource, cuts: Sequence[int] = ()) -> PoseTracks:
        """Find everybody at each of the K keyframes; arguments as of a call.

        Returns:
            P people in the joint set `body25_hands`, the most prominent first, with ids from 1.
        """
        return self._walk_twice(source, cuts, everybody=True)

    def begin(self, source: FrameSource, everybody: bool = False) -> PoseEstimationPasses:
        """For those who walk over a clip themselves: to be shown every frame twice, and closed.

        Args:
            source: The clip; its frames are not read.
            everybody: Whether all people are looked at closely, or only the most prominent.
        """
        return PoseEstimationPasses(self._tracker, self._settings, source, everybody)

    def look_again(self, source: FrameSource, rois: Mapping[int, np.ndarray]) -> PoseEstimationPasses:
        """The second walk alone, for those who have the poses and need what it saw: to be shown every frame.

        Args:
            source: The clip; its frames are not read.
            rois: See `PoseEstimationPasses.rois`.
        """
        return PoseEstimationPasses(self._tracker, self._settings, source, everybody=True, rois=rois)

    def _walk_twice(self, source: FrameSource, cuts: Sequence[int], everybody: bool) -> PoseTracks:
        shots = set(cuts)
        with closing(self.begin(source, everybody)) as walks:
            for index, picture in enumerate(trim_memory_between_frames(source)):
                walks.find(picture, index in shots)
            for picture in trim_memory_between_frames(source):
                walks.look(picture)
            return walks.tracks()
