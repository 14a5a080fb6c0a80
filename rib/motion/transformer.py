"""`motion=transformer`: the trained net as a stage of the chain."""

from __future__ import annotations

from functools import cache
from typing import Annotated

import numpy as np
import torch

from rib.io.settings.ranges import Seconds, Share, TorchDevice
from rib.motion.missing_spans import MotionExtrapolationLimit, fill_missing_spans
from rib.motion.nets.checkpoint import load_motion_net, shipped_motion_weights
from rib.motion.splines import CubicMotion
from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import BODY19, convert_pose, joint_set_named

MOMENTS = 8192
"""Moments read from the curve in one go: memory does not grow with the clip."""


class TransformerMotion(CubicMotion):
    """Denoises the 19 joints of keyframes and moves them in between; other joints ride on their limb.

    A joint that is not among the 19 (ears, fingers, heels) is carried as its offset from the nearest of them
    on its limb, by a natural cubic spline. Cuts and long absences are treated as by `motion=cubic`.

    Args:
        weights: A file that `rib train` made (.ckpt or .safetensors); None takes the weights that come with
            rib.
        device: Where the net runs, e.g. "cpu" or "cuda".
        hold_s: Seconds before its first and after its last observation for which a joint stays where it is.
        half_life_s: Seconds to the nearest observation that halve the confidence of a joint outside the 19.
        max_absence_s: Seconds for which the whole person may be away and still be interpolated.
        min_confidence: A joint below it (0..1) counts as missing.
    """

    def __init__(
        self,
        weights: str | None,
        device: Annotated[str, TorchDevice(auto=True)],
        hold_s: Seconds,
        half_life_s: Seconds,
        max_absence_s: Seconds,
        min_confidence: Share,
    ) -> None:
        super().__init__(hold_s, half_life_s, max_absence_s, min_confidence, outliers=None)
        self.device = torch.device(_available(device))
        self.net = load_motion_net(weights or shipped_motion_weights()).to(self.device)

    def _move(self, poses: PoseSequence, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        body = convert_pose(poses, "body19")
        moved, belief = self._move_body(body, times_s)
        carrier = motion_carrier_joints(poses.joint_set)
        known = (poses.confidence > 0) & (body.confidence[:, carrier] > 0)
        offset = np.where(known[..., None], poses.keypoints_px - body.keypoints_px[:, carrier], 0.0)
        start_s = poses.times_s[0]
        riding, rider_belief = fill_missing_spans(
            self.interpolate, poses.times_s - start_s, offset, np.where(known, poses.confidence, 0.0),
            times_s - start_s, self.hold,
        )  # fmt: skip
        exact = np.array([name in BODY19 for name in joint_set_named(poses.joint_set).joints])
        keypoints_px = np.where(exact[:, None], moved[:, carrier], moved[:, carrier] + riding)
        confidence = np.where(exact, belief[:, carrier], np.minimum(rider_belief, belief[:, carrier]))
        return np.where(confidence[..., None] > 0, keypoints_px, 0.0), confidence

    def _move_body(self, body: PoseSequence, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The 19 joints at moments (N,): (N, 19, 2) and (N, 19)."""
        centre = (
            body.keypoints_px[body.confidence > 0].mean(0) if (body.confidence > 0).any() else np.zeros(2)
        )
        as_tensor = lambda a, kind=torch.float32: torch.as_tensor(a, dtype=kind, device=self.device)[None]  # noqa: E731
        start_s = body.times_s[0]
        moments = as_tensor(times_s - start_s, torch.float64)
        with torch.inference_mode():
            curve = self.net(
                as_tensor(body.times_s - start_s, torch.float64), as_tensor(body.keypoints_px - centre),
                as_tensor(body.confidence),
            )  # fmt: skip
            parts = [curve.at(part) for part in moments.split(MOMENTS, 1)]
        keypoints_px = torch.cat([p for p, _ in parts], 1)[0].double().cpu().numpy() + centre
        confidence = torch.cat([c for _, c in parts], 1)[0].double().cpu().numpy()
        return keypoints_px, confidence * self._believed(body, times_s)

    def _believed(self, body: PoseSequence, times_s: np.ndarray) -> np.ndarray:
        """(N, 19) 0 or 1: a joint is unknown beyond `hold_s` of its first and last observation."""
        reach = MotionExtrapolationLimit(self.hold.hold_s, np.inf)
        seen = (body.confidence > 0).astype(float)
        return (
            fill_missing_spans(self.interpolate, body.times_s, seen[..., None], seen, times_s, reach)[1] > 0
        ).astype(float)


@cache
def motion_carrier_joints(name: str) -> np.ndarray:
    """For each joint of a set, the one of the 19 that it is or that carries it."""
    joints = joint_set_named(name)
    near: dict[int, set[int]] = {j: set() for j in range(len(joints))}
    for a, b in joints.limbs:
        near[a].add(b)
        near[b].add(a)
    return np.array([_carrier(j, joints.joints, near) for j in range(len(joints))])


def _carrier(joint: int, names: tuple[str, ...], near: dict[int, set[int]]) -> int:
    """The hand for a hand's points; else the first of the 19 met along the limbs, or the nose."""
    for side in ("left", "right"):
        if names[joint].startswith(f"{side}_hand_"):
            return BODY19.index(f"{side}_hand")
    seen, edge = {joint}, [joint]
    while edge:
        found = sorted(BODY19.index(names[j]) for j in edge if names[j] in BODY19)
        if found:
            return found[0]
        edge = [n for j in edge for n in near[j] if n not in seen]
        seen.update(edge)
    return BODY19.index("nose")


def _available(device: str) -> str:
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"
