"""The playable beginning of a result that was stopped."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from rib.pipeline.progress import say_on_stderr
from rib.pipeline.segments.encoding import OutputVideo
from rib.pipeline.segments.joining import SegmentJoiner
from rib.pipeline.segments.store import SegmentStore
from rib.video import SoundTrack

NOTE = "partial.json"


@dataclass(frozen=True)
class PartialVideo:
    """`<name>.partial.<suffix>` beside the result.

    Attributes:
        path: Where it goes.
        video: How the result's video is encoded, or None where none is wanted.
        store: Its segments; remembers what was written, so that nobody else's file is replaced or removed.
    """

    path: Path
    video: OutputVideo | None
    store: SegmentStore

    @classmethod
    def beside(cls, output: Path, video: OutputVideo | None, store: SegmentStore) -> PartialVideo:
        """The one of a result's place, a file or a folder."""
        suffix = video.path.suffix if video else ""
        stem = output.name.removesuffix(suffix) if suffix else output.name
        return cls(output.absolute().with_name(f"{stem}.partial{suffix}"), video, store)

    def write(self, joiner: SegmentJoiner, sound: SoundTrack | None) -> None:
        """Write it and tell, where a segment is whole and the place is free or ours."""
        if self.video is None or not joiner.segments or (self.path.exists() and not self._is_ours()):
            return
        joiner.video(replace(self.video, path=self.path), sound)
        state = self.path.stat()
        self._note.write_text(json.dumps([str(self.path), state.st_size, state.st_mtime_ns]))
        frames = joiner.segments[-1].frames.stop
        seconds = frames / float(self.video.moments.fps)
        say_on_stderr(f"{self.path} holds the first {seconds:.1f} s; the same command goes on from there")

    def remove(self) -> None:
        """Remove it where it is as it was written."""
        if self._is_ours():
            self.path.unlink()

    @property
    def _note(self) -> Path:
        return self.store.folder / NOTE

    def _is_ours(self) -> bool:
        with suppress(OSError, ValueError):
            state = self.path.stat()
            return bool(
                json.loads(self._note.read_text()) == [str(self.path), state.st_size, state.st_mtime_ns]
            )
        return False
