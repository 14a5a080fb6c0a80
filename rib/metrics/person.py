"""Region of the person in a true frame, and the limb error of a predicted one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from rib.io.processes.deferred_import import deferred_import
from rib.io.weights import model_packages as models

DETECTION_HEIGHT_PX = 640
"""Smaller pictures are enlarged to this height before detection."""
SMALLEST_PERSON_PX = 200
"""Masks of no more pixels are taken for false alarms."""
SHOULDERS, HIPS = (11, 12), (23, 24)
LIMB_ENDS = (13, 14, 15, 16, 25, 26, 27, 28)
"""BlazePose's numbers of elbows, wrists, knees and ankles."""
LARGEST_JOINT_ERROR = 0.5
"""In torso lengths: the error of a joint, and of a person, that is somewhere else or nowhere."""


@dataclass(frozen=True)
class ScoredPerson:
    """A person in a picture.

    Attributes:
        landmarks_px: (33, 2), BlazePose's points.
        mask: (H, W) float32 in 0..1.
    """

    landmarks_px: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True)
class ScoredRegion:
    """The part of a picture that is scored as the person.

    Attributes:
        mask: (H, W) bool, the person and a rim about it.
        box: Rows and columns of the mask's bounding box, 4 px wider at every side.
    """

    mask: np.ndarray
    box: tuple[slice, slice]


class MetricLandmarker:
    """MediaPipe's pose solution on single pictures, without memory of the one before.

    Its points and mask are those of MediaPipe Holistic, which finds hands and the face besides.

    Raises:
        RibError: The mediapipe package is absent or damaged.
    """

    def __init__(self) -> None:
        models.verify_model_package("mediapipe")
        with models.quiet_stderr(), deferred_import("matplotlib.pyplot"):
            import mediapipe as mp

            self._pose: Any = mp.solutions.pose.Pose(
                static_image_mode=True, model_complexity=1, enable_segmentation=True
            )
            self._pose.process(np.zeros((64, 64, 3), np.uint8))  # its graph opens with the first picture

    def __call__(self, picture: np.ndarray) -> ScoredPerson | None:
        """Find the most prominent person of an RGB picture (H, W, 3) uint8."""
        height, width = picture.shape[:2]
        zoom = max(1.0, DETECTION_HEIGHT_PX / height)
        found = self._pose.process(np.ascontiguousarray(cv2.resize(picture, None, fx=zoom, fy=zoom)))
        if found.pose_landmarks is None:
            return None
        points = np.array([[point.x * width, point.y * height] for point in found.pose_landmarks.landmark])
        mask = cv2.resize(np.asarray(found.segmentation_mask, np.float32), (width, height))
        return ScoredPerson(points, mask)


def scored_person_region(detection: ScoredPerson) -> ScoredRegion | None:
    """The person and a rim of 8 px at 320 px height (scaled with the picture); None for a tiny person."""
    inside = (detection.mask > 0.5).astype(np.uint8)
    if inside.sum() <= SMALLEST_PERSON_PX:
        return None
    side = max(3, round(17 * inside.shape[0] / 320))
    mask = cv2.dilate(inside, np.ones((side, side), np.uint8)).astype(bool)
    rows, columns = np.where(mask)
    box = slice(max(0, rows.min() - 4), rows.max() + 5), slice(max(0, columns.min() - 4), columns.max() + 5)
    return ScoredRegion(mask, box)


def limb_error_metric(predicted: ScoredPerson | None, true: ScoredPerson) -> float:
    """Mean distance of the limbs' joints in torso lengths, 0.5 at most for each; 0.5 without a person."""
    if predicted is None:
        return LARGEST_JOINT_ERROR
    points = true.landmarks_px
    torso = np.linalg.norm(points[list(SHOULDERS)].mean(0) - points[list(HIPS)].mean(0)) + 1e-6
    distances = np.linalg.norm(predicted.landmarks_px - points, axis=1)[list(LIMB_ENDS)] / torso
    return float(np.minimum(distances, LARGEST_JOINT_ERROR).mean())
