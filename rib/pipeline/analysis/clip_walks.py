"""Cuts, people and mattes of a clip, in as few walks over its frames as can be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, nullcontext
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from rib.io.cache import Cache
from rib.io.processes.memory import trim_memory, trim_memory_between_frames
from rib.pipeline.analysis.chosen_people import at_least_one_track, find_people_for_analysis
from rib.pipeline.analysis.matte_spool import AnalysisMatteSpool
from rib.pipeline.analysis.pose_artefact import (
    FORMAT,
    analysis_pose_digest,
    load_analysis_pose_tracks,
    load_analysis_rois,
    save_analysis_pose_tracks,
    save_analysis_rois,
)
from rib.pipeline.progress import progress_bar
from rib.pipeline.stage_set import StageSet
from rib.pipeline.stages import (
    PoseStagePass,
    SharedPassMaskStage,
    SharedPassPoseStage,
    mattes_share_pose_looks,
)
from rib.structures.keypoints import PoseTracks
from rib.video import FrameSource
from rib.video.cuts import mark_scene_cuts

CUTS_FORMAT = 2
"""Goes up when the same clip gets other cuts, so that those of an earlier version are not taken."""


class ClipAnalysisPasses:
    """Looks at a clip for the chain's analysis; asked for cuts, people and mattes in this order.

    Where nothing is kept from earlier, cuts and people are found in one walk, and people are looked at
    closely and cut out in a second. What is kept costs no walk. Mattes of people whose poses are kept are
    made of the same second look as they would have been then.

    Args:
        stages: Pose and mask.
        artefacts: Where results are kept.
        cuts: Settings of `mark_scene_cuts`.
        source: The clip.
        everybody: Whether everybody is followed, or only the most prominent person, as number 1.
        people: Whether people will be asked for.
    """

    def __init__(
        self,
        stages: StageSet,
        artefacts: Cache,
        cuts: Mapping[str, float],
        source: FrameSource,
        everybody: bool = False,
        people: bool = True,
    ) -> None:
        self._stages, self._artefacts, self._settings, self._source = stages, artefacts, cuts, source
        self._everybody, self._looks_for_people = everybody, people
        self._spool = AnalysisMatteSpool(artefacts.folder)
        self._seen: PoseStagePass | None = None
        self._rois: dict[int, np.ndarray] = {}
        self._cuts: list[int] = []

    def cuts(self) -> list[int]:
        """Keyframes that begin a new shot."""
        folder, _ = self._artefacts.get("cuts", self._cut_recipe, [self._fingerprint], self._make_cuts)
        self._cuts = np.load(folder / "cuts.npy").tolist()
        return self._cuts

    def people(self) -> PoseTracks:
        """Everybody who is followed, at the keyframes."""
        stage = self._stages.pose
        if not stage.keep:
            return find_people_for_analysis(stage, self._source, self._cuts, self._everybody)
        folder, _ = self._artefacts.get("poses", self._pose_recipe, self._pose_parents, self._make_poses)
        if (rois := folder / "rois.npz").is_file():
            self._rois = load_analysis_rois(rois)
        return at_least_one_track(load_analysis_pose_tracks(folder / "poses"))

    def mattes(self, people: PoseTracks) -> dict[int, Path]:
        """By track id a folder of one 8-bit matte a keyframe.

        Args:
            people: At the keyframes.
        """
        recipe, folders = self._stages.recipes["mask"], {}
        looked = ["seen with the pose"] if self._share_looks else []
        for track_id in people.track_ids:
            parents = [self._fingerprint, analysis_pose_digest(people.person(track_id)), *looked]
            make = partial(self._make_mattes, people, track_id)
            folders[track_id], _ = self._artefacts.get("masks", recipe, parents, make)
        return folders

    def close(self) -> None:
        """Free networks and temporary files."""
        self._spool.close()
        if self._seen is not None:
            self._seen.close()
            self._seen = None
            trim_memory()  # the nets of poses leave 200 MB

    @property
    def _share_looks(self) -> bool:
        stages = self._stages
        return mattes_share_pose_looks(stages.pose, stages.mask, stages.wiring)

    @cached_property
    def _fingerprint(self) -> str:
        return self._source.fingerprint()

    @property
    def _cut_recipe(self) -> dict[str, Any]:
        return {**self._settings, "format": CUTS_FORMAT}

    @property
    def _pose_recipe(self) -> dict[str, Any]:
        return {"pose": self._stages.recipes["pose"], "format": FORMAT, "everybody": self._everybody}

    @property
    def _pose_parents(self) -> list[str]:
        return [self._fingerprint, self._artefacts.key("cuts", self._cut_recipe, [self._fingerprint])]

    def _make_cuts(self, folder: Path) -> None:
        self._seen, found = self._begin(), []
        with self._stages.watch("cuts"):
            marked = mark_scene_cuts(self._frames("looking for cuts and people"), **self._settings)
            for index, (picture, begins_shot) in enumerate(marked):
                found += [index] if begins_shot else []
                if self._seen is not None:
                    with self._stages.watch("pose"):
                        self._seen.find(picture, begins_shot)
        np.save(folder / "cuts.npy", np.array(found, dtype=np.int64))

    def _begin(self) -> PoseStagePass | None:
        """The pose stage, where it can share the walk and its result is not kept from earlier."""
        if self._stages.wiring.pose_from_motion or not self._looks_for_people:
            return None
        stage = self._stages.pose
        if not isinstance(stage, SharedPassPoseStage):
            return None
        kept = self._artefacts.has("poses", self._pose_recipe, self._pose_parents)
        return None if kept else self._begin_walks(stage)

    def _begin_walks(self, stage: SharedPassPoseStage) -> PoseStagePass:
        with self._stages.watch("load pose"):
            return stage.begin(self._source, self._everybody)

    def _make_poses(self, folder: Path) -> None:
        stage = self._stages.pose
        with self._stages.watch("pose"):
            if isinstance(stage, SharedPassPoseStage):
                seen = self._seen or self._find(stage)
                found = self._look_closely(seen)
                save_analysis_rois(seen.rois, folder / "rois.npz")
            else:
                walk = _Barred(self._source, "finding poses")
                found = find_people_for_analysis(stage, walk, self._cuts, self._everybody)
        save_analysis_pose_tracks(found, folder / "poses")

    def _find(self, stage: SharedPassPoseStage) -> PoseStagePass:
        """The first walk, where the cuts were known from before."""
        self._seen, shots = self._begin_walks(stage), set(self._cuts)
        for index, picture in enumerate(self._frames("finding people")):
            self._seen.find(picture, index in shots)
        return self._seen

    def _look_closely(self, seen: PoseStagePass) -> PoseTracks:
        """The second walk; mattes are made of what was seen, since they do not tell left from right."""
        mask = self._stages.mask if "masks" in self._stages.wiring.wanted else None
        with closing(mask.begin()) if isinstance(mask, SharedPassMaskStage) else nullcontext() as cut_out:
            for picture in self._frames("looking at people"):
                for pose, bodies in seen.look(picture):
                    if cut_out is not None:
                        with self._stages.watch("mask"):
                            self._spool.add(pose.track_id, cut_out(picture, pose, bodies))
        return seen.tracks()

    def _make_mattes(self, people: PoseTracks, track_id: int, folder: Path) -> None:
        with self._stages.watch("mask"):
            if track_id not in self._spool:
                self._cut_out(people)
            self._spool.write(track_id, folder)

    def _cut_out(self, people: PoseTracks) -> None:
        """A walk for mattes alone, where the poses were known from before."""
        stage, persons = self._stages.mask, [people.person(one) for one in people.track_ids]
        if not isinstance(stage, SharedPassMaskStage):
            for person in persons:
                for matte in stage(_Barred(self._source, "cutting out the person"), person):
                    self._spool.add(person.track_id, matte)
            return
        look = self._look_again()
        with closing(stage.begin()) as cut_out, nullcontext() if look is None else closing(look):
            for index, picture in enumerate(self._frames("cutting out people")):
                seen = {one.pose.track_id: one.bodies for one in look.look(picture)} if look else {}
                for person in persons:
                    matte = cut_out(picture, person[index], seen.get(person.track_id))
                    self._spool.add(person.track_id, matte)

    def _look_again(self) -> PoseStagePass | None:
        """The pose stage on its second walk alone, where mattes are made of what it sees."""
        stage = self._stages.pose if self._share_looks else None
        if not isinstance(stage, SharedPassPoseStage):
            return None
        with self._stages.watch("load pose"):
            return stage.look_again(self._source, self._rois)

    def _frames(self, label: str) -> Iterable[np.ndarray]:
        return trim_memory_between_frames(progress_bar(self._source, len(self._source), label))


class _Barred:
    """A source whose frames pass under a progress bar."""

    def __init__(self, source: FrameSource, label: str) -> None:
        self._source, self._label = source, label

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def __len__(self) -> int:
        return len(self._source)

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(progress_bar(self._source, len(self._source), self._label))
