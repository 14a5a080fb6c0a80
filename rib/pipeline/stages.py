"""The protocols of the chain's stages: what each needs from those before it and what it gives.

A stage is any object with the methods of its protocol; a renderer's is `rib.render.protocol.Renderer`.
A class may state `needs` and `gives`, sets of the words in `WORDS`; the wiring is checked on the classes,
before any of them loads its weights.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from rib.io.recipe import locate_recipe_target
from rib.pose.detectors.regions import BodyLandmarks
from rib.pose.walks import PoseCloseUp
from rib.structures.box import Box
from rib.structures.interval import Background, Interval
from rib.structures.keypoints import PoseSequence, PoseTracks
from rib.video import FrameSource

ORDER = ("pose", "motion", "mask", "background", "render")
WORDS = {
    "keyframe_poses": "poses of the keyframes",
    "poses": "poses in between",
    "masks": "a person matte a keyframe",
    "flow": "optical flow to both keyframes",
    "plate": "the scene without the people",
    "holdouts": "held-out keyframes to be judged by",
}
GIVES = {"pose": {"keyframe_poses"}, "motion": {"poses"}, "mask": {"masks", "plate", "holdouts"}}
"""What every stage of a kind gives; a class may give more."""


class PoseStage(Protocol):
    """Finds people in the keyframes.

    Attributes:
        keep: Whether the result is worth keeping between runs; poses read from files are on disk already.
    """

    keep: bool

    def __call__(self, source: FrameSource, cuts: Sequence[int]) -> PoseSequence | PoseTracks:
        """See the class."""
        ...


class MotionStage(Protocol):
    """Works out the poses at other times; `cuts` are keyframes that begin a new shot.

    Of a long clip it is given some shots at a time, since nothing goes across a cut.
    """

    def __call__(self, poses: PoseSequence, times_s: np.ndarray, cuts: Sequence[int] = ()) -> PoseSequence:
        """See the class."""
        ...


class MaskStage(Protocol):
    """One (H, W) float matte in 0..1 for each keyframe, in order."""

    def __call__(self, source: FrameSource, poses: PoseSequence) -> Iterator[np.ndarray]:
        """See the class."""
        ...


class PoseStagePass(Protocol):
    """A pose stage at work on a clip that others walk through (`rib.pose.walks.PoseEstimationPasses`)."""

    def find(self, picture: np.ndarray, begins_shot: bool) -> None:
        """Called with every frame of the first walk."""
        ...

    def look(self, picture: np.ndarray) -> list[PoseCloseUp]:
        """Called with every frame of the second walk; gives everybody at that moment."""
        ...

    @property
    def rois(self) -> dict[int, np.ndarray]:
        """By track id (K, 4), where the second walk looks."""
        ...

    def tracks(self) -> PoseTracks:
        """The result, after both."""
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


@runtime_checkable
class SharedPassPoseStage(PoseStage, Protocol):
    """A pose stage that can share its walks with other stages."""

    def begin(self, source: FrameSource, everybody: bool = False) -> PoseStagePass:
        """Begin a clip, following everybody or the most prominent person alone; its frames are not read."""
        ...

    def look_again(self, source: FrameSource, rois: Mapping[int, np.ndarray]) -> PoseStagePass:
        """Begin the second walk alone, where an earlier one looked."""
        ...


class MaskStagePass(Protocol):
    """A mask stage at work on a clip whose frames somebody else walks through (`rib.pose.mask.MattePass`)."""

    def __call__(
        self, picture: np.ndarray, pose: PoseSequence, seen: Sequence[BodyLandmarks] | None = None
    ) -> np.ndarray:
        """The matte (H, W) float in 0..1 of a person at one moment; which side is left does not matter.

        `seen` is what the pose stage saw of them on its second walk, if anything.
        """
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


@runtime_checkable
class SharedPassMaskStage(MaskStage, Protocol):
    """A mask stage that can share its walk with other stages."""

    def begin(self) -> MaskStagePass:
        """Begin a clip."""
        ...


class BackgroundStage(Protocol):
    """Pictures at the wanted times of an interval (`rib.background.interpolator.FrameInterpolator`)."""

    def prepare(self, num_frames: int, size_px: tuple[int, int], num_held: int = 0) -> None:
        """Called once before the first interval."""
        ...

    def __call__(self, interval: Interval) -> Background:
        """See the class."""
        ...


class PlateStage(Protocol):
    """The scene without some of the people, (N, 3, h, w) at the wanted times of an interval."""

    def __call__(
        self,
        interval: Interval,
        without: Collection[int],
        unseen: Tensor | None = None,
        part: Box | None = None,
    ) -> Tensor:
        """See `rib.background.plate.PersonFreePlate`."""
        ...


@dataclass(frozen=True)
class StageWiring:
    """Words that the chain has to provide for the renderer, after the check that it can.

    Attributes:
        wanted: What the renderer needs, and what that needs in turn; nothing where it cannot work.
        pose_from_motion: The motion stage brings the keyframes' poses with it (`motion=files`).
        idle: Why the renderer cannot work with these stages, or "": the interpolator then stands alone.
        draws: Whether the renderer ever draws anybody; that of `render=none` says `draws = False`.
    """

    wanted: frozenset[str]
    pose_from_motion: bool
    idle: str
    draws: bool


def mattes_share_pose_looks(pose: object, mask: object, wiring: StageWiring) -> bool:
    """Whether mattes are made of what the pose stage sees on its second walk.

    Args:
        pose: The stage, or its class.
        mask: The stage, or its class.
        wiring: Of the chain.
    """
    walks = hasattr(pose, "look_again") and hasattr(mask, "begin")
    return walks and not wiring.pose_from_motion and "masks" in wiring.wanted


def check_stage_wiring(recipes: Mapping[str, Mapping[str, Any]]) -> StageWiring:
    """Hold the renderer's needs against what the other stages give.

    Args:
        recipes: A recipe for each stage in `ORDER`.

    Raises:
        RibError: A recipe names no class of an allowed package.
    """
    classes = {stage: locate_recipe_target(recipes[stage]["_target_"]) for stage in ORDER}
    given: set[str] = set()
    for stage in ORDER:
        given |= GIVES.get(stage, set()) | set(getattr(classes[stage], "gives", ()))
    wanted = set(getattr(classes["render"], "needs", ()))
    lacking = sorted(wanted - given)
    idle = ""
    if lacking:
        wanted = set()
        idle = (
            f"{classes['render'].__name__} needs {', '.join(WORDS[word] for word in lacking)}, "
            f"which {classes['background'].__name__} does not give: no person is rendered"
        )
    if wanted & {"plate", "holdouts"}:
        wanted.add("masks")
    pose_from_motion = "keyframe_poses" in getattr(classes["motion"], "gives", ())
    draws = getattr(classes["render"], "draws", True)
    return StageWiring(frozenset(wanted), pose_from_motion, idle, draws)
