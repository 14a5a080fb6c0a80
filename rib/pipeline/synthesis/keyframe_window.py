"""One walk over a clip's keyframes, with those around the one in view."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from rib.io.images import to_float, to_tensor
from rib.pipeline.analysis.record import ClipAnalysis
from rib.pose.detectors.appearance import describe_appearance
from rib.render.skinning.bones import skinning_torso_length_px
from rib.structures.interval import Keyframe
from rib.structures.keypoints import PoseSequence
from rib.structures.person import PersonView
from rib.structures.skeleton import convert_pose


@dataclass(frozen=True)
class DecodedKeyframe:
    """A keyframe as it was decoded.

    Attributes:
        frame: (H, W, 3) RGB or (H, W, 4) straight RGBA, uint8 or uint16.
        keyframe: Its record.
    """

    frame: np.ndarray
    keyframe: Keyframe

    @property
    def index(self) -> int:
        """Its number in the input."""
        return self.keyframe.index


@dataclass(frozen=True)
class KeyframeWindow:
    """Makes records of decoded frames and keeps those near by; memory does not grow with the clip.

    Attributes:
        analysis: What is known of the clip.
        device: Where the pictures lie.
        size_px: Width and height that the keyframes are resized to, people included; None leaves them alone.
        appearance: Whether to describe what people look like, for who asks whether two views are one person.
    """

    analysis: ClipAnalysis
    device: str
    size_px: tuple[int, int] | None = None
    appearance: bool = False

    def intervals(
        self, frames: Iterable[np.ndarray], neighbours: int, wanted: Collection[int] | None = None
    ) -> Iterator[tuple[DecodedKeyframe, DecodedKeyframe, tuple[Keyframe, ...]]]:
        """Every wanted interval's two keyframes and others around them, in order.

        Args:
            frames: All K keyframes, decoded in order.
            neighbours: How many others, half of them (rounded down) after the interval.
            wanted: Intervals, called by the keyframe before each; None for all.
        """
        last, after = len(self.analysis.keyframe_times_s) - 1, neighbours // 2
        intervals = sorted(range(last) if wanted is None else wanted)
        spans = [range(max(0, g - neighbours + after), min(last, g + 1 + after) + 1) for g in intervals]
        for interval, near in zip(intervals, self.spans(frames, spans), strict=True):
            others = tuple(one.keyframe for one in near if one.index not in (interval, interval + 1))
            a, b = (one for one in near if one.index in (interval, interval + 1))
            yield a, b, others

    def spans(
        self, frames: Iterable[np.ndarray], spans: Sequence[range]
    ) -> Iterator[tuple[DecodedKeyframe, ...]]:
        """The keyframes of each span; the walk ends with the last one.

        Args:
            frames: The keyframes, decoded in order.
            spans: Runs of their numbers, none empty; neither starts nor ends go back.
        """
        walk = KeyframeSpanCollector(self, spans)
        if walk.done:
            return
        for frame in frames:
            yield from walk.push(frame)
            if walk.done:
                return

    def decoded(self, frame: np.ndarray, index: int) -> DecodedKeyframe:
        """A decoded frame, RGB or straight RGBA of 8 or 16 bits, with its record."""
        if self.size_px is not None:
            frame = cv2.resize(frame, self.size_px, interpolation=cv2.INTER_AREA)
        return DecodedKeyframe(frame, self._record(frame, index))

    def _record(self, frame: np.ndarray, index: int) -> Keyframe:
        tracks = self.analysis.keyframe_tracks
        people = tuple(self._view(track_id, index, frame) for track_id in tracks.track_ids)
        time_s = float(self.analysis.keyframe_times_s[index])
        if frame.dtype == np.uint8 and frame.shape[2] == 3:
            pixels = torch.from_numpy(np.ascontiguousarray(frame)).to(self.device).permute(2, 0, 1)
            return Keyframe(index, time_s, pixels, people)
        pixels, alpha = to_tensor(frame, self.device), None
        if len(pixels) == 4:
            alpha = pixels[3:]
            pixels = pixels[:3] * alpha
        return Keyframe(index, time_s, pixels, people, alpha, int(np.iinfo(frame.dtype).max))

    def _view(self, track_id: int, index: int, frame: np.ndarray) -> PersonView:
        pose = self.analysis.keyframe_tracks.person(track_id)[index]
        matte = self.analysis.matte(track_id, index)
        if matte is None:
            return PersonView.of(pose, None, track_id)
        if self.size_px is not None:
            pose = pose.resized(self.size_px)
            matte = cv2.resize(to_float(matte), self.size_px, interpolation=cv2.INTER_AREA)
        mask = torch.from_numpy(matte)[None].to(self.device)
        return PersonView.of(pose, mask, track_id, _appearance(pose, frame) if self.appearance else None)


class KeyframeSpanCollector:
    """Gives spans of keyframes as they become complete, to those who are shown every frame.

    Args:
        window: Makes the records.
        spans: Runs of keyframes' numbers, none empty; neither starts nor ends go back.
    """

    def __init__(self, window: KeyframeWindow, spans: Sequence[range]) -> None:
        self._make, self._waiting = window, deque(spans)
        self._near = deque[DecodedKeyframe]()
        self._next = 0

    @property
    def done(self) -> bool:
        """Whether every span was given."""
        return not self._waiting

    def push(self, frame: np.ndarray) -> Iterator[tuple[DecodedKeyframe, ...]]:
        """Take the next frame (H, W, 3) uint8; give each span that it completes."""
        index, waiting, near = self._next, self._waiting, self._near
        self._next += 1
        if waiting and index >= waiting[0].start:
            near.append(self._make.decoded(frame, index))
        while waiting and index == waiting[0].stop - 1:
            yield tuple(one for one in near if one.index in waiting[0])
            waiting.popleft()
            while near and (not waiting or near[0].index < waiting[0].start):
                near.popleft()


def _appearance(pose: PoseSequence, frame: np.ndarray) -> np.ndarray | None:
    """What a person looks like in a keyframe."""
    body = convert_pose(pose, "body25_hands")
    return describe_appearance(
        frame, body.keypoints_px[0], body.confidence[0], skinning_torso_length_px(pose)
    )
