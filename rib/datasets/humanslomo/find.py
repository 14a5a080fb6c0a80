"""Clips in a video without a list: where one person is followed between cuts, cut out around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated

import cv2
import numpy as np

from rib.io.settings.ranges import AtMostSetting, NonNegative, Range
from rib.structures.keypoints import PoseSequence
from rib.video import FrameSource


@dataclass(frozen=True)
class ClipCriteria:
    """Criteria of a clip.

    Attributes:
        shortest: Fewer frames are no clip.
        longest: Longer stretches are cut into clips of at most so many frames.
        margin: Space around the person's joints, as a share of the height that they span.
        height_px: Clips are shrunk to this height; smaller ones stay as they are.
        cuts: Settings of `rib.video.cuts.find_scene_cuts`.
    """

    shortest: Annotated[int, Range(3, 10**6), AtMostSetting("longest")]
    longest: Annotated[int, Range(3, 10**6)]
    margin: Annotated[float, Range(0, 10)]
    height_px: Annotated[int, Range(16, 4096)]
    cuts: Mapping[str, NonNegative]


@dataclass(frozen=True)
class FoundClip:
    """A stretch of a video and the part of its pictures that holds the person.

    Attributes:
        first: Number of its first frame.
        count: How many frames.
        crop_xywh: Left, top, width and height of the part, px.
        size_wh: Width and height that it is resized to.
    """

    first: int
    count: int
    crop_xywh: tuple[int, int, int, int]
    size_wh: tuple[int, int]

    def poses(self, poses: PoseSequence) -> PoseSequence:
        """The person of the whole video as seen in this clip; times begin at 0."""
        own = poses[slice(self.first, self.first + self.count)]
        x, y, width, height = self.crop_xywh
        places = (own.keypoints_px - (x, y)) * np.divide(self.size_wh, (width, height))
        return replace(
            own,
            keypoints_px=np.where(own.confidence[..., None] > 0, places, 0.0),
            times_s=own.times_s - own.times_s[0],
            size_px=self.size_wh,
        )

    def part(self, frame: np.ndarray) -> np.ndarray:
        """The part of a frame (H, W, 3), at the clip's size."""
        x, y, width, height = self.crop_xywh
        cropped = frame[y : y + height, x : x + width]
        return np.ascontiguousarray(cv2.resize(cropped, self.size_wh, interpolation=cv2.INTER_AREA))


def find_clips_in_video(poses: PoseSequence, cuts: Sequence[int], finding: ClipCriteria) -> list[FoundClip]:
    """Find runs of frames in which one person is tracked without a missing span, between two cuts.

    Args:
        poses: The person at every frame of the video.
        cuts: Frames that begin a new shot.
        finding: What makes a clip.
    """
    found = []
    for first, stop in _runs(poses.present, cuts):
        pieces = -(-(stop - first) // finding.longest)
        bounds = np.linspace(first, stop, pieces + 1).round().astype(int).tolist()
        for a, b in pairwise(bounds):
            if b - a >= finding.shortest:
                found.append(FoundClip(a, b - a, *_crop(poses[slice(a, b)], finding)))
    return found


def frames_of_found_clips(
    source: FrameSource, clips: Sequence[FoundClip]
) -> Iterator[tuple[FoundClip, list[np.ndarray]]]:
    """Each clip's pictures, in one walk through the video; one clip is in memory at a time."""
    waiting = iter(clips)
    clip, frames = next(waiting, None), []
    for number, frame in enumerate(source):
        if clip is None:
            return
        if number >= clip.first:
            frames.append(clip.part(frame))
        if len(frames) == clip.count:
            yield clip, frames
            clip, frames = next(waiting, None), []


def _runs(present: np.ndarray, cuts: Sequence[int]) -> list[tuple[int, int]]:
    """First frame and the one after the last of every stretch with the person, none across a cut."""
    edges = {0, len(present), *cuts, *(np.flatnonzero(np.diff(present.astype(int))) + 1).tolist()}
    return [(a, b) for a, b in pairwise(sorted(edges)) if present[a]]


def _crop(poses: PoseSequence, finding: ClipCriteria) -> tuple[tuple[int, int, int, int], tuple[int, int]]:
    """The box around all joints of a stretch, inside the picture, and its size once shrunk."""
    joints = poses.keypoints_px[poses.confidence > 0]
    low, high = joints.min(0), joints.max(0)
    space = finding.margin * (high[1] - low[1])
    whole = np.array(poses.size_px)
    left, top = np.clip(np.floor(low - space), 0, whole - 2).astype(int)
    right, bottom = np.clip(np.ceil(high + space), (left + 2, top + 2), whole).astype(int)
    width, height = int(right - left), int(bottom - top)
    factor = min(1.0, finding.height_px / height)
    size = max(2, round(width * factor / 2) * 2), max(2, round(height * factor / 2) * 2)
    return (int(left), int(top), width, height), size
