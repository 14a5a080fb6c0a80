"""The look at the whole clip: cuts, poses and mattes, each kept as an artefact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from rib.io.cache import Cache
from rib.io.errors import RibError
from rib.pipeline.analysis.chosen_people import choose_people_to_draw, with_person_depth
from rib.pipeline.analysis.clip_walks import ClipAnalysisPasses
from rib.pipeline.analysis.moved_people import move_people
from rib.pipeline.analysis.pose_artefact import pose_tracks_in_file
from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.settings import LARGEST
from rib.pipeline.stage_set import StageSet
from rib.pipeline.timeline import OutputTimeline, constant_rate_timeline
from rib.structures.keypoints import PoseSequence, PoseTracks
from rib.structures.skeleton import BODY25_HANDS
from rib.video import FrameSource


@dataclass(frozen=True)
class ClipAnalyser:
    """Runs the stages that look at the whole clip.

    Attributes:
        stages: Pose, motion and mask.
        artefacts: Where results are kept.
        cuts: Settings of `find_scene_cuts`.
        people: Who is drawn: all, largest, or a list of track ids.
        poses: Whether an output asks for people whom nobody draws; else only a renderer does.
    """

    stages: StageSet
    artefacts: Cache
    cuts: Mapping[str, float]
    people: str | Sequence[int] = LARGEST
    poses: bool = True

    def __call__(self, source: FrameSource, moments: OutputTimeline | Fraction) -> ClipAnalysis:
        """Find cuts, people at the keyframes and in between, and mattes where the renderer needs them.

        Args:
            source: The clip.
            moments: The output's moments, or its frame rate: then they end with the last keyframe.
        """
        wanted = (
            moments
            if isinstance(moments, OutputTimeline)
            else constant_rate_timeline(source.times_s, moments)
        )
        wiring, folder = self.stages.wiring, self.artefacts.folder
        with closing(self._walks(source)) as walks:
            cuts = walks.cuts()
            if wiring.pose_from_motion:
                poses = self.stages.motion(_nobody(source, source.times_s), wanted.times_s, cuts)
                tracks = choose_people_to_draw(PoseTracks.of([replace(poses, track_id=1)]), self.people)
                keyframe_tracks = tracks[_nearest(wanted.times_s, source.times_s)]
            elif not self._looks_for_people:
                keyframe_tracks, tracks = (
                    PoseTracks.of([_nobody(source, times_s)]) for times_s in (source.times_s, wanted.times_s)
                )
            else:
                keyframe_tracks = with_person_depth(
                    self._who_can_be_cut_out(choose_people_to_draw(walks.people(), self.people))
                )
                with self.stages.watch("motion"):
                    tracks = move_people(self.stages.motion, keyframe_tracks, wanted, cuts, folder)
            keyframe_tracks, tracks = (pose_tracks_in_file(one, folder) for one in (keyframe_tracks, tracks))
            mattes = walks.mattes(keyframe_tracks) if "masks" in wiring.wanted else None
        return ClipAnalysis(
            source.times_s, wanted, tuple(cuts), keyframe_tracks, tracks, mattes, wiring.idle,
            self._looks_for_people,
        )  # fmt: skip

    @property
    def _looks_for_people(self) -> bool:
        """Whether anybody asks for people, or looking costs nothing: their poses are in files."""
        wiring = self.stages.wiring
        asked = self.poses or "keyframe_poses" in wiring.wanted or wiring.pose_from_motion
        return asked or not self.stages.pose.keep

    def _walks(self, source: FrameSource) -> ClipAnalysisPasses:
        return ClipAnalysisPasses(
            self.stages,
            self.artefacts,
            self.cuts,
            source,
            everybody=self.people != LARGEST,
            people=self._looks_for_people,
        )

    def _who_can_be_cut_out(self, people: PoseTracks) -> PoseTracks:
        """Everybody, or the first where the mattes come from a stage that knows one person alone."""
        alone = "masks" in self.stages.wiring.wanted and getattr(self.stages.mask, "one_person", False)
        if not alone or len(people.track_ids) == 1:
            return people
        if not isinstance(self.people, str):
            raise RibError(
                f"people={list(self.people)}, but {type(self.stages.mask).__name__} has mattes of one person",
                "name one of them, or leave mask= out",
            )
        return people.only(people.track_ids[:1])


def _nearest(times_s: np.ndarray, wanted_s: np.ndarray) -> np.ndarray:
    """Index of the nearest of some increasing times to each wanted one; of two equally near the earlier."""
    return np.searchsorted((times_s[1:] + times_s[:-1]) / 2, wanted_s)


def _nobody(source: FrameSource, times_s: np.ndarray) -> PoseSequence:
    return PoseSequence.of_nobody(times_s, len(BODY25_HANDS), "body25_hands", source.size_px, track_id=1)
