"""A result that is made segment by segment, and goes on where it was stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from rib.io.errors import RibError
from rib.io.files.locks import FileLock
from rib.io.files.whole import temporary_folder
from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.chain import Chain
from rib.pipeline.outputs.destinations import OutputPaths
from rib.pipeline.outputs.papers import REPORT
from rib.pipeline.outputs.record import OutputRecord
from rib.pipeline.report import ReportPreviewWriter
from rib.pipeline.segments.encoding import OutputVideo
from rib.pipeline.segments.joining import SegmentJoiner, SegmentRecords
from rib.pipeline.segments.making import SegmentMaker
from rib.pipeline.segments.partial import PartialVideo
from rib.pipeline.segments.plan import Segment, plan_segments
from rib.pipeline.segments.store import SegmentStore
from rib.pipeline.settings import InterpolateSettings
from rib.pipeline.timeline import OutputTimeline
from rib.video import FrameSource, SoundTrack


def shard_of(shard: str | None) -> tuple[int, int]:
    """Number and count of shards, from "number/count"; (0, 1) for None."""
    number, count = map(int, (shard or "0/1").split("/"))
    return number, count


@dataclass(frozen=True)
class SegmentedResult:
    """The segments of a result, those that are there and those to be made.

    Attributes:
        maker: Makes them.
        store: Keeps them.
        segments: All, in order.
        shard: Those that this process makes, one in so many from a number on; (0, 1) makes all.
        partial: What is left of the result where the run is stopped.
    """

    maker: SegmentMaker
    store: SegmentStore
    segments: list[Segment]
    shard: tuple[int, int]
    partial: PartialVideo

    @classmethod
    def of(
        cls,
        config: InterpolateSettings,
        output: Path,
        source: FrameSource,
        moments: OutputTimeline,
        chain: Chain,
        analysis: ClipAnalysis,
        where: OutputPaths,
        twin: int = 0,
    ) -> SegmentedResult:
        """Plan the segments of a result.

        Args:
            config: Of conf/interpolate.yaml.
            output: The result's place.
            source: The clip.
            moments: When each output frame is shown.
            chain: Makes the frames.
            analysis: What the chain found in the clip.
            where: The parts of the result, to be.
            twin: As of `SegmentStore.of`.
        """
        device = chain.stages.device
        store = SegmentStore.of(chain.artefacts, config, source.fingerprint(), analysis, device, twin)
        video = OutputVideo(where.video, source, moments, config.video) if where.video else None
        players = where.papers is not None and config.report and (where.video or where.pictures)

        def preview(path: Path) -> ReportPreviewWriter:
            return ReportPreviewWriter(path, source, moments)

        png_level = config.video.png_level if where.pictures else None
        maker = SegmentMaker(chain, source, analysis, store, video, png_level, preview if players else None)
        segments = plan_segments(moments, analysis.cuts, config.segment_s)
        partial = PartialVideo.beside(output, video, store)
        return cls(maker, store, segments, shard_of(config.shard), partial)

    def join(self, where: OutputPaths, sound: SoundTrack | None) -> list[str]:
        """Write the result's video and pictures.

        Args:
            where: The parts of the result, as they are written.
            sound: What is heard beside the video, or None.

        Returns:
            Sentences about what could not be kept.
        """
        notes = list[str]()
        if self.maker.video is not None and where.video:
            notes += self._joiner.video(replace(self.maker.video, path=where.video), sound)
        if where.pictures:
            bits = self.maker.source.look.bits
            notes += [f"{bits} bits a colour became 8 in {where.pictures.name}/"] if bits > 8 else []
            self._joiner.pictures(where.pictures)
        return notes

    def preview(self, where: OutputPaths, stack: ExitStack) -> ReportPreviewWriter | None:
        """The page's video, there until the stack is left; None for a page without players."""
        if self.maker.preview is None or where.papers is None:
            return None
        folder = stack.enter_context(temporary_folder(where.papers / REPORT))
        preview = self.maker.preview(folder / "preview.mp4")
        self._joiner.preview(preview)
        return preview

    def made_frame(self, intervals: range) -> np.ndarray | None:
        """See `SegmentJoiner.made_frame`."""
        return self._joiner.made_frame(self.maker.analysis.timeline, intervals)

    @property
    def records(self) -> Iterable[OutputRecord]:
        """What was made in each segment, in order; can be walked through again and again."""
        return SegmentRecords(self.store, self.segments)

    @cached_property
    def _joiner(self) -> SegmentJoiner:
        return SegmentJoiner(self.store, self.segments)

    def make(self, sound: SoundTrack | None) -> dict[str, int]:
        """Make this shard's segments that are not there yet; stopped by a signal, leave a video of the first.

        Args:
            sound: What is heard beside that video, or None.

        Returns:
            For the summary: `count` of all, and how many an earlier run had `made_before`.
        """
        try:
            number, of = self.shard
            own = self.segments[number::of]
            return {"count": len(own), "made_before": len(own) - len(self.maker(own))}
        except KeyboardInterrupt:
            with suppress(RibError, OSError):  # told is why the run stopped, not this
                self.partial.write(SegmentJoiner(self.store, self._first_whole()), sound)
            raise

    def missing(self) -> dict[str, int]:
        """By shard, how many of its segments are not there."""
        of = self.shard[1]
        return dict(
            Counter(f"{one.number % of}/{of}" for one in self.segments if not self.store.is_whole(one))
        )

    @contextmanager
    def joining(self) -> Iterator[None]:
        """Let one process join after the other."""
        lock = FileLock(self.store.folder / "joining.lock")
        lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def remove(self) -> None:
        """Drop the segments, and what an earlier run left when it was stopped: the result is there."""
        self.partial.remove()
        self.store.remove()

    def _first_whole(self) -> list[Segment]:
        found = []
        for segment in self.segments:
            if not self.store.is_whole(segment):
                break
            found.append(segment)
        return found
