"""The look at the whole clip: small results, kept as artefacts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rib.pipeline.times import Timeline, timeline
from rib.pipeline.watch import bar
from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import BODY25_HANDS
from rib.video import FrameSource
from rib.video.cuts import find_cuts

if TYPE_CHECKING:
    from rib.pipeline.chain import Chain


@dataclass(frozen=True)
class Fallback:
    """A stretch of the clip where the interpolator stands alone, and why."""

    start_s: float
    end_s: float
    why: str


@dataclass(frozen=True)
class Analysis:
    """What the chain knows about a clip before it makes a picture.

    Attributes:
        keyframe_times_s: (K,) seconds.
        timeline: The output's moments.
        cuts: Keyframes that begin a new shot.
        keyframe_poses: The followed person at the keyframes.
        poses: The same person at the output's moments.
        masks: A folder of one 8-bit matte a keyframe, or None where no stage needs them.
        idle: Why no person is rendered in the whole clip, or "".
    """

    keyframe_times_s: np.ndarray
    timeline: Timeline
    cuts: tuple[int, ...]
    keyframe_poses: PoseSequence
    poses: PoseSequence
    masks: Path | None
    idle: str = ""

    def person_at(self, *keyframes: int) -> bool:
        """Whether the person was found in all of these keyframes."""
        return bool(self.keyframe_poses.present[list(keyframes)].all())

    def mask(self, keyframe: int) -> np.ndarray:
        """(H, W) float32 in 0..1."""
        assert self.masks is not None
        stored = cv2.imread(str(self.masks / f"{keyframe:06d}.png"), cv2.IMREAD_GRAYSCALE)
        assert stored is not None
        return stored.astype(np.float32) / 255

    @property
    def fallbacks(self) -> list[Fallback]:
        """Where no person is rendered, and why; neighbouring gaps are told as one."""
        found: list[Fallback] = []
        for gap in range(len(self.keyframe_times_s) - 1):
            why = "scene cut: the nearer keyframe is held" if gap + 1 in self.cuts else self.idle
            if not why and not self.person_at(gap, gap + 1):
                why = "no person found"
            if not why:
                continue
            start, end = (float(t) for t in self.keyframe_times_s[gap : gap + 2])
            if found and found[-1].why == why and found[-1].end_s == start:
                start = found.pop().start_s
            found.append(Fallback(start, end, why))
        return found


def analyse(chain: Chain, source: FrameSource, moments: Timeline | Fraction) -> Analysis:
    """Run the stages that look at the whole clip; see `Chain.analyse`."""
    wanted = moments if isinstance(moments, Timeline) else timeline(source.times_s, moments)
    fingerprint = source.fingerprint()
    cuts, cuts_key = _cuts(chain, source, fingerprint)
    if chain.wiring.pose_from_motion:
        poses = chain.stage("motion")(_nobody(source), wanted.times_s, cuts)
        keyframe_poses = poses[np.abs(wanted.times_s[None] - source.times_s[:, None]).argmin(axis=1)]
    else:
        keyframe_poses = _keyframe_poses(chain, source, fingerprint, cuts, cuts_key)
        with chain.watch("motion"):
            moving = wanted.times_s[: len(wanted) - wanted.held]
            poses = _held(chain.stage("motion")(keyframe_poses, moving, cuts), wanted.times_s)
    masks = _masks(chain, source, fingerprint, keyframe_poses) if "masks" in chain.wiring.wanted else None
    return Analysis(source.times_s, wanted, tuple(cuts), keyframe_poses, poses, masks, chain.wiring.idle)


def _held(poses: PoseSequence, times_s: np.ndarray) -> PoseSequence:
    """The same poses, the last one held for the times that follow it."""
    return replace(poses[np.minimum(np.arange(len(times_s)), len(poses) - 1)], times_s=times_s)


def _cuts(chain: Chain, source: FrameSource, fingerprint: str) -> tuple[list[int], str]:
    def make(folder: Path) -> None:
        with chain.watch("cuts"):
            found = find_cuts(bar(source, len(source), "looking for cuts"), **chain.cuts)
        np.save(folder / "cuts.npy", np.array(found, dtype=np.int64))

    folder, key = chain.artefacts.get("cuts", chain.cuts, [fingerprint], make)
    return np.load(folder / "cuts.npy").tolist(), key


def _keyframe_poses(
    chain: Chain, source: FrameSource, fingerprint: str, cuts: Sequence[int], cuts_key: str
) -> PoseSequence:
    stage = chain.stage("pose")
    if not getattr(stage, "keep", True):  # poses read from files are on disk already
        return stage(source, cuts)

    def make(folder: Path) -> None:
        with chain.watch("pose"):
            save_poses(stage(_Barred(source, "finding poses"), cuts), folder / "poses.npz")

    folder, _ = chain.artefacts.get("poses", chain.recipes["pose"], [fingerprint, cuts_key], make)
    return load_poses(folder / "poses.npz")


def _nobody(source: FrameSource) -> PoseSequence:
    num_moments, num_joints = len(source), len(BODY25_HANDS)
    return PoseSequence(
        keypoints_px=np.zeros((num_moments, num_joints, 2)),
        confidence=np.zeros((num_moments, num_joints)),
        times_s=source.times_s,
        joint_set="body25_hands",
        size_px=source.size_px,
    )


def _masks(chain: Chain, source: FrameSource, fingerprint: str, poses: PoseSequence) -> Path:
    stage = chain.stage("mask")

    def make(folder: Path) -> None:
        with chain.watch("mask"):
            for index, matte in enumerate(stage(_Barred(source, "cutting out the person"), poses)):
                content = cv2.imencode(".png", np.round(matte * 255).astype(np.uint8))[1]
                (folder / f"{index:06d}.png").write_bytes(content.tobytes())

    return chain.artefacts.get("masks", chain.recipes["mask"], [fingerprint, digest(poses)], make)[0]


class _Barred:
    """A source whose frames pass under a progress bar."""

    def __init__(self, source: FrameSource, label: str) -> None:
        self._source, self._label = source, label

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def __len__(self) -> int:
        return len(self._source)

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(bar(self._source, len(self._source), self._label))


def save_poses(poses: PoseSequence, path: Path) -> None:
    """Every field of a `PoseSequence` as an .npz."""
    arrays: dict[str, Any] = {f.name: getattr(poses, f.name) for f in fields(poses)}
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})


def load_poses(path: Path) -> PoseSequence:
    """What `save_poses` wrote, bit by bit."""
    with np.load(path, allow_pickle=False) as stored:
        return PoseSequence(
            keypoints_px=stored["keypoints_px"],
            confidence=stored["confidence"],
            times_s=stored["times_s"],
            joint_set=str(stored["joint_set"]),
            size_px=(int(stored["size_px"][0]), int(stored["size_px"][1])),
            depth_order=stored.get("depth_order"),
            track_id=int(stored["track_id"]),
        )


def digest(poses: PoseSequence) -> str:
    """A hash of a `PoseSequence`'s content."""
    parts = [poses.keypoints_px, poses.confidence, poses.times_s, np.array(poses.size_px)]
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()
