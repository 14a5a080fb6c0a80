"""The scene without the person, between two keyframes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import reduce
from typing import NamedTuple

import cv2
import numpy as np
import torch

from rib.background.scene_layers import SceneLayer, complete_scene, layers_seen_by_camera
from rib.background.scene_motion import CameraMotionLinks
from rib.background.scene_trust import SceneTrust
from rib.io.settings.ranges import Share
from rib.structures.box import Box
from rib.structures.interval import Interval, Keyframe
from rib.video.camera import (
    STILL,
    carry_points,
    chain_camera_motions,
    fraction_of_camera_motion,
)

UNSEEN = 1e-3
"""What is inpainted or beyond the border counts so little beside what is seen."""


class PersonFreePlate:
    """Paints over the person with what other keyframes show there; the camera may shift, turn and zoom.

    Args:
        mask_threshold: Mask above which a pixel is the person, 0..1.
        dilation_share: How far around the mask a pixel is not trusted, as a share of the picture's height.
        seam_share: Width of the soft seam outside it, as a share of the picture's height.
    """

    def __init__(self, mask_threshold: Share, dilation_share: Share, seam_share: Share) -> None:
        self.mask_threshold = mask_threshold
        self.dilation_share = dilation_share
        self.seam_share = seam_share
        self._last: tuple[Keyframe, Keyframe, frozenset[int], Box, _CompletedPair] | None = None
        self._seen: list[tuple[Keyframe, frozenset[int], SceneLayer]] = []
        self._links = CameraMotionLinks()

    def __call__(
        self,
        interval: Interval,
        without: Collection[int],
        unseen: torch.Tensor | None = None,
        part: Box | None = None,
    ) -> torch.Tensor:
        """The plate at every time of the interval, or a part of it.

        Each keyframe is completed once: by the other one of the interval, then by the neighbours, nearest
        in time first, then by inpainting (Telea 2004); all are brought into its frame by the camera's motion.
        In time the two pictures follow the camera and are cross-faded, so person-free pixels of both
        follow changes of light, and those of one keyframe stay as they are.

        Args:
            interval: Its keyframes and neighbours show the people with mattes.
            without: Track ids of the people to leave out; the others belong to the scene.
            unseen: (N, 4, h, w) in 0..1, a picture for places where no keyframe shows the scene, and how far
                it is to be believed there; the rest, or all without it, is inpainted.
            part: Rows and columns that are asked for; None for the whole picture.

        Returns:
            (N, 3, h, w) in 0..1 on the device of the keyframes' pictures.
        """
        part = part or Box(0, 0, *interval.a.size_px[::-1])
        completed = self._completed(interval, frozenset(without), part)
        fractions, motion = interval.fractions, completed.motion
        if motion is STILL:
            plate_a, plate_b = completed.a.planes, completed.b.planes
        else:
            times = interval.shares.tolist()
            plate_a = _carried(completed.a, part, [fraction_of_camera_motion(motion, t) for t in times])
            back = cv2.invertAffineTransform(motion)
            plate_b = _carried(
                completed.b,
                part,
                [chain_camera_motions(back, fraction_of_camera_motion(motion, t)) for t in times],
            )
        share = fractions[:, None, None, None]
        if motion is not STILL:
            share = _share_of_seen(plate_a[:, 3:], plate_b[:, 3:], share)
        plate = torch.lerp(plate_a, plate_b, share).clamp(0, 1)
        if unseen is None:
            return plate[:, :3]
        return torch.lerp(plate[:, :3], unseen[:, :3], (1 - plate[:, 3:]) * unseen[:, 3:])

    def _completed(self, interval: Interval, without: frozenset[int], part: Box) -> _CompletedPair:
        """Both keyframes without the people; they are kept, as a long interval is asked for in pieces."""
        a, b = interval.a, interval.b
        last = self._last
        if last is None or last[0] is not a or last[1] is not b or last[2:4] != (without, part):
            self._last = last = None  # large pictures, and nobody asks for them again
            last = a, b, without, part, self._complete_both(a, b, interval.neighbours, without, part)
            self._last = last
        return last[4]

    def _complete_both(
        self, a: Keyframe, b: Keyframe, neighbours: tuple[Keyframe, ...], without: frozenset[int], part: Box
    ) -> _CompletedPair:
        middle = (a.time_s + b.time_s) / 2
        others = sorted(neighbours, key=lambda keyframe: abs(keyframe.time_s - middle))
        layers = self._layers((a, b, *others), without)
        from_a = self._links.from_first(layers, [keyframe.time_s for keyframe in (a, b, *others)])
        motion, rest = from_a[1], [*layers[2:], *layers[:2]]
        boxes = _boxes_that_reach(part, motion, a.size_px)
        both = []
        for number, box in enumerate(boxes):
            if all(one is STILL for one in from_a):
                front = layers[:2] if number == 0 else layers[1::-1]
            else:
                front, rest = layers_seen_by_camera(layers, from_a, number)
            completed = complete_scene(front, rest, box.slices).transpose(2, 0, 1)
            both.append(_KeyframePart(box, torch.from_numpy(completed).to(a.device)[None]))
        return _CompletedPair(both[0], both[1], motion)

    def _layers(self, keyframes: Sequence[Keyframe], without: frozenset[int]) -> list[SceneLayer]:
        """The keyframes as layers; those of the last interval are there already."""
        known = {id(keyframe): layer for keyframe, people, layer in self._seen if people == without}
        layers = [
            known.get(id(keyframe)) or SceneLayer.of(_pixels(keyframe), self._free(keyframe, without))
            for keyframe in keyframes
        ]
        self._seen = [(keyframe, without, layer) for keyframe, layer in zip(keyframes, layers, strict=True)]
        return layers

    def _free(self, keyframe: Keyframe, without: frozenset[int]) -> SceneTrust:
        """Trust in a pixel to show the scene: 0 near the people, rising to 1 across the seam."""
        width, height = keyframe.size_px
        views = [view for view in keyframe.people if view.track_id in without and view.matte is not None]
        boxes = [view.box for view in views if view.box.height]
        if not boxes:
            return SceneTrust((height, width))
        dilation_px, seam_px = self.dilation_share * height, max(self.seam_share * height, 1)
        place = reduce(Box.union, boxes).grown(int(dilation_px + seam_px) + 2, keyframe.size_px)
        outside = np.ones((place.height, place.width), np.uint8)
        for view in views:
            assert view.matte is not None
            inside = outside[view.box.within(place).slices]
            inside &= (view.matte[0].cpu().numpy() <= self.mask_threshold).astype(np.uint8)
        if outside.all():
            return SceneTrust((height, width))
        distance = cv2.distanceTransform(outside, cv2.DIST_L2, 3)
        trust = np.clip((distance - dilation_px) / seam_px, 0, 1)[..., None].astype(np.float32)
        return SceneTrust((height, width), place, trust)


class _KeyframePart(NamedTuple):
    """A part of a keyframe without the people, (1, 4, h, w) in a box of the picture.

    The fourth channel is 1 where a keyframe shows the scene and 0 where it is inpainted.
    """

    box: Box
    planes: torch.Tensor


class _CompletedPair(NamedTuple):
    """Both keyframes without the people, and the camera's motion from a to b."""

    a: _KeyframePart
    b: _KeyframePart
    motion: np.ndarray


def _boxes_that_reach(part: Box, motion: np.ndarray, size_px: tuple[int, int]) -> tuple[Box, Box]:
    """What of a and of b is seen in a part of the frames between them."""
    if motion is STILL:
        return part, part
    back = cv2.invertAffineTransform(motion)
    ways = [fraction_of_camera_motion(motion, t) for t in np.linspace(0, 1, 9)]
    return (
        _box_before(part, ways, size_px),
        _box_before(part, [chain_camera_motions(back, way) for way in ways], size_px),
    )


def _box_before(part: Box, motions: list[np.ndarray], size_px: tuple[int, int]) -> Box:
    """The box of a picture that any of the motions bring into a part."""
    low, high = np.array([part.left, part.top]), np.array([part.left + part.width, part.top + part.height])
    corners = np.array([[x, y] for x in (low[0], high[0]) for y in (low[1], high[1])], float)
    before = np.concatenate([carry_points(cv2.invertAffineTransform(motion), corners) for motion in motions])
    last = np.array(size_px)
    left, top = np.clip(np.floor(before.min(axis=0)) - 2, 0, last - 1).astype(int).tolist()
    right, bottom = np.clip(np.ceil(before.max(axis=0)) + 2, [left + 1, top + 1], last).astype(int).tolist()
    return Box(top, left, bottom - top, right - left)


def _carried(plate: _KeyframePart, to: Box, motions: list[np.ndarray]) -> torch.Tensor:
    """A part of the picture (N, 4, h, w) as the camera sees it after each of N motions."""
    pixels = plate.planes[0].permute(1, 2, 0).cpu().numpy()
    first, size = (plate.box.left, plate.box.top), (to.width, to.height)
    moved = []
    for motion in motions:
        shift = motion[:, :2] @ first + motion[:, 2] - (to.left, to.top)
        inner = np.column_stack([motion[:, :2], shift])
        one = cv2.warpAffine(pixels, inner, size, borderMode=cv2.BORDER_REPLICATE)
        one[..., 3] = cv2.warpAffine(pixels[..., 3], inner, size)  # nothing is seen beyond the border
        moved.append(one)
    return torch.from_numpy(np.stack(moved)).permute(0, 3, 1, 2).to(plate.planes)


def _share_of_seen(seen_a: torch.Tensor, seen_b: torch.Tensor, share_b: torch.Tensor) -> torch.Tensor:
    """Share of b (N, 1, H, W) of a mixture where one of the two is not seen everywhere, (N, 1, H, W) each."""
    a, b = (1 - share_b) * (seen_a + UNSEEN), share_b * (seen_b + UNSEEN)
    return b / (a + b)


def _pixels(keyframe: Keyframe) -> np.ndarray:
    return keyframe.pixels.permute(1, 2, 0).cpu().numpy()
