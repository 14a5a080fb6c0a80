"""`pose.runtime=torch`: what `blazepose` gives, by the same networks as torch modules, many people at once.

The crops between the networks and what is read from their outputs are those of mediapipe's graphs
(`rib.pose.nets`), with one difference: a hand is looked for where this very picture shows it, never where the
picture before did.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch

from rib.io.weights.model_packages import weight_file
from rib.pose.detectors.regions import BlazePoseRoi, BodyLandmarks, PersonWindow, person_window
from rib.pose.nets import bodies, hands, persons
from rib.pose.nets.rects import Rect, crop_rect, crop_square, uncrop_mask
from rib.pose.nets.tflite_net import TfliteNet

_MODULES = "mediapipe/modules"
_PERSONS = f"{_MODULES}/pose_detection/pose_detection.tflite"
_BODIES = f"{_MODULES}/pose_landmark/pose_landmark_full.tflite"
_RECROP = f"{_MODULES}/holistic_landmark/hand_recrop.tflite"
_HANDS = f"{_MODULES}/hand_landmark/hand_landmark_full.tflite"


class _Network:
    """A net of the pinned package on a device."""

    def __init__(self, file: str, device: str) -> None:
        self._net, self._device = _net(file, device), device

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[np.ndarray], low: float = 0.0) -> list[torch.Tensor]:
        """Its outputs for B pictures (n, n, 3) uint8, brought to `low`..1."""
        batch = torch.from_numpy(np.stack(pictures)).to(self._device).permute(0, 3, 1, 2)
        # a GPU's 10-bit products would move points by tenths of the network's pixels
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            outputs: list[torch.Tensor] = self._net(batch.float() * ((1 - low) / 255) + low)
        return outputs


@cache
def _net(file: str, device: str) -> TfliteNet:
    """Shared by all that use it: a net keeps nothing from one call to the next."""
    return TfliteNet.of_file(weight_file("mediapipe", file), pinned=True).to(device)


class TorchPersonDetector:
    """Every person in a picture, roughly; see `blazepose.PersonDetector`.

    Args:
        device: Where the network runs.
    """

    def __init__(self, device: str) -> None:
        self._net = _Network(_PERSONS, device)

    def __call__(self, picture: np.ndarray) -> list[BlazePoseRoi]:
        """The squares of all people found in (H, W, 3) uint8 RGB, most certain first."""
        return self.in_each([picture])[0]

    def in_each(self, pictures: Sequence[np.ndarray]) -> list[list[BlazePoseRoi]]:
        """What a call gives for each of several pictures of any sizes."""
        if not pictures:
            return []
        sides = [max(picture.shape[:2]) for picture in pictures]
        middles = [(picture.shape[1] / 2, picture.shape[0] / 2) for picture in pictures]
        crops = [
            crop_square(np.ascontiguousarray(picture), middle, side, 0.0, persons.SIZE_PX, replicate=False)
            for picture, middle, side in zip(pictures, middles, sides, strict=True)
        ]
        boxes, logits = (output.cpu().numpy() for output in self._net(crops, low=-1.0))
        found = []
        for middle, side, box, logit in zip(middles, sides, boxes, logits, strict=True):
            points = (persons.persons_in(box, logit)[0][:, :2] - 0.5) * side + middle
            found.append([BlazePoseRoi.around(centre, rim) for centre, rim in points])
        return found

    def close(self) -> None:
        """Nothing is held open."""


class TorchBodyLandmarker:
    """The landmarks of the person inside a square, and the hands; see `blazepose.BodyLandmarker`.

    Args:
        hands: Also look for the hands.
        mask: Also segment the person.
        window_px: See `blazepose.BodyLandmarker`.
        device: Where the networks run.
    """

    def __init__(self, hands: bool, mask: bool, window_px: int, device: str) -> None:
        self._mask, self._window_px = mask, window_px
        self._bodies = _Network(_BODIES, device)
        self._hands = (_Network(_RECROP, device), _Network(_HANDS, device)) if hands else None

    def __call__(self, picture: np.ndarray, roi: BlazePoseRoi) -> BodyLandmarks | None:
        """Find the person; see `blazepose.BodyLandmarker`."""
        return self.in_each([(picture, roi)])[0]

    def in_each(self, looks: Sequence[tuple[np.ndarray, BlazePoseRoi]]) -> list[BodyLandmarks | None]:
        """What a call gives for each of several pictures (H, W, 3) uint8 RGB and squares."""
        found: list[BodyLandmarks | None] = [None] * len(looks)
        windows = {
            index: window
            for index, (picture, roi) in enumerate(looks)
            if (window := person_window(picture, roi, self._window_px)) is not None
        }
        if not windows:
            return found
        rects = {index: _rect(window, looks[index][1]) for index, window in windows.items()}
        crops = [crop_rect(windows[index].square, rects[index], bodies.SIZE_PX) for index in windows]
        seen = bodies.bodies_in(self._bodies(crops), self._mask)
        present = [
            (row, index) for row, index in enumerate(windows) if seen.presence[row] > hands.MIN_PRESENCE
        ]
        points = {index: rects[index].project(seen.points[row]) for row, index in present}
        joints = self._look_for_hands(
            windows, points, {index: seen.visibility[row] for row, index in present}
        )
        for row, index in present:
            window = windows[index]
            coarse = seen.masks[row] if self._mask else None
            found[index] = window.landmarks(
                points[index][:33, :2],
                points[index][:33, 2],
                seen.visibility[row, :33],
                points[index][33:35, :2],
                left_hand=joints.get((index, 0)),
                right_hand=joints.get((index, 1)),
                mask=None
                if coarse is None
                else uncrop_mask(coarse, rects[index], len(window.square), window.shape),
            )
        return found

    def _look_for_hands(
        self,
        windows: dict[int, PersonWindow],
        points: dict[int, np.ndarray],
        visibility: dict[int, np.ndarray],
    ) -> dict[tuple[int, int], np.ndarray]:
        """By person and side (21, 2), where a hand was looked for and found."""
        if self._hands is None:
            return {}
        palms = {
            (index, side): hands.rect_of_palm(body[list(palm), :2])
            for index, body in points.items()
            for side, palm in enumerate(hands.PALMS)
            if visibility[index][palm[0]] > hands.MIN_WRIST_VISIBILITY
        }
        if not palms:
            return {}
        recrop, joints = self._hands
        crops = [crop_rect(windows[key[0]].square, rect, hands.RECROP_SIZE_PX) for key, rect in palms.items()]
        refined = recrop(crops)[0].flatten(1).cpu().numpy()
        rects = {key: hands.rect_of_recrop(palms[key], row) for key, row in zip(palms, refined, strict=True)}
        crops = [crop_rect(windows[key[0]].square, rect, hands.SIZE_PX) for key, rect in rects.items()]
        landmarks, presence = (output.cpu().numpy() for output in joints(crops)[:2])
        return {
            key: hands.joints_of_hand(rect, landmarks[row])[:, :2]
            for row, (key, rect) in enumerate(rects.items())
            if presence[row, 0] > hands.MIN_PRESENCE
        }

    def close(self) -> None:
        """Nothing is held open."""


def _rect(window: PersonWindow, roi: BlazePoseRoi) -> Rect:
    (x, y), (width, height) = window.centre.tolist(), window.side.tolist()
    return Rect(x, y, width, height, roi.angle_rad)
