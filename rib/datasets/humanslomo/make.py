"""From frames to what is stored of a clip: poses, mattes, and what an interpolator makes of each interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from rib.clips.write import StoredClip
from rib.io.errors import RibError
from rib.io.images import to_pictures, to_tensor, to_uint8
from rib.io.recipe import build_recipe
from rib.structures.interval import Interval, Keyframe
from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import convert_pose
from rib.video import ArraySource, FrameSource


@dataclass(frozen=True)
class HumanSlomoStages:
    """Finds the person and fills the intervals; built once in each process.

    Attributes:
        pose: A stage that finds one person's poses (`rib.pose`).
        mask: A stage that cuts the person out.
        background: An interpolator (`rib.background`).
    """

    pose: Any
    mask: Any
    background: Any

    @classmethod
    def from_recipes(cls, recipes: Mapping[str, Mapping[str, Any]]) -> HumanSlomoStages:
        """From a recipe for each."""
        return cls(*(build_recipe(recipes[name]) for name in ("pose", "mask", "background")))


@dataclass(frozen=True)
class HumanSlomoClip:
    """A clip with the person found.

    Attributes:
        name: The clip's.
        frames: N pictures (H, W, 3) uint8 RGB.
        poses: N moments.
        masks: N mattes (H, W) uint8.
    """

    name: str
    frames: Sequence[np.ndarray]
    poses: PoseSequence
    masks: Sequence[np.ndarray]

    @property
    def fps(self) -> float:
        """Frames a second, from the times."""
        return 1 / float(np.diff(self.poses.times_s).mean())


def find_person_in_humanslomo_clip(
    name: str, source: FrameSource, stages: HumanSlomoStages, poses: PoseSequence | None = None
) -> HumanSlomoClip:
    """Find the person in a clip's frames, and cut them out.

    Args:
        name: The clip's name.
        source: Its frames; they are kept in memory.
        stages: What finds them.
        poses: Where they are, if that is known.

    Raises:
        RibError: Nobody is found in it.
    """
    frames = list(source)
    kept = ArraySource(frames, times_s=source.times_s, name=name)
    if poses is None:
        poses = stages.pose(kept, ())
    if not poses.present.any():
        raise RibError("nobody is found in it")
    masks = [to_uint8(matte) for matte in stages.mask(kept, poses)]
    return HumanSlomoClip(name, frames, poses, masks)


def humanslomo_training_clips(
    clip: HumanSlomoClip, stages: HumanSlomoStages, strides: Sequence[int], shortest: int
) -> Iterator[StoredClip]:
    """The clip for training: at its own rate and every n-th frame of it, from each first frame.

    Clips of every n-th frame are called `<name>_s<n>_o<first frame>`; those of fewer than `shortest` frames
    are left out.
    """
    for stride in strides:
        for first in range(stride):
            index = list(range(first, len(clip.frames), stride))
            if len(index) < shortest:
                continue
            name = clip.name if stride == 1 else f"{clip.name}_s{stride}_o{first}"
            frames = [clip.frames[i] for i in index]
            yield StoredClip(
                name,
                "train",
                frames,
                humanslomo_poses(clip.poses)[index],
                [clip.masks[i] for i in index],
                [
                    humanslomo_middle_picture(a, b, stages.background)
                    for a, b in zip(frames, frames[2:], strict=False)
                ],
                clip.fps / stride,
            )


def humanslomo_test_clip(clip: HumanSlomoClip, stages: HumanSlomoStages, given: Sequence[int]) -> StoredClip:
    """The clip for tests: every frame is truth, and what lies between those given is interpolated.

    Args:
        clip: All of its frames.
        stages: Whose interpolator fills the intervals.
        given: Numbers of the frames that a test gives, increasing from 0 to the last one.

    Raises:
        RibError: They do not begin with the first frame and end with the last one.
    """
    if len(given) < 2 or given[0] != 0 or given[-1] != len(clip.frames) - 1:
        raise RibError("the frames given to a test do not begin and end with the clip's own")
    backgrounds = list(clip.frames)
    times_s = clip.poses.times_s
    for a, b in pairwise(given):
        if b - a > 1:
            between = slice(a + 1, b)
            backgrounds[between] = humanslomo_pictures_between(
                clip.frames[a], clip.frames[b], times_s[[a, b]], times_s[between], stages.background
            )
    return StoredClip(
        clip.name, "gt", clip.frames, humanslomo_poses(clip.poses), clip.masks, backgrounds, clip.fps,
        given,
    )  # fmt: skip


def humanslomo_poses(poses: PoseSequence) -> np.ndarray:
    """(N, 19, 3) float64, px and confidence."""
    body = convert_pose(poses, "body19")
    return np.concatenate([body.keypoints_px, body.confidence[..., None]], axis=2)


def humanslomo_middle_picture(a: np.ndarray, b: np.ndarray, background: Any) -> np.ndarray:
    """The picture half-way between two, (H, W, 3) uint8."""
    return humanslomo_pictures_between(a, b, np.array([0.0, 1.0]), np.array([0.5]), background)[0]


def humanslomo_pictures_between(
    a: np.ndarray, b: np.ndarray, ends_s: np.ndarray, times_s: np.ndarray, background: Any
) -> list[np.ndarray]:
    """The pictures at some times between two, (H, W, 3) uint8 each."""
    keys = [
        Keyframe(i, float(t), to_tensor(picture))
        for i, (t, picture) in enumerate(zip(ends_s, (a, b), strict=True))
    ]
    with torch.inference_mode():
        made = background(Interval(keys[0], keys[1], times_s)).interpolated
    return list(to_pictures(made))
