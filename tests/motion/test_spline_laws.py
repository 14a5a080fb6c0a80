"""Laws of poses carried to other moments, on whatever hypothesis thinks of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rib.motion.splines import CubicMotion, LinearMotion, SplineMotion
from rib.structures.keypoints import PoseSequence

LIMITS = {"hold_s": 0.2, "half_life_s": 0.2, "max_absence_s": 1.0, "min_confidence": 0.0, "outliers": None}


@pytest.mark.parametrize("motion", [LinearMotion(**LIMITS), CubicMotion(**LIMITS)])
@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(st.floats(0.02, 0.4), min_size=2, max_size=12),
    seed=st.integers(0, 99),
    turn=st.floats(-3, 3),
    scale=st.floats(0.2, 5),
)
def test_keyframes_stay_and_moving_the_camera_moves_the_poses(
    motion: SplineMotion, steps: list[float], seed: int, turn: float, scale: float
) -> None:
    times_s, draw = np.cumsum([0.0, *steps]), np.random.default_rng(seed)
    joints = draw.uniform(10, 90, (len(times_s), 25, 2))
    wanted_s = np.sort(np.concatenate([times_s, draw.uniform(0, times_s[-1], 7)]))
    turned = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])

    def carried(points: np.ndarray) -> np.ndarray:
        poses = PoseSequence(points, np.ones(points.shape[:2]), times_s, "body25", (100, 100))
        return motion(poses, wanted_s).keypoints_px

    made = carried(joints)
    assert np.allclose(made[np.searchsorted(wanted_s, times_s)], joints, atol=1e-6)
    assert np.allclose(carried(joints @ turned.T + (3, -7)), made @ turned.T + (3, -7), atol=1e-5)
