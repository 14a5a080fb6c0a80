"""The look at the whole clip: cuts, poses and mattes, each kept as an artefact."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rib.io.cache import Cache
from rib.pipeline.analysis import Analysis
from rib.pipeline.pose_artefact import FORMAT, digest, load_tracks, save_tracks
from rib.pipeline.stage_set import StageSet
from rib.pipeline.times import Timeline, timeline
from rib.pipeline.watch import bar
from rib.structures.keypoints import PoseSequence, PoseTracks
from rib.structures.skeleton import BODY25_HANDS
from rib.video import FrameSource
from rib.video.cuts import find_cuts


@dataclass(frozen=True)
class Analyser:
    """Runs the stages that look at the whole clip.

    Attributes:
        stages: Pose, motion and mask.
        artefacts: Where results are kept.
        cuts: Settings of `find_cuts`.
    """

    stages: StageSet
    artefacts: Cache
    cuts: Mapping[str, float]

    def __call__(self, source: FrameSource, moments: Timeline | Fraction) -> Analysis:
        """Find cuts, people at the keyframes and in between, and mattes where the renderer needs them.

        Args:
            source: The clip.
            moments: The output's moments, or its frame rate: then they end with the last keyframe.
        """
        wanted = moments if isinstance(moments, Timeline) else timeline(source.times_s, moments)
        wiring = self.stages.wiring
        cuts, cuts_key = self._find_cuts(source)
        if wiring.pose_from_motion:
            poses = self.stages.motion(_nobody(source), wanted.times_s, cuts)
            tracks = PoseTracks.of([poses])
            keyframe_tracks = tracks[_nearest(wanted.times_s, source.times_s)]
        else:
            keyframe_tracks = self._find_people(source, cuts, cuts_key)
            tracks = self._move(keyframe_tracks, wanted, cuts)
        mattes = self._cut_out(source, keyframe_tracks) if "masks" in wiring.wanted else None
        return Analysis(source.times_s, wanted, tuple(cuts), keyframe_tracks, tracks, mattes, wiring.idle)

    def _find_cuts(self, source: FrameSource) -> tuple[list[int], str]:
        def make(folder: Path) -> None:
            with self.stages.watch("cuts"):
                found = find_cuts(bar(source, len(source), "looking for cuts"), **self.cuts)
            np.save(folder / "cuts.npy", np.array(found, dtype=np.int64))

        folder, key = self.artefacts.get("cuts", self.cuts, [source.fingerprint()], make)
        return np.load(folder / "cuts.npy").tolist(), key

    def _find_people(self, source: FrameSource, cuts: Sequence[int], cuts_key: str) -> PoseTracks:
        stage = self.stages.pose
        if not stage.keep:
            return _tracks(stage(source, cuts))

        def make(folder: Path) -> None:
            with self.stages.watch("pose"):
                found = stage(_Barred(source, "finding poses"), cuts)
                save_tracks(_tracks(found), folder / "poses.npz")

        recipe = {"pose": self.stages.recipes["pose"], "format": FORMAT}
        parents = [source.fingerprint(), cuts_key]
        folder, _ = self.artefacts.get("poses", recipe, parents, make)
        return load_tracks(folder / "poses.npz")

    def _move(self, people: PoseTracks, wanted: Timeline, cuts: Sequence[int]) -> PoseTracks:
        """The people at the output's moments; the last ones are held for those after the last keyframe."""
        moving_s = wanted.times_s[: len(wanted) - wanted.held]
        with self.stages.watch("motion"):
            each = [
                replace(self.stages.motion(people.person(one), moving_s, cuts), track_id=one)
                for one in people.track_ids
            ]
        moving = PoseTracks.of(each, _depth_at(people, moving_s))
        held = moving[np.minimum(np.arange(len(wanted)), len(moving) - 1)]
        return replace(held, times_s=wanted.times_s)

    def _cut_out(self, source: FrameSource, people: PoseTracks) -> dict[int, Path]:
        folders = {}
        for track_id in people.track_ids:
            poses = people.person(track_id)
            parents = [source.fingerprint(), digest(poses)]
            make = self._mattes_of(source, poses)
            folders[track_id], _ = self.artefacts.get("masks", self.stages.recipes["mask"], parents, make)
        return folders

    def _mattes_of(self, source: FrameSource, poses: PoseSequence) -> Callable[[Path], None]:
        def make(folder: Path) -> None:
            with self.stages.watch("mask"):
                walk = _Barred(source, "cutting out the person")
                for index, matte in enumerate(self.stages.mask(walk, poses)):
                    content = cv2.imencode(".png", np.round(matte * 255).astype(np.uint8))[1]
                    (folder / f"{index:06d}.png").write_bytes(content.tobytes())

        return make


def _tracks(found: PoseSequence | PoseTracks) -> PoseTracks:
    return found if isinstance(found, PoseTracks) else PoseTracks.of([found])


def _nearest(times_s: np.ndarray, wanted_s: np.ndarray) -> np.ndarray:
    """Index of the nearest of some increasing times to each wanted one; of two equally near the earlier."""
    return np.searchsorted((times_s[1:] + times_s[:-1]) / 2, wanted_s)


def _depth_at(people: PoseTracks, times_s: np.ndarray) -> np.ndarray | None:
    """(N, P) depth of people between the keyframes that tell it."""
    if people.person_depth is None:
        return None
    depth = np.zeros((len(times_s), len(people.track_ids)))
    for person, column in enumerate(people.person_depth.T):
        known = np.isfinite(column)
        if known.any():
            depth[:, person] = np.interp(times_s, people.times_s[known], column[known])
    return depth


def _nobody(source: FrameSource) -> PoseSequence:
    num_moments, num_joints = len(source), len(BODY25_HANDS)
    return PoseSequence(
        keypoints_px=np.zeros((num_moments, num_joints, 2)),
        confidence=np.zeros((num_moments, num_joints)),
        times_s=source.times_s,
        joint_set="body25_hands",
        size_px=source.size_px,
    )


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
