"""The scene without the person, between two keyframes."""

from __future__ import annotations

from collections.abc import Collection

import cv2
import numpy as np
import torch

from rib.io.images import to_float, to_uint8
from rib.io.settings.ranges import Share
from rib.structures.interval import Interval, Keyframe
from rib.video.camera import (
    STILL,
    MaskedGrey,
    chain_camera_motions,
    estimate_camera_motions,
    fraction_of_camera_motion,
)

INPAINT_LONG_SIDE_PX = 256
"""What no keyframe shows is invented at this size: it has no detail, and larger only costs time."""

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
        self._last: (
            tuple[Keyframe, Keyframe, frozenset[int], tuple[list[torch.Tensor], np.ndarray]] | None
        ) = None

    def __call__(
        self, interval: Interval, without: Collection[int], unseen: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The plate at every time of the interval.

        Each keyframe is completed once: by the other one of the interval, then by the neighbours, nearest
        in time first, then by inpainting (Telea 2004); all are brought into its frame by the camera's motion.
        In time the two pictures follow the camera and are cross-faded, so person-free pixels of both
        follow changes of light, and those of one keyframe stay as they are.

        Args:
            interval: Its keyframes and neighbours show the people with mattes.
            without: Track ids of the people to leave out; the others belong to the scene.
            unseen: (N, 4, H, W) in 0..1, a picture for places where no keyframe shows the scene, and how far
                it is to be believed there; the rest, or all without it, is inpainted.

        Returns:
            (N, 3, H, W) in 0..1 on the device of the keyframes' pictures.
        """
        completed, motion = self._completed(interval, frozenset(without))
        fractions = interval.fractions
        if motion is STILL:
            plate_a, plate_b = completed
        else:
            parts = fractions.tolist()
            plate_a = _carried(completed[0], [fraction_of_camera_motion(motion, t) for t in parts])
            back = cv2.invertAffineTransform(motion)
            plate_b = _carried(
                completed[1],
                [chain_camera_motions(back, fraction_of_camera_motion(motion, t)) for t in parts],
            )
        share = fractions[:, None, None, None]
        if motion is not STILL:
            share = _share_of_seen(plate_a[:, 3:], plate_b[:, 3:], share)
        plate = torch.lerp(plate_a, plate_b, share).clamp(0, 1)
        if unseen is None:
            return plate[:, :3]
        return torch.lerp(plate[:, :3], unseen[:, :3], (1 - plate[:, 3:]) * unseen[:, 3:])

    def _completed(
        self, interval: Interval, without: frozenset[int]
    ) -> tuple[list[torch.Tensor], np.ndarray]:
        """Both keyframes (1, 4, H, W) without the people, and the camera's motion from a to b.

        The fourth channel is 1 where a keyframe shows the scene and 0 where it is inpainted.

        They are kept, as a long interval is asked for in parts.
        """
        a, b = interval.a, interval.b
        last = self._last
        if last is None or last[0] is not a or last[1] is not b or last[2] != without:
            last = a, b, without, self._complete_both(a, b, interval.neighbours, without)
            self._last = last
        return last[3]

    def _complete_both(
        self, a: Keyframe, b: Keyframe, neighbours: tuple[Keyframe, ...], without: frozenset[int]
    ) -> tuple[list[torch.Tensor], np.ndarray]:
        middle = (a.time_s + b.time_s) / 2
        others = sorted(neighbours, key=lambda keyframe: abs(keyframe.time_s - middle))
        layers = [(_pixels(keyframe), self._free(keyframe, without)) for keyframe in (a, b, *others)]
        greys = [_masked_grey(layer) for layer in layers]
        from_a = [STILL, *(motion.matrix for motion in estimate_camera_motions(greys[0], greys[1:]))]
        if all(motion is STILL for motion in from_a):
            rest = _complete([*layers[2:], *layers[:2]])
            both = [_over(order, rest) for order in (layers[:2], layers[1::-1])]
        else:
            both = [_complete_in_place(layers, from_a, 0), _complete_in_place(layers, from_a, 1)]
        planes = [
            torch.from_numpy(np.ascontiguousarray(x.transpose(2, 0, 1))).to(a.picture)[None] for x in both
        ]
        return planes, from_a[1]

    def _free(self, keyframe: Keyframe, without: frozenset[int]) -> np.ndarray:
        """(H, W, 1) trust in a pixel to show the scene: 0 near the people, rising to 1 across the seam."""
        height, width = keyframe.picture.shape[-2:]
        outside = np.ones((height, width), np.uint8)
        for view in keyframe.people:
            if view.track_id in without and view.matte is not None:
                box = view.box
                inside = outside[box.top : box.top + box.height, box.left : box.left + box.width]
                inside &= (view.matte[0].cpu().numpy() <= self.mask_threshold).astype(np.uint8)
        if outside.all():
            return np.ones((height, width, 1), np.float32)
        distance = cv2.distanceTransform(outside, cv2.DIST_L2, 3)
        beyond = distance - self.dilation_share * height
        return np.clip(beyond / max(self.seam_share * height, 1), 0, 1)[..., None].astype(np.float32)


Layer = tuple[np.ndarray, np.ndarray]
"""A picture (H, W, 4) float32, whose last channel is 1 where it is seen, and the trust in each of its pixels
(H, W, 1)."""


def _masked_grey(layer: Layer) -> MaskedGrey:
    """Choose the pixels that the camera's motion is estimated from."""
    picture, trust = layer
    return cv2.cvtColor(to_uint8(picture[..., :3]), cv2.COLOR_RGB2GRAY), trust[..., 0] > 0.5


def _complete_in_place(layers: list[Layer], from_a: list[np.ndarray], keyframe: int) -> np.ndarray:
    """One of the first two keyframes, completed by the others as its camera would have seen them."""
    to_a = cv2.invertAffineTransform(from_a[keyframe])
    order = [keyframe, 1 - keyframe, *range(2, len(layers))]
    moved = [_seen_by(layers[i], chain_camera_motions(to_a, from_a[i])) for i in order[1:]]
    return _over([layers[keyframe]], _complete([*moved, layers[keyframe]]))


def _seen_by(layer: Layer, motion: np.ndarray) -> Layer:
    """A keyframe in another's frame, from which `motion` leads to it; beyond its border trust is 0."""
    picture, trust = layer
    size, flags = (picture.shape[1], picture.shape[0]), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(picture, motion, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return moved, cv2.warpAffine(trust, motion, size, flags=flags)[..., None]


def _carried(plate: torch.Tensor, motions: list[np.ndarray]) -> torch.Tensor:
    """A plate (1, 4, H, W) as the camera sees it after each of N motions, as (N, 4, H, W)."""
    pixels = plate[0].permute(1, 2, 0).cpu().numpy()
    size = pixels.shape[1], pixels.shape[0]
    moved = [cv2.warpAffine(pixels, motion, size, borderMode=cv2.BORDER_REPLICATE) for motion in motions]
    for one, motion in zip(moved, motions, strict=True):
        one[..., 3] = cv2.warpAffine(pixels[..., 3], motion, size)  # nothing is seen beyond the border
    return torch.from_numpy(np.stack(moved)).permute(0, 3, 1, 2).to(plate)


def _share_of_seen(seen_a: torch.Tensor, seen_b: torch.Tensor, share_b: torch.Tensor) -> torch.Tensor:
    """Share of b (N, 1, H, W) of a mixture where one of the two is not seen everywhere, (N, 1, H, W) each."""
    a, b = (1 - share_b) * (seen_a + UNSEEN), share_b * (seen_b + UNSEEN)
    return b / (a + b)


def _pixels(keyframe: Keyframe) -> np.ndarray:
    """(H, W, 4), all of it seen."""
    picture = keyframe.picture.permute(1, 2, 0).cpu().numpy()
    return np.concatenate([picture, np.ones_like(picture[..., :1])], 2)


def _over(layers: list[Layer], rest: np.ndarray) -> np.ndarray:
    """Layers from front to back on an opaque ground."""
    colour, uncovered = _stack(layers)
    return colour + uncovered * rest


def _stack(layers: list[Layer]) -> Layer:
    """Layers from front to back: their colour so far, and the share that none of them covers."""
    colour = np.zeros_like(layers[0][0])
    uncovered = np.ones_like(layers[0][1])
    for picture, trust in layers:
        if not uncovered.any():
            break
        colour += uncovered * trust * picture
        uncovered *= 1 - trust
    return colour, uncovered


def _complete(layers: list[Layer]) -> np.ndarray:
    """One opaque picture from layers: by their colours where any has one, by inpainting elsewhere."""
    colour, uncovered = _stack(layers)
    hole = (uncovered[..., 0] > 0.99).astype(np.uint8)
    picture = colour / np.maximum(1 - uncovered, 0.01)
    return _inpaint(picture, hole) if hole.any() else picture


def _inpaint(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Fill the hole (H, W) of a picture (H, W, 4) in place, at a size where that is quick."""
    height, width = picture.shape[:2]
    shrink = min(1.0, INPAINT_LONG_SIDE_PX / max(height, width))
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    # a pixel that touches the hole belongs to it, or the hole's emptiness would bleed into its rim
    small_hole = (cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0).astype(
        np.uint8
    )
    levels = to_uint8(cv2.resize(picture[..., :3], size, interpolation=cv2.INTER_AREA))
    where = hole.astype(bool)
    picture[where, 3] = 0
    if small_hole.all():
        picture[where, :3] = 0.5
        return picture
    filled = cv2.inpaint(levels, small_hole, 3, cv2.INPAINT_TELEA)
    filled = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)
    picture[where, :3] = to_float(filled[where])
    return picture
