"""The shipped motion net as a method of the scorer.

    python motion_eval.py --mocap HELD_OUT_CLIPS --detections openpose_json \\
        --plugin scorer_plugin:methods --out result.json

RIB_MOTION_WEIGHTS names other weights.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import torch

from rib.motion.nets.checkpoint import load_motion_net, shipped_motion_weights

Method = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def load() -> torch.nn.Module:
    """The net of RIB_MOTION_WEIGHTS, or the shipped one, on one thread."""
    torch.set_num_threads(1)
    return load_motion_net(os.environ.get("RIB_MOTION_WEIGHTS") or shipped_motion_weights())


def methods() -> dict[str, Method]:
    """`{name: f}` with f(times (K,), joints (K, 19, 2), confidence (K, 19), query (Q,)) -> (Q, 19, 2)."""
    net = load()

    def motion_base(
        times_s: np.ndarray, joints: np.ndarray, confidence: np.ndarray, query_s: np.ndarray
    ) -> np.ndarray:
        with torch.inference_mode():
            curve = net(
                torch.as_tensor(times_s)[None],
                torch.as_tensor(joints, dtype=torch.float32)[None],
                torch.as_tensor(confidence, dtype=torch.float32)[None],
            )
            return curve.at(torch.as_tensor(query_s)[None])[0][0].double().numpy()

    return {"motion_base": motion_base}
