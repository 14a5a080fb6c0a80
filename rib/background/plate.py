"""The scene without the person, between two keyframes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import cv2
import numpy as np
import torch

from rib.background.scene_layers import SceneLayer, complete_scene, layers_seen_by_camera
from rib.io.settings.ranges import Share
from rib.structures.interval import Interval, Keyframe
from rib.video.camera import (
    STILL,
    chain_camera_motions,
    estimate_camera_motions,
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
        self._last: (
            tuple[Keyframe, Keyframe, frozenset[int], tuple[list[torch.Tensor], np.ndarray]] | None
        ) = None
        self._seen: list[tuple[Keyframe, frozenset[int], SceneLayer]] = []

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
        layers = self._layers((a, b, *others), without)
        greys = [layer.grey for layer in layers]
        from_a = [STILL, *(motion.matrix for motion in estimate_camera_motions(greys[0], greys[1:]))]
        if all(motion is STILL for motion in from_a):
            rest = [*layers[2:], *layers[:2]]
            both = [complete_scene(order, rest) for order in (layers[:2], layers[1::-1])]
        else:
            both = [complete_scene(*layers_seen_by_camera(layers, from_a, number)) for number in (0, 1)]
        planes = [torch.from_numpy(x.transpose(2, 0, 1)).to(a.device)[None] for x in both]
        return planes, from_a[1]

    def _layers(self, keyframes: Sequence[Keyframe], without: frozenset[int]) -> list[SceneLayer]:
        """The keyframes as layers; those of the last interval are there already."""
        known = {id(keyframe): layer for keyframe, people, layer in self._seen if people == without}
        layers = [
            known.get(id(keyframe)) or SceneLayer(_pixels(keyframe), self._free(keyframe, without))
            for keyframe in keyframes
        ]
        self._seen = [(keyframe, without, layer) for keyframe, layer in zip(keyframes, layers, strict=True)]
        return layers

    def _free(self, keyframe: Keyframe, without: frozenset[int]) -> np.ndarray:
        """(H, W, 1) trust in a pixel to show the scene: 0 near the people, rising to 1 across the seam."""
        width, height = keyframe.size_px
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
    return keyframe.pixels.permute(1, 2, 0).cpu().numpy()
