"""The video of a result: its parts, and what they become together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rib.pipeline.segments.plan import Segment
from rib.pipeline.settings import VideoSettings
from rib.pipeline.timeline import OutputTimeline
from rib.video import (
    FrameSource,
    JoinedVideoWriter,
    SoundTrack,
    SourceFilePart,
    VideoPart,
    VideoWriter,
    part_suffix,
)


@dataclass(frozen=True)
class OutputVideo:
    """Recipe and place of a result's video.

    Attributes:
        path: The video.
        source: The clip, for its size and look.
        moments: When each frame is shown.
        recipe: Encoder and quality.
    """

    path: Path
    source: FrameSource
    moments: OutputTimeline
    recipe: VideoSettings

    def part(self, folder: Path, segment: Segment) -> VideoWriter:
        """What writes a segment's frames."""
        whole = self._whole
        stamps_s = self.moments.stamps_s
        if stamps_s is not None:
            frames = slice(segment.frames.start, segment.frames.stop)
            stamps_s = stamps_s[frames] - stamps_s[segment.frames.start]
        how = {**self._how, "codec": whole.codec, "pixel_format": whole.pixel_format}
        return VideoWriter(folder / f"video{part_suffix(whole.codec)}", *self._form, stamps_s=stamps_s, **how)

    def read_part(self, folder: Path, order: Sequence[int]) -> VideoPart:
        """The video that `part` wrote into a folder."""
        return VideoPart(folder / f"video{part_suffix(self._whole.codec)}", order)

    def join(self, parts: Sequence[VideoPart], sound: SoundTrack | None) -> list[str]:
        """Write the video from the parts of its first segments, or of all.

        Args:
            parts: In order.
            sound: What is heard beside it, or None.

        Returns:
            Sentences about what could not be kept.
        """
        joined = JoinedVideoWriter(
            parts, self.path, *self._form, audio_from=sound, stamps_s=self.moments.stamps_s,
            tags_from=self._origin, **self._how,
        )  # fmt: skip
        with joined:
            joined.write_parts()
        return joined.notes

    @cached_property
    def _whole(self) -> VideoWriter:
        return VideoWriter(self.path, *self._form, **self._how)

    @property
    def _form(self) -> tuple[Any, tuple[int, int]]:
        return self.moments.fps, self.source.size_px

    @property
    def _how(self) -> dict[str, Any]:
        red, green, blue = bytes.fromhex(self.recipe.ground.removeprefix("#"))
        return {
            "codec": self.recipe.codec, "crf": self.recipe.crf, "pixel_format": self.recipe.pixel_format,
            "look": self.source.look, "ground": (red, green, blue), "preset": self.recipe.preset or "auto",
        }  # fmt: skip

    @property
    def _origin(self) -> SourceFilePart | None:
        source, moments = self.source, self.moments
        if source.file is None:
            return None
        end_s = source.audio_start_s + source.duration_s
        return SourceFilePart(
            source.file, source.audio_start_s, end_s, moments.duration_s / source.duration_s
        )
