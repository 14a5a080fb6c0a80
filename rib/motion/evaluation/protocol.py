"""The scoring protocol: seeded 2-D sequences of motion capture, and what a detector makes of their keyframes.

Every draw comes from numpy's default generator with a stated seed, so that another program can repeat it.
Letters: N frames, K keyframes, J joints.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rib.io.errors import RibError
from rib.mocap.stores.bank import MotionBank
from rib.motion.corruption.detector_noise import DetectorErrors
from rib.structures.skeleton import BODY19

FPS = 60.0
HEIGHT_PX, DISTANCE_M, CLEARANCE_M, CENTRE_PX = 250.0, 4.0, 1.8, 256.0
NUM_VIEWS, MAX_PITCH_RAD = 4, 0.15
LONGEST_STRIDE = 16
KEYFRAMES = (7, 21)
SHORTEST = 65
FRAMES_A_WINDOW = 240
WHITE, DISPLACED, SWAPS, LIMBS_LOST, MISSING = 0.015, 0.15, 0.02, 0.02, 0.05
"""White noise and displacement in heights; shares of keyframes swapped, displaced, of joints missing."""


def _numbers(names: str) -> list[int]:
    return [BODY19.index(name) for name in names.split()]


RIGHT_LEG = _numbers("right_hip right_knee right_ankle right_big_toe")
LEFT_LEG = _numbers("left_hip left_knee left_ankle left_big_toe")
LIMBS = [
    _numbers("right_elbow right_wrist right_hand"), _numbers("left_elbow left_wrist left_hand"),
    _numbers("right_knee right_ankle right_big_toe"), _numbers("left_knee left_ankle left_big_toe"),
]  # fmt: skip
TORSO = _numbers("neck mid_hip")
DRAWS = {"clean": 0, "detector": 1, "real": 2}
"""The last but one word of a condition's seed."""


@dataclass(frozen=True)
class MotionTestSequence:
    """A person seen by a still camera.

    Attributes:
        clip: The recording's name.
        joints_px: (N, 19, 2) the truth at 60 frames a second, of a person 250 px tall.
        scored: (19,) bool, False for joints that the recording does not have.
        torso_px: Length of the torso.
        seed: What its keyframes' noise is drawn from.
    """

    clip: str
    joints_px: np.ndarray
    scored: np.ndarray
    torso_px: float
    seed: tuple[int, ...]

    @property
    def times_s(self) -> np.ndarray:
        """(N,) seconds."""
        return np.arange(len(self.joints_px)) / FPS


@dataclass(frozen=True)
class CorruptionCondition:
    """A corruption of keyframes under which methods are scored.

    Attributes:
        name: In tables.
        kind: "clean", "detector" (drawn) or "real" (errors of real detectors).
        noise: Factor of the drawn white noise.
    """

    name: str
    kind: str
    noise: float = 1.0


def motion_test_sequences(bank: MotionBank, seed: int, max_windows: int) -> Iterator[MotionTestSequence]:
    """Up to `max_windows` windows of every recording, each from four sides.

    A window has 16 n + 1 frames, n in 7..20 (shorter only for short recordings, at least 65 frames).

    Raises:
        RibError: The bank is not of 60 frames a second.
    """
    if bank.fps != FPS:
        raise RibError(f"the protocol takes {FPS:g} frames a second, not {bank.fps:g}", "prepare with fps=60")
    for number in range(len(bank)):
        joints_m = bank[number].double().numpy()
        rng, length = np.random.default_rng([seed, number]), len(joints_m)
        for window in range(int(np.clip(round(length / FRAMES_A_WINDOW), 1, max_windows))):
            pieces = min(int(rng.integers(*KEYFRAMES)), (length - 1) // LONGEST_STRIDE)
            if LONGEST_STRIDE * pieces + 1 < SHORTEST:
                continue
            first = int(rng.integers(0, length - LONGEST_STRIDE * pieces))
            part = joints_m[first : first + LONGEST_STRIDE * pieces + 1]
            yaw_rad = rng.uniform(0, 2 * np.pi)
            for view in range(NUM_VIEWS):
                px_per_m = HEIGHT_PX / float(bank.stature_m[number])
                pitch_rad = rng.uniform(-MAX_PITCH_RAD, MAX_PITCH_RAD)
                seen = _project(part, px_per_m, yaw_rad + view * 2 * np.pi / NUM_VIEWS, pitch_rad)
                torso = max(_torso(seen), 0.6 * px_per_m * _torso(part))
                scored = bank.valid[number].numpy()
                yield MotionTestSequence(
                    bank.names[number], seen, scored, torso, (seed, number, window, view)
                )


def _project(joints_m: np.ndarray, px_per_m: float, yaw_rad: float, pitch_rad: float) -> np.ndarray:
    """(N, 19, 2) px of a perspective camera 4 m away; it steps back from who comes nearer than 1.8 m."""
    cy, sy, cp, sp = np.cos(yaw_rad), np.sin(yaw_rad), np.cos(pitch_rad), np.sin(pitch_rad)
    turn = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]]) @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    seen = (joints_m - joints_m[:, TORSO[1]].mean(0)) @ turn.T
    distance_m = max(DISTANCE_M, CLEARANCE_M - seen[..., 2].min())
    picture = px_per_m * distance_m * seen[..., :2] / (seen[..., 2:] + distance_m)
    return picture * [1, -1] + CENTRE_PX


def _torso(joints: np.ndarray) -> float:
    return float(np.median(np.linalg.norm(joints[:, TORSO[0]] - joints[:, TORSO[1]], axis=-1)))


def corrupted_motion_keyframes(
    sequence: MotionTestSequence,
    stride: int,
    condition: CorruptionCondition,
    errors: DetectorErrors | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Every `stride`-th frame as a detector would give it.

    Returns:
        (K, 19, 2) px, 0 where missing, and confidence (K, 19), 0 where missing.
    """
    x = sequence.joints_px[::stride].copy()
    rng = np.random.default_rng([*sequence.seed, DRAWS[condition.kind], stride])
    confidence = np.ones(x.shape[:2])
    if condition.kind == "detector":
        x, confidence = _drawn(x, condition.noise, rng)
    elif condition.kind == "real":
        assert errors is not None
        error, confidence = _measured(sequence.times_s[::stride], errors, rng)
        x += error * HEIGHT_PX
    missing = confidence <= 0
    x[missing] = confidence[missing] = 0
    return x, confidence


def _drawn(x: np.ndarray, noise: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """White noise, legs swapped, limbs displaced, joints missing; confidence says nothing."""
    x = x + rng.normal(0, noise * WHITE * HEIGHT_PX, x.shape)
    confidence: Any = np.clip(0.75 + 0.1 * rng.normal(size=x.shape[:2]), 0.2, 1.0)
    for k in np.flatnonzero(rng.random(len(x)) < SWAPS):
        x[k, RIGHT_LEG], x[k, LEFT_LEG] = x[k, LEFT_LEG].copy(), x[k, RIGHT_LEG].copy()
    for k in np.flatnonzero(rng.random(len(x)) < LIMBS_LOST):
        limb = LIMBS[rng.integers(len(LIMBS))]
        x[k, limb] += rng.normal(0, DISPLACED * HEIGHT_PX, (len(limb), 2))
    confidence[rng.random(confidence.shape) < MISSING] = 0
    return x, confidence


def _measured(
    times_s: np.ndarray, errors: DetectorErrors, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Errors of a real track from a drawn moment on, there and back again."""
    track = int(rng.integers(len(errors.length)))
    length = int(errors.length[track])
    frame = int(rng.integers(length)) + np.round(times_s * float(errors.fps[track])).astype(int)
    frame = frame % (2 * length - 2)
    frame = np.where(frame < length, frame, 2 * length - 2 - frame)
    return errors.error[track].double().numpy()[frame], errors.confidence[track].double().numpy()[frame]
