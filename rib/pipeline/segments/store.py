"""Finished segments of a result that is not whole yet, in the cache."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import rib
from rib.io.cache import REMEDY, Cache, file_state, is_entry_intact, make_cache_entry
from rib.io.files.whole import NoSpaceError
from rib.io.settings.paths import paths_read_by_command
from rib.pipeline.analysis.pose_artefact import analysis_pose_digest
from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.holdout.scores import HoldoutScores
from rib.pipeline.segments.plan import Segment
from rib.pipeline.settings import CHANGE_NO_PIXEL, InterpolateSettings

CHANGE_NO_SEGMENT = (
    *CHANGE_NO_PIXEL, "input", "sidecar", "layout", "write_poses", "sound", "start_s", "duration_s",
)  # fmt: skip
"""Settings that change no encoded frame, or that the clip, the moments and the device tell of."""
FACTS = "facts.json"


@dataclass(frozen=True)
class SegmentStore:
    """One folder a segment, each whole or absent; a damaged one counts as absent.

    Attributes:
        cache: Where they lie; they are the run's own while this object lives.
        folder: Of all segments of this result, and of the scores of its hold-outs.
        key: Its name in the cache.
    """

    cache: Cache
    folder: Path
    key: str

    @classmethod
    def of(
        cls,
        cache: Cache,
        config: InterpolateSettings,
        fingerprint: str,
        analysis: ClipAnalysis,
        device: str,
        twin: int = 0,
    ) -> SegmentStore:
        """The store of all that makes the frames: clip, moments, people, settings, files that they name.

        Args:
            cache: Where it lies.
            config: Of conf/interpolate.yaml.
            fingerprint: Of the clip.
            analysis: Of the clip.
            device: On which frames are made.
            twin: Clips of the same content before this one; each result has segments of its own.
        """
        settings = {name: value for name, value in config.plain().items() if name not in CHANGE_NO_SEGMENT}
        recipe = {"settings": settings, "device": device, "rib": rib.__version__}
        parents = [fingerprint, _digest(analysis), *_states(config), *([f"twin {twin}"] if twin else [])]
        folder, key = cache.growing("segments", recipe, parents)
        return cls(cache, folder, key)

    @property
    def scores(self) -> HoldoutScores:
        """Those of the result's hold-outs."""
        return HoldoutScores(self.folder)

    def place(self, segment: Segment) -> Path:
        """The folder of a segment, made or not."""
        return self.folder / f"{segment.number:06d}"

    def is_whole(self, segment: Segment) -> bool:
        """Whether a segment is there."""
        return is_entry_intact(self.place(segment))

    def make(self, segment: Segment, make: Callable[[Path], Mapping[str, Any]]) -> bool:
        """Make a segment unless another process made it meanwhile; says whether it was made.

        Args:
            segment: Which.
            make: Writes its files into the folder that it is given; returns facts that fit into JSON.

        Raises:
            NoSpaceError: The cache's disk is full.
        """

        def write(folder: Path) -> None:
            facts = make(folder)
            (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")

        try:
            return make_cache_entry(self.place(segment), write, REMEDY)
        except NoSpaceError as error:
            full = f"no space left to write segments of the result into {self.cache.folder.absolute()}"
            raise NoSpaceError(full, f"free some, or {REMEDY}") from error

    def facts(self, segment: Segment) -> dict[str, Any]:
        """What `make` returned for a segment that is whole."""
        found: dict[str, Any] = json.loads((self.place(segment) / FACTS).read_text(encoding="utf-8"))
        return found

    def release(self) -> None:
        """Leave the segments to other processes."""
        self.cache.release(self.key)

    def remove(self) -> None:
        """Drop all segments: the result is there."""
        self.cache.drop(self.key)


def _digest(analysis: ClipAnalysis) -> str:
    """A hash of everything that the analysis says of the clip and of the output's moments."""
    timeline, both = analysis.timeline, (analysis.keyframe_tracks, analysis.tracks)
    poses = [(one, analysis_pose_digest(tracks.person(one))) for tracks in both for one in tracks.track_ids]
    digest = hashlib.sha256(repr((analysis.cuts, analysis.idle, timeline.fps, poses)).encode())
    for array in (timeline.times_s, timeline.keyframe, timeline.stamps_s, analysis.keyframe_times_s):
        digest.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _states(config: InterpolateSettings) -> list[str]:
    """Size and time of the files that the settings name, but for the clip."""
    paths = [
        Path(path).expanduser() for name, path in paths_read_by_command(config).items() if name != "input"
    ]
    files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    return [str(file_state(file)) for file in files if file.is_file()]
