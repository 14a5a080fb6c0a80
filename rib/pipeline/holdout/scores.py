"""Scores of hold-outs kept on disk, so that work that was cut off goes on without making them again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rib.io.files.whole import write_text_whole

Score = tuple[float, float, float, float]
"""A row of `rib.pipeline.holdout.holdouts.Holdouts`: gain, then what the net changed."""


@dataclass(frozen=True)
class HoldoutScores:
    """One small file a held-out keyframe; a damaged one counts as absent.

    Attributes:
        folder: Where they lie; it is there.
    """

    folder: Path

    def get(self, keyframe: int) -> dict[int, Score]:
        """Scores by track id of those whom the keyframe has judged."""
        with suppress(OSError, ValueError, TypeError):
            stored = json.loads(self._path(keyframe).read_text(encoding="utf-8"))
            found: dict[int, Score] = {}
            for who, (gain, *net) in stored.items():
                alexnet, psnr, vgg16 = map(float, net)
                found[int(who)] = float(gain), alexnet, psnr, vgg16
            return found
        return {}

    def put(self, keyframe: int, scores: Mapping[int, Score]) -> None:
        """Keep a keyframe's scores by track id."""
        write_text_whole(self._path(keyframe), json.dumps(scores))

    def _path(self, keyframe: int) -> Path:
        return self.folder / f"holdout_{keyframe:06d}.json"
