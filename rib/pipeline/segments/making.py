"""Makes the frames of segments, and encodes each on its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.chain import Chain
from rib.pipeline.outputs.record import OutputRecord
from rib.pipeline.progress import progress_bar, say_on_stderr
from rib.pipeline.report import ReportPreviewWriter, num_preview_frames
from rib.pipeline.segments.encoding import OutputVideo
from rib.pipeline.segments.plan import Segment
from rib.pipeline.segments.store import SegmentStore
from rib.pipeline.synthesis.output_frames import OutputFrame
from rib.video import FrameSource, PictureWriter

PICTURES, PREVIEW = "pictures", "preview.mkv"
"""In a segment's folder, beside its part of the video."""


@dataclass(frozen=True)
class SegmentMaker:
    """Makes segments that are not there yet, in one walk over the clip.

    Attributes:
        chain: Makes the frames.
        source: The clip.
        analysis: What is known of it.
        store: Where segments lie.
        video: How they are encoded, or None where no video is wanted.
        png_level: Of pictures, or None where none are wanted.
        preview: Writes a part of the page's video to a path, or None where the page has none.
    """

    chain: Chain
    source: FrameSource
    analysis: ClipAnalysis
    store: SegmentStore
    video: OutputVideo | None
    png_level: int | None
    preview: Callable[[Path], ReportPreviewWriter] | None

    def __call__(self, segments: Sequence[Segment]) -> list[Segment]:
        """Make those that are not there; returns them.

        Raises:
            RibError: The cache's disk is full, or the clip cannot be read.
        """
        missing = [segment for segment in segments if not self.store.is_whole(segment)]
        if not missing:
            return []
        count = sum(len(segment.frames) for segment in missing)
        total = sum(len(segment.frames) for segment in segments)
        if count < total:
            say_on_stderr(f"{total - count} of {total} frames are there from a run that was stopped")
        record = OutputRecord()
        made = self.chain.frames(
            self.source,
            self.analysis,
            record,
            decoded=self.source.stored() if self.source.look.is_more else None,
            intervals=[interval for segment in missing for interval in segment.intervals],
            scores=self.store.scores,
        )
        frames = progress_bar(made, count, "making frames")
        with self.chain.watch("write frames"):
            for segment in missing:
                own = islice(frames, len(segment.frames))
                self.store.make(segment, partial(self._write, segment, own, record))
                for _ in own:  # another process made it meanwhile
                    pass
        return missing

    def _write(
        self, segment: Segment, frames: Iterable[OutputFrame], record: OutputRecord, folder: Path
    ) -> dict[str, Any]:
        """Encode a segment's frames; its facts."""
        with ExitStack() as stack:
            video = self.video and stack.enter_context(self.video.part(folder, segment))
            pictures = None
            if self.png_level is not None:
                pictures = stack.enter_context(PictureWriter(folder / PICTURES, self.png_level))
            preview = None
            if self.preview and segment.frames.start < num_preview_frames(self.analysis.timeline):
                preview = stack.enter_context(self.preview(folder / PREVIEW))
            for frame in frames:
                if video:
                    video.write(frame.picture)
                if pictures:
                    pictures.write(frame.picture)
                if preview:
                    with self.chain.watch("report"):
                        preview.write(frame)
                if frame.keyframe < 0:
                    record.add(int(self.analysis.timeline.interval[frame.index]), frame.trusted)
        return {
            "order": video.encoded_order if video else None,
            "preview": preview.encoded_order if preview else None,
            "record": record.take(segment.intervals).plain(),
        }
