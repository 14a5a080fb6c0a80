"""Count how much of a result is each person's, and what hold-out validation told about them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.synthesis.synthesiser import SynthesisedMoments


@dataclass
class OutputSharesPerPerson:
    """An observer of everything that is made (`rib.pipeline.synthesis.synthesiser.SynthesisObserver`)."""

    _pixels: int = 0
    _trusted: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    _intervals: dict[int, dict[int, bool]] = field(default_factory=lambda: defaultdict(dict))
    _gains: dict[int, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))

    def __call__(self, made: SynthesisedMoments) -> None:
        """Count some moments of an interval."""
        self._pixels += made.pictures[..., 0].size
        number = made.interval.a.index
        for plan in made.plans:
            who, evidence = plan.person.track_id, plan.person.holdout
            self._intervals[who].setdefault(number, False)
            if evidence is not None and evidence.gain_db is not None:
                self._gains[who][number] = evidence.gain_db
        for person in made.people:
            trusted = int((person.trust > 0.5).sum())
            self._trusted[person.track_id] += trusted
            self._intervals[person.track_id][number] |= trusted > 0

    def summary(self, analysis: ClipAnalysis) -> list[dict[str, Any]]:
        """A line for each person.

        `person_id`; `in_keyframes`: share of the keyframes that show them; `intervals`: so many have them on
        both sides, and in `trusted_intervals` of these they are drawn; `trusted_pixels`: of all pixels made;
        `holdout_gain_db`: mean over the intervals, null where no keyframe could be held out.
        """
        if not analysis.looked_for_people:
            return []
        present = analysis.keyframe_tracks.present.mean(axis=0)
        return [
            {
                "person_id": one,
                "in_keyframes": round(float(share), 4),
                "intervals": len(self._intervals[one]),
                "trusted_intervals": sum(self._intervals[one].values()),
                "trusted_pixels": self._trusted[one] / max(self._pixels, 1),
                "holdout_gain_db": self._gain(one),
            }
            for one, share in zip(analysis.keyframe_tracks.track_ids, present, strict=True)
        ]

    def _gain(self, track_id: int) -> float | None:
        gains = list(self._gains[track_id].values())
        return round(float(np.mean(gains)), 3) if gains else None
