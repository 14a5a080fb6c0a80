"""Puts a result together from its segments."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from rib.io.errors import RibError
from rib.io.files.whole import write_errors_in_one_line
from rib.pipeline.outputs.record import OutputRecord
from rib.pipeline.report import ReportPreviewWriter
from rib.pipeline.segments.encoding import OutputVideo
from rib.pipeline.segments.making import PICTURES, PREVIEW
from rib.pipeline.segments.plan import Segment
from rib.pipeline.segments.store import SegmentStore
from rib.pipeline.timeline import OutputTimeline
from rib.video import SoundTrack, VideoPart, VideoSource


@dataclass(frozen=True)
class SegmentRecords:
    """Records of what was made in each segment, in order; read anew each time it is walked through.

    Attributes:
        store: Where they lie.
        segments: In order; all are whole.
    """

    store: SegmentStore
    segments: Sequence[Segment]

    def __iter__(self) -> Iterator[OutputRecord]:
        for segment in self.segments:
            yield OutputRecord.of(self.store.facts(segment)["record"])


@dataclass(frozen=True)
class SegmentJoiner:
    """Joins the first segments of a result, or all of them, by copying what is encoded.

    Attributes:
        store: Where they lie.
        segments: In order; all are whole.
    """

    store: SegmentStore
    segments: Sequence[Segment]

    def video(self, video: OutputVideo, sound: SoundTrack | None) -> list[str]:
        """Write the video; sentences about what could not be kept."""
        parts = [
            video.read_part(self.store.place(segment), self.store.facts(segment)["order"])
            for segment in self.segments
        ]
        return video.join(parts, sound)

    def pictures(self, folder: Path) -> None:
        """Put the pictures into a folder, numbered from 0."""
        with write_errors_in_one_line(folder):
            folder.mkdir(parents=True)
            for segment in self.segments:
                for offset, number in enumerate(segment.frames):
                    made = self.store.place(segment) / PICTURES / f"{offset:06d}.png"
                    _link_or_copy(made, folder / f"{number:06d}.png")

    def made_frame(self, moments: OutputTimeline, intervals: range) -> np.ndarray | None:
        """One of the frames made in some intervals, the nearest to the beginning of its segment.

        Args:
            moments: The output's.
            intervals: Named by the keyframe before each.

        Returns:
            (H, W, 3) uint8 RGB, or None where nothing was made or it cannot be read.
        """
        span = range(moments.frames(intervals.start).start, moments.frames(intervals.stop - 1).stop)
        made = span.start + np.flatnonzero(moments.keyframe[span.start : span.stop] < 0)
        if not len(made):
            return None
        starts = np.array([segment.frames.start for segment in self.segments])
        inside = np.searchsorted(starts, made, side="right") - 1
        offsets = made - starts[inside]
        nearest = int(np.argmin(offsets))
        folder, offset = self.store.place(self.segments[inside[nearest]]), int(offsets[nearest])
        with suppress(RibError, OSError, StopIteration):
            if (path := folder / PICTURES / f"{offset:06d}.png").is_file():
                picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
                return None if picture is None else picture[..., ::-1]
            source = VideoSource(next(folder.glob("video.*")))
            return next(source.frames_from(offset))
        return None

    def preview(self, preview: ReportPreviewWriter) -> None:
        """Write the page's video."""
        shown = ((segment, self.store.facts(segment)["preview"]) for segment in self.segments)
        parts = [VideoPart(self.store.place(segment) / PREVIEW, order) for segment, order in shown if order]
        preview.join(parts)


def _link_or_copy(made: Path, to: Path) -> None:
    """The same file under a second name, where both lie on one disk that knows of that; else a copy."""
    with suppress(OSError):
        to.hardlink_to(made)
        return
    shutil.copyfile(made, to)
