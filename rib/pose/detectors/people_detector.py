"""Everybody in a clip, frame after frame: the candidates among whom the tracker chooses."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rib.pose.detectors.appearance import describe_appearance
from rib.pose.detectors.detection import PersonDetection
from rib.pose.detectors.flip_augmentation import landmarks_of_flipped_picture, trunks_agree
from rib.pose.detectors.networks import BodyNetworkCall, PersonNetworkCall
from rib.pose.detectors.plausible import plausible_detections
from rib.pose.detectors.regions import SHOULDERS_AND_HIPS, BlazePoseRoi, BodyLandmarks
from rib.structures.skeleton import convert_joints, joint_set_named
from rib.video.camera import STILL, carry_points

_BLAZEPOSE, _OUT = joint_set_named("blazepose33"), joint_set_named("body25_hands")
_TRUNK = list(SHOULDERS_AND_HIPS)
_LIMBS = [
    [_BLAZEPOSE.index(f"{side}_{joint}") for joint in joints]
    for joints in (("elbow", "wrist"), ("knee", "ankle"))
    for side in ("left", "right")
]
_ASLANT = 1.0
"""A trunk that goes so much further across the picture than up it is not upright: tangent of its tilt."""
_HANDS = {side: _OUT.index(f"{side}_hand_wrist") for side in ("left", "right")}


@dataclass(frozen=True)
class PersonCandidate:
    """One person in one frame, and where to look for them again.

    Attributes:
        detection: In the joint set `body25_hands`.
        body: The find as the network gave it.
    """

    detection: PersonDetection
    body: BodyLandmarks

    @property
    def roi(self) -> BlazePoseRoi:
        """The square that fits the person in this frame."""
        return self.body.roi


class PeopleDetector:
    """Finds the people of a clip: everybody seen before is looked for near by, newcomers by the detector.

    Whoever is not upright is believed where the mirrored picture shows them in the same place. The landmark
    network takes two who walk side by side for one on all fours, from one to the other; what it sees in the
    mirror then is somewhat else, or nothing. Those who truly lie or turn over it finds there to some
    hundredths of a trunk's length.

    Args:
        detector: Gives rough squares.
        landmarker: Gives the points inside a square.
        min_visibility: Mean visibility of shoulders and hips, 0..1, below which a find is not believed.
        max_people: At most so many people are followed at a time.
        tile_px: Side of the smallest tile on which the detector looks for small people.
        search_every: After so many frames the tiles are searched again; also whenever nobody is found.
        apart: Trunk lengths at which two looks at a joint contradict each other; whoever is not upright may
            be half as far off in the mirror.
    """

    def __init__(
        self,
        detector: PersonNetworkCall,
        landmarker: BodyNetworkCall,
        min_visibility: float,
        max_people: int,
        tile_px: int,
        search_every: int,
        apart: float,
    ) -> None:
        self._detector, self._landmarker = detector, landmarker
        self._min_visibility, self._max_people = min_visibility, max_people
        self._tile_px, self._search_every, self._apart = tile_px, search_every, apart
        self.forget()

    def forget(self) -> None:
        """Begin anew, as at a scene cut."""
        self._seen: list[tuple[BlazePoseRoi, BlazePoseRoi]] = []
        self._until_search = 0

    def __call__(self, picture: np.ndarray, motion: np.ndarray = STILL) -> list[PersonCandidate]:
        """Find the people in the next frame, largest first.

        Args:
            picture: (H, W, 3) uint8 RGB.
            motion: (2, 3), the camera's from the frame before to this one.
        """
        rough = self._detector(picture)
        found: list[tuple[BlazePoseRoi | None, PersonCandidate]] = []
        lost = []
        for before, last in self._seen:
            expected = _carried(_predict(before, last), motion)
            near = [roi for roi in rough if not _apart(roi, expected)]
            if not self._add(found, last, picture, [*near, expected]):
                lost.append(expected)
        rough += self._search_around(lost, picture)
        for roi in [*rough, *self._search(picture, lost=not found and not rough)]:
            if all(_apart(roi, candidate.roi) for _, candidate in found):
                self._add(found, None, picture, [roi])
        found.sort(key=lambda item: -item[1].detection.area_px2)
        size = picture.shape[1], picture.shape[0]
        keep = plausible_detections([candidate.detection for _, candidate in found], size)[: self._max_people]
        found = [found[i] for i in keep]
        self._seen = [
            (candidate.roi if last is None else _carried(last, motion), candidate.roi)
            for last, candidate in found
        ]
        return [candidate for _, candidate in found]

    def _add(
        self,
        found: list[tuple[BlazePoseRoi | None, PersonCandidate]],
        last: BlazePoseRoi | None,
        picture: np.ndarray,
        rois: list[BlazePoseRoi],
    ) -> bool:
        """Look in one square after the other until somebody new is found; tell whether somebody was."""
        for roi in rois:
            candidate = self._look(picture, roi)
            if candidate is not None and all(_apart(candidate.roi, other.roi) for _, other in found):
                found.append((last, candidate))
                return True
        return False

    def _look(self, picture: np.ndarray, roi: BlazePoseRoi) -> PersonCandidate | None:
        """The person in a square; None where there is none, or none in the mirror where one is needed."""
        candidate = filter_detection(self._landmarker(picture, roi), picture, self._min_visibility)
        if candidate is None or _is_upright(candidate.body):
            return candidate
        mirrored = landmarks_of_flipped_picture(self._landmarker, picture, candidate.roi)
        agree = mirrored is not None and trunks_agree(candidate.body, mirrored, self._apart / 2)
        return candidate if agree else None

    def _search_around(self, lost: list[BlazePoseRoi], picture: np.ndarray) -> list[BlazePoseRoi]:
        """Squares found near by those who are not where they were expected: they moved faster, or turned."""
        rois = []
        for expected in lost:
            reach = expected.side_px
            low = np.maximum(np.floor(expected.centre_px - reach), 0).astype(int)
            high = np.maximum(np.ceil(expected.centre_px + reach), 0).astype(int)
            crop = picture[low[1] : high[1], low[0] : high[0]]
            if min(crop.shape[:2]) >= 16 and crop.size < 0.7 * picture.size:
                rois += [replace(roi, centre_px=roi.centre_px + low) for roi in self._detector(crop)]
        return rois

    def _search(self, picture: np.ndarray, lost: bool) -> list[BlazePoseRoi]:
        """Squares found on tiles of the picture, where a search is due or nobody is found."""
        self._until_search -= 1
        if self._until_search > 0 and not lost:
            return []
        self._until_search = self._search_every
        rois = []
        for x, y, side in detector_tiles(picture.shape[1], picture.shape[0], self._tile_px):
            for roi in self._detector(picture[y : y + side, x : x + side]):
                rois.append(replace(roi, centre_px=roi.centre_px + np.array([x, y])))
        return rois


def detector_tiles(width: int, height: int, smallest_px: int) -> list[tuple[int, int, int]]:
    """Left, top and side of squares that cover a picture twice over, at one scale below the whole picture.

    None where the detector, which sees 224 px, would gain nothing: in pictures not larger than a tile.
    """
    side = max(smallest_px, round(min(width, height) * 0.6))
    if side >= min(width, height):
        return []
    across = [round(x) for x in np.linspace(0, width - side, 1 + -(-2 * (width - side) // side))]
    down = [round(y) for y in np.linspace(0, height - side, 1 + -(-2 * (height - side) // side))]
    return [(x, y, side) for y in down for x in across]


def filter_detection(
    body: BodyLandmarks | None, picture: np.ndarray, min_visibility: float, appearance: bool = True
) -> PersonCandidate | None:
    """A find as a detection, or None where there is none or it cannot be a person.

    Args:
        body: What the landmark network gave.
        picture: (H, W, 3) uint8 RGB, where it was found.
        min_visibility: Mean visibility of shoulders and hips below which a find is not believed.
        appearance: Whether to describe what they look like, which takes as long as a tenth of the network.
    """
    if body is None or not _is_plausible(body, picture, min_visibility):
        return None
    keypoints_px, confidence = _keypoints(body, picture)
    looks = describe_appearance(picture, keypoints_px, confidence, body.trunk_px) if appearance else None
    detection = PersonDetection.from_keypoints(keypoints_px, confidence, looks, _depth(body))
    return None if detection is None else PersonCandidate(detection, body)


def _is_plausible(body: BodyLandmarks, picture: np.ndarray, min_visibility: float) -> bool:
    """Shoulders mostly seen, a trunk of human length, and its upper half inside the picture."""
    shoulders = body.points[_TRUNK[:2], :2]
    size = np.array([picture.shape[1], picture.shape[0]])
    inside = ((shoulders >= 0) & (shoulders < size)).all(axis=1).any()
    visibility = body.visibility[_TRUNK]
    seen = visibility[:2].mean() >= min_visibility or visibility.mean() >= min_visibility
    return bool(seen and inside and 0.06 < body.trunk_px / body.roi.side_px < 0.6)


def _is_upright(body: BodyLandmarks) -> bool:
    """Whether the trunk goes up the picture rather than across or down it."""
    left_shoulder, right_shoulder, left_hip, right_hip = body.points[_TRUNK, :2]
    across, down = left_hip + right_hip - left_shoulder - right_shoulder
    return bool(abs(across) <= _ASLANT * down)


def _keypoints(body: BodyLandmarks, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(67, 2) and (67,) in `body25_hands`; points beyond the picture's edge are guesses, and fade."""
    size = np.array([picture.shape[1], picture.shape[0]])

    def certainty(points: np.ndarray, visibility: np.ndarray) -> np.ndarray:
        outside = np.maximum(np.maximum(-points, points - size), 0).max(axis=-1)
        return visibility * np.clip(1 - 4 * outside / body.trunk_px, 0, 1)

    confidence = certainty(body.points[:, :2], body.visibility)
    keypoints_px, confidence = convert_joints(body.points[:, :2], confidence, "blazepose33", "body25_hands")
    for side, hand in (("left", body.left_hand), ("right", body.right_hand)):
        wrist = _BLAZEPOSE.index(f"{side}_wrist")
        if hand is None or float(np.linalg.norm(hand[0] - body.points[wrist, :2])) > 0.3 * body.trunk_px:
            continue
        columns = slice(_HANDS[side], _HANDS[side] + 21)
        keypoints_px[columns] = hand
        confidence[columns] = certainty(hand, body.visibility[wrist])
    keypoints_px[confidence == 0] = 0
    return keypoints_px, confidence


def _depth(body: BodyLandmarks) -> np.ndarray:
    """(5,) mean z of each of `LAYERS`, from the trunk's (negative is nearer), in sides of the square."""
    trunk = body.points[_TRUNK, 2].mean()
    return np.array([0.0, *((body.points[limb, 2].mean() - trunk) / body.roi.side_px for limb in _LIMBS)])


def _predict(before: BlazePoseRoi, last: BlazePoseRoi) -> BlazePoseRoi:
    """Extrapolate a person at constant speed; never further than a quarter of the square."""
    step = last.centre_px - before.centre_px
    longest = 0.25 * last.side_px
    step = step * min(1.0, longest / max(float(np.linalg.norm(step)), 1e-9))
    return replace(last, centre_px=last.centre_px + step)


def _carried(roi: BlazePoseRoi, motion: np.ndarray) -> BlazePoseRoi:
    """A square that stays where it is in the scene while the camera moves."""
    zoom = float(np.sqrt(abs(np.linalg.det(motion[:, :2]))))
    return replace(roi, centre_px=carry_points(motion, roi.centre_px), side_px=roi.side_px * zoom)


def _apart(a: BlazePoseRoi, b: BlazePoseRoi) -> bool:
    """Whether two squares belong to different people."""
    return bool(
        np.linalg.norm(a.centre_px - b.centre_px) > 0.2 * max(a.side_px, b.side_px)
        or max(a.side_px, b.side_px) > 2.5 * min(a.side_px, b.side_px)
    )
