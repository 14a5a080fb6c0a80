"""Synthetic people who walk about and swing their limbs: motion for tests and demos, from a seed."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from rib.mocap.kinematics import forward_kinematics
from rib.mocap.recording import MocapRecording
from rib.structures.skeleton import BODY19

# joint: (parent, offset from it as parts of the standing height), facing +z, arms hanging; y up, left is +x
TREE = {
    "mid_hip": ("", (0, 0, 0)),
    "neck": ("mid_hip", (0, 0.28, 0)),
    "nose": ("neck", (0, 0.10, 0.05)),
    **{f"{side}_shoulder": ("neck", (sign * 0.11, 0, 0)) for side, sign in (("left", 1), ("right", -1))},
    **{f"{side}_elbow": (f"{side}_shoulder", (0, -0.17, 0)) for side in ("left", "right")},
    **{f"{side}_wrist": (f"{side}_elbow", (0, -0.15, 0)) for side in ("left", "right")},
    **{f"{side}_hand": (f"{side}_wrist", (0, -0.05, 0)) for side in ("left", "right")},
    **{f"{side}_hip": ("mid_hip", (sign * 0.055, 0, 0)) for side, sign in (("left", 1), ("right", -1))},
    **{f"{side}_knee": (f"{side}_hip", (0, -0.245, 0)) for side in ("left", "right")},
    **{f"{side}_ankle": (f"{side}_knee", (0, -0.235, 0)) for side in ("left", "right")},
    **{f"{side}_big_toe": (f"{side}_ankle", (0, -0.035, 0.11)) for side in ("left", "right")},
}
NAMES = tuple(TREE)
PARENTS = tuple(NAMES.index(parent) if parent else -1 for parent, _ in TREE.values())
LEG = 0.515  # floor to hip, parts of the standing height


def synthetic_mocap_recordings(count: int, frames: int, fps: float, seed: int) -> list[MocapRecording]:
    """People who walk along a curve, swing their arms at random and bend their knees in step.

    Recording i depends on `seed` and i alone. Bones keep their lengths and joints move smoothly (no frequency
    above 3 Hz in any joint angle).

    Args:
        count: How many people.
        frames: Frames a person.
        fps: Frames a second.
        seed: Any whole number.
    """
    return [
        _person(f"synthetic/{index:04d}", frames, fps, np.random.default_rng([seed, index]))
        for index in range(count)
    ]


def _person(name: str, frames: int, fps: float, rng: np.random.Generator) -> MocapRecording:
    times_s = np.arange(frames) / fps
    stature_m = rng.uniform(1.55, 1.95)
    offsets = (
        np.array([offset for _, offset in TREE.values()])
        * stature_m
        * rng.uniform(0.98, 1.02, (len(TREE), 1))
    )
    angles_rad = np.stack([_wave(times_s, rng, 0.12, size=3) for _ in TREE], axis=1)
    step_hz = rng.uniform(0.7, 1.1)
    gait = 2 * np.pi * step_hz * times_s + rng.uniform(0, 2 * np.pi)
    _walk(angles_rad, gait, rng.uniform(0.3, 0.6))
    for side in ("left", "right"):
        angles_rad[:, NAMES.index(f"{side}_shoulder")] += _wave(times_s, rng, 0.5, size=3)
        angles_rad[:, NAMES.index(f"{side}_elbow"), 0] -= np.abs(rng.normal(0.7, 0.3))
    heading_rad = rng.uniform(0, 2 * np.pi) + _wave(times_s, rng, 0.8)
    angles_rad[:, 0, 1] += heading_rad
    step_m = (
        rng.uniform(0, 1.6) / fps * np.stack([np.sin(heading_rad), 0 * times_s, np.cos(heading_rad)], axis=-1)
    )
    root_m = np.cumsum(step_m, axis=0) + np.array([0, LEG * stature_m, 0])
    root_m[:, 1] += 0.012 * stature_m * np.cos(2 * gait)
    rotations = Rotation.from_euler("YXZ", angles_rad[..., [1, 0, 2]].reshape(-1, 3)).as_matrix()
    local = rotations.reshape(frames, len(TREE), 3, 3)
    joints_m = forward_kinematics(local, offsets, PARENTS) + root_m[:, None]
    order = [NAMES.index(joint) for joint in BODY19]
    return MocapRecording(name, joints_m[:, order], BODY19, float(fps), name, "synthetic")


def _walk(angles_rad: np.ndarray, gait_rad: np.ndarray, swing_rad: float) -> None:
    """Add a gait in place: legs and arms in opposition, knees bent while their leg swings forward."""
    for side, phase in (("left", 0.0), ("right", np.pi)):
        swing = np.sin(gait_rad + phase)
        angles_rad[:, NAMES.index(f"{side}_hip"), 0] -= swing_rad * swing
        angles_rad[:, NAMES.index(f"{side}_shoulder"), 0] += 0.8 * swing_rad * swing
        angles_rad[:, NAMES.index(f"{side}_knee"), 0] += swing_rad * (1 + np.cos(gait_rad + phase))


def _wave(times_s: np.ndarray, rng: np.random.Generator, scale: float, size: int | None = None) -> np.ndarray:
    """A smooth signal, (T,) or (T, size): three sines of 0.1 to 1.5 Hz, standard deviation about `scale`."""
    shape = (3, 1) if size is None else (3, 1, size)
    hz, phase = rng.uniform(0.1, 1.5, shape), rng.uniform(0, 2 * np.pi, shape)
    amplitude = (
        scale * rng.uniform(0.4, 1.2, shape) * np.minimum(1, 0.6 / hz)
    )  # slow swings are the wide ones
    time = times_s if size is None else times_s[:, None]
    return (amplitude * np.sin(2 * np.pi * hz * time + phase)).sum(axis=0)
