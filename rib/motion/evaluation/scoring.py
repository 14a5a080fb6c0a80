"""Score motion weights and the splines beside them on held-out motion capture."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from rib.io.errors import RibError
from rib.io.recipe import build_recipe
from rib.motion.corruption.detector_errors import read_detector_errors
from rib.motion.corruption.detector_noise import DetectorErrors
from rib.motion.evaluation.protocol import (
    SHORTEST,
    CorruptionCondition,
    MotionTestSequence,
    corrupted_motion_keyframes,
    motion_test_sequences,
)
from rib.motion.evaluation.settings import MotionEvaluationSettings
from rib.motion.nets.checkpoint import load_motion_net, shipped_motion_weights
from rib.motion.recordings import load_mocap_recordings
from rib.motion.splines import SplineMotion
from rib.pose.tracking.tracker import Tracker
from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import BODY19

Method = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Times (K,), joints (K, 19, 2), confidence (K, 19), moments (N,): joints (N, 19, 2)."""
MEASURES = ("between", "key", "torso", "pck05", "acc")
"""What tables show: mean error in between and at keyframes in px, in between in torsos, the share of joints
in between within 5 % of the torso, and the error of the second difference in px a frame squared."""
REFERENCE_MEASURES = ("mse", "mae", "max")
"""The published model's: square, absolute and greatest error of a coordinate over all frames, in its unit."""
UNIT_PX = 512.0


@dataclass(frozen=True)
class MotionTrial:
    """One task of the evaluation, the same for every method.

    Attributes:
        sequence: The truth.
        stride: Frames from keyframe to keyframe.
        condition: What happened to the keyframes.
        times_s: (K,).
        keypoints_px: (K, 19, 2).
        confidence: (K, 19).
    """

    sequence: MotionTestSequence
    stride: int
    condition: CorruptionCondition
    times_s: np.ndarray
    keypoints_px: np.ndarray
    confidence: np.ndarray

    def answer(self, method: Method) -> np.ndarray:
        """The method's (N, 19, 2) at every frame."""
        return method(self.times_s, self.keypoints_px, self.confidence, self.sequence.times_s)


def motion_methods(config: MotionEvaluationSettings) -> dict[str, Method]:
    """The net of `config.ckpt`, or the shipped one, and the splines of `config.baselines`, by name."""
    found: dict[str, Method] = {
        name: spline_motion_method(build_recipe(r)) for name, r in config.baselines.items() if r
    }
    weights = config.ckpt or shipped_motion_weights()
    return {**found, "net": net_motion_method(load_motion_net(weights).to(torch.device(config.device)))}


def spline_motion_method(spline: SplineMotion) -> Method:
    """A spline as a method; a joint that is never seen lies in the middle of the others."""

    def method(
        times_s: np.ndarray, x: np.ndarray, confidence: np.ndarray, moments_s: np.ndarray
    ) -> np.ndarray:
        moved = spline(PoseSequence(x, confidence, times_s, "body19", (1, 1)), moments_s)
        known = confidence > 0
        ever = np.asarray(known.any(axis=0))[:, None]
        middle = np.median(x[known], axis=0) if known.any() else np.zeros(2)
        return np.where(ever, moved.keypoints_px, middle)

    return method


def net_motion_method(net: torch.nn.Module) -> Method:
    """A net as a method."""
    device = next(net.parameters()).device

    def method(
        times_s: np.ndarray, x: np.ndarray, confidence: np.ndarray, moments_s: np.ndarray
    ) -> np.ndarray:
        as_tensor = lambda a, kind: torch.as_tensor(a, dtype=kind, device=device)[None]  # noqa: E731
        with torch.inference_mode():
            curve = net(
                as_tensor(times_s, torch.float64),
                as_tensor(x, torch.float32),
                as_tensor(confidence, torch.float32),
            )
            return curve.at(as_tensor(moments_s, torch.float64))[0][0].double().cpu().numpy()

    return method


def held_out_motion_sequences(config: MotionEvaluationSettings) -> list[MotionTestSequence]:
    """The sequences that are scored.

    Raises:
        RibError: There are no recordings, all are too short, or a subject occurs nowhere.
    """
    bank = load_mocap_recordings(config.folder, config.fps)
    if config.subjects:
        bank = bank.split(config.subjects)[1]
    found = list(motion_test_sequences(bank, config.seed, config.max_windows))[:: config.every]
    if not found:
        longest = int(bank.lengths.max()) if len(bank) else 0
        raise RibError(
            f"{config.folder}: no recording of {len(bank)} is long enough to be scored "
            f"(the longest has {longest} frames at {bank.fps:g} a second, {SHORTEST} are needed)",
            "name longer recordings",
        )
    return found


def corruption_conditions(config: MotionEvaluationSettings) -> list[CorruptionCondition]:
    """Clean keyframes, drawn noise of each size, errors of real detectors where tracks are given."""
    drawn = [CorruptionCondition(name, "detector", factor) for name, factor in config.noise.items()]
    real = [CorruptionCondition("real", "real")] if config.tracks else []
    return [CorruptionCondition("clean", "clean"), *drawn, *real]


def motion_trials(
    chosen: Iterable[MotionTestSequence], config: MotionEvaluationSettings
) -> Iterator[MotionTrial]:
    """Every sequence under every condition at every stride."""
    errors = load_detector_errors(
        [(str(path), float(fps)) for path, fps in config.tracks], build_recipe(config.tracker)
    )
    for condition, stride, sequence in itertools.product(
        corruption_conditions(config), config.strides, chosen
    ):
        x, confidence = corrupted_motion_keyframes(sequence, stride, condition, errors)
        yield MotionTrial(sequence, stride, condition, sequence.times_s[::stride], x, confidence)


def load_detector_errors(tracks: Iterable[tuple[str, float]], tracker: Tracker) -> DetectorErrors | None:
    """Errors of real detectors' tracks of the person that a tracker follows, or None without any.

    A hand has its wrist's errors: few detectors have hands, and theirs come and go with the crop.
    """
    tracks = [(path, fps) for path, fps in tracks]
    if not tracks:
        return None
    errors = read_detector_errors(tracks, tracker)
    joint = list(range(len(BODY19)))
    for side in ("left", "right"):
        joint[BODY19.index(f"{side}_hand")] = BODY19.index(f"{side}_wrist")
    return replace(errors, error=errors.error[:, :, joint], confidence=errors.confidence[:, :, joint])


def motion_error_row(name: str, trial: MotionTrial, found: np.ndarray) -> dict[str, Any]:
    """All measures of one answer."""
    window, view = trial.sequence.seed[-2:]
    return {
        "method": name, "condition": trial.condition.name, "stride": trial.stride,
        "clip": trial.sequence.clip, "window": window, "view": view,
        **score_motion_errors(trial.sequence, trial.stride, found),
    }  # fmt: skip


def score_motion_errors(sequence: MotionTestSequence, stride: int, found: np.ndarray) -> dict[str, float]:
    """Measures of (N, 19, 2) against the truth, by name (`MEASURES`, `REFERENCE_MEASURES`)."""
    difference = (found - sequence.joints_px)[:, sequence.scored]
    error = np.linalg.norm(difference, axis=-1)
    key = np.arange(len(error)) % stride == 0
    between, torso = error[~key], sequence.torso_px
    bend = np.linalg.norm(np.diff(difference, 2, axis=0), axis=-1)
    unit = np.abs(difference) / UNIT_PX
    return {
        "between": float(between.mean()), "key": float(error[key].mean()), "all": float(error.mean()),
        "p95": float(np.percentile(between, 95)), "torso": float(between.mean() / torso),
        **{f"pck{share:02d}": float((between < share / 100 * torso).mean()) for share in (5, 10, 20)},
        "acc": float(bend.mean()),
        "mse": float((unit**2).mean()), "mae": float(unit.mean()), "max": float(unit.max()),
    }  # fmt: skip
