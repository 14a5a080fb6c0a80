"""Errors of real detectors, measured on their tracks where no truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d, median_filter
from scipy.signal import savgol_filter

from rib.io.errors import RibError
from rib.keypoint_files import read_people_keypoints
from rib.motion.corruption.detector_noise import DetectorErrors
from rib.pose.files import follow_people_of_files
from rib.pose.tracking.tracker import Tracker
from rib.structures.skeleton import BODY19, convert_joints

WINDOW_S = 0.3
"""A local cubic over this long is what a joint is taken to have done."""
OUTLIER = 0.03
"""The cubic does not follow points this far (fractions of the height) from the median of five frames."""
LEAST_CONFIDENCE = 0.05
SLOW_S = 0.03
"""Errors that outlast a gaussian of this standard deviation are what the detector means, not noise."""


def read_detector_errors(tracks: Sequence[tuple[str, float]], tracker: Tracker) -> DetectorErrors:
    """Errors of the most prominent person of each clip.

    Args:
        tracks: Keypoint files or folders (`rib.keypoint_files.read_people_keypoints`) and their frame rates.
        tracker: Follows that person.

    Raises:
        RibError: A clip cannot be read or shows nobody.
    """
    followed = [_track(Path(path), Fraction(fps), tracker) for path, fps in tracks]
    found = [detector_errors_of_track(*one, fps) for one, (_, fps) in zip(followed, tracks, strict=True)]
    longest = max(len(error) for error, _ in found)
    pad = lambda a: np.pad(a, ((0, longest - len(a)), *[(0, 0)] * (a.ndim - 1)))  # noqa: E731
    slow = [_slow(*errors, fps) for errors, (_, fps) in zip(found, tracks, strict=True)]
    return DetectorErrors(
        error=torch.from_numpy(np.stack([pad(error) for error, _ in found])).float(),
        slow=torch.from_numpy(np.stack([pad(error) for error in slow])).float(),
        confidence=torch.from_numpy(np.stack([pad(confidence) for _, confidence in found])).float(),
        length=torch.tensor([len(error) for error, _ in found]),
        fps=torch.tensor([float(fps) for _, fps in tracks]),
    )


def detector_errors_of_track(
    keypoints_px: np.ndarray, confidence: np.ndarray, fps: float
) -> tuple[np.ndarray, np.ndarray]:
    """Estimate a detector's errors: a track minus a robust local cubic.

    Args:
        keypoints_px: (T, 19, 2).
        confidence: (T, 19), 0 where missing.
        fps: Frames a second.

    Returns:
        (T, 19, 2) errors in fractions of the person's height, and (T, 19) confidences. A detector without
        hands lends its wrists' errors to them.
    """
    T = len(keypoints_px)
    frames, height = np.arange(T), _height_px(keypoints_px, confidence)
    window = min(max(5, round(WINDOW_S * fps) | 1), T - 1 + T % 2)
    error, confidence = np.zeros_like(keypoints_px), confidence.copy()
    for joint in range(len(BODY19)):
        known = confidence[:, joint] > 0
        if known.sum() < 2 * window:
            continue
        for axis in range(2):
            y = np.interp(frames, frames[known], keypoints_px[known, joint, axis])
            middle = median_filter(y, 5, mode="nearest")
            steady = np.where(np.abs(y - middle) < OUTLIER * height, y, middle)
            error[:, joint, axis] = y - savgol_filter(steady, window, 3)
    for side in ("left", "right"):
        hand, wrist = BODY19.index(f"{side}_hand"), BODY19.index(f"{side}_wrist")
        if not confidence[:, hand].any():
            error[:, hand], confidence[:, hand] = error[:, wrist], confidence[:, wrist]
    return error / height, confidence


def _slow(error: np.ndarray, confidence: np.ndarray, fps: float) -> np.ndarray:
    """The part of errors (T, 19, 2) that lasts; outliers and missing joints say nothing."""
    known = (confidence > 0) & (np.linalg.norm(error, axis=-1) < OUTLIER)
    blur = lambda a: gaussian_filter1d(a, SLOW_S * fps, axis=0, mode="nearest")  # noqa: E731
    weight = blur(known.astype(float))[..., None]
    return blur(error * known[..., None]) / np.maximum(weight, 0.2)


def _track(path: Path, fps: Fraction, tracker: Tracker) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (T, 19, 2) and confidence (T, 19) of the most prominent person."""
    poses = follow_people_of_files(read_people_keypoints(path).aligned(), fps, tracker)
    keypoints_px, confidence = convert_joints(poses.keypoints_px, poses.confidence, poses.joint_set, "body19")
    confidence = np.where(confidence > LEAST_CONFIDENCE, confidence, 0.0)
    if not confidence.any():
        raise RibError(f"{path} shows nobody, so it has no detector errors", "name a clip with a person")
    return keypoints_px, confidence


def _height_px(keypoints_px: np.ndarray, confidence: np.ndarray) -> float:
    """Standing height from thighs, shanks and torso; the upper quartile over time, for limbs seen end-on."""

    def length(a: str, b: str) -> float:
        i, j = BODY19.index(a), BODY19.index(b)
        seen = (confidence[:, i] > 0) & (confidence[:, j] > 0)
        lengths = np.linalg.norm(keypoints_px[:, i] - keypoints_px[:, j], axis=-1)[seen]
        return float(np.percentile(lengths, 75)) if len(lengths) else 0.0

    legs = [
        length(f"{s}_{a}", f"{s}_{b}")
        for s in ("left", "right")
        for a, b in (("hip", "knee"), ("knee", "ankle"))
    ]
    height = (sum(legs) / 2 + length("neck", "mid_hip")) / 0.76
    if height == 0:
        raise RibError(
            "a track never shows a leg or torso whole, so its errors have no scale", "name another clip"
        )
    return height
