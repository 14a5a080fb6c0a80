"""Record of what was made in each interval of a result: shares of pixels, who was drawn and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.synthesis.synthesiser import SynthesisedMoments


@dataclass
class PersonRecord:
    """One person in one interval.

    Attributes:
        trusted_pixels: With the person's trust above one half, in all made frames together.
        holdout_gain_db: What hold-out validation told, or None.
        notes: What the decision to draw followed from, by name.
    """

    trusted_pixels: int = 0
    holdout_gain_db: float | None = None
    notes: Mapping[str, float] = field(default_factory=dict)


@dataclass
class OutputRecord:
    """Notes what is made; an observer (`rib.pipeline.synthesis.synthesiser.SynthesisObserver`).

    Records of parts of a result add up to that of the whole.

    Attributes:
        trusted: By interval, the number of the keyframe before it: for each frame made the share of its
            pixels with trust above one half.
        people: By interval and track id.
        pixels: By interval, of all frames made in it.
    """

    trusted: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    people: dict[int, dict[int, PersonRecord]] = field(default_factory=lambda: defaultdict(dict))
    pixels: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def __call__(self, made: SynthesisedMoments) -> None:
        """Note some moments of an interval."""
        number = made.interval.a.index
        self.pixels[number] += made.pictures[..., 0].size
        here = self.people[number]
        for plan in made.plans:
            evidence = plan.person.holdout
            gain_db = None if evidence is None else evidence.gain_db
            here.setdefault(plan.person.track_id, PersonRecord(0, gain_db, dict(plan.notes)))
        for person in made.people:
            here[person.track_id].trusted_pixels += int((person.trust > 0.5).sum())

    def add(self, interval: int, trusted: float) -> None:
        """Note a made frame.

        Args:
            interval: Number of the keyframe before it.
            trusted: Share of its pixels with trust above one half.
        """
        self.trusted[interval].append(trusted)

    def take(self, intervals: range) -> OutputRecord:
        """Move what was noted of some intervals into a record of its own."""
        taken = OutputRecord()
        for name in ("trusted", "people", "pixels"):
            here = getattr(self, name)
            getattr(taken, name).update({i: here.pop(i) for i in intervals if i in here})
        return taken

    def absorb(self, other: OutputRecord) -> None:
        """Add the record of another part of the result."""
        self.trusted |= other.trusted
        self.people |= other.people
        self.pixels |= other.pixels

    @property
    def notes(self) -> list[Mapping[str, float]]:
        """The notes of everybody in every interval."""
        return [self.people[i][who].notes for i in sorted(self.people) for who in self.people[i]]

    def plain(self) -> dict[str, Any]:
        """Lists and dicts, for JSON."""
        people = {
            str(interval): {str(who): asdict(one) for who, one in here.items()}
            for interval, here in self.people.items()
        }
        return {"trusted": dict(self.trusted), "people": people, "pixels": dict(self.pixels)}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> OutputRecord:
        """Undo `plain`."""
        record = cls()
        record.pixels |= {int(interval): pixels for interval, pixels in plain["pixels"].items()}
        record.trusted |= {int(interval): shares for interval, shares in plain["trusted"].items()}
        for interval, here in plain["people"].items():
            record.people[int(interval)] = {int(who): PersonRecord(**one) for who, one in here.items()}
        return record

    def shares(self) -> dict[str, float]:
        """`trusted_pixels`: of all pixels made; `trusted_intervals`: of all intervals, those with such."""
        frames = [share for interval in sorted(self.trusted) for share in self.trusted[interval]]
        intervals = [any(share > 0 for share in shares) for shares in self.trusted.values()]
        return {
            "trusted_pixels": sum(frames) / max(len(frames), 1),
            "trusted_intervals": sum(intervals) / max(len(intervals), 1),
        }

    def shares_per_person(self, analysis: ClipAnalysis) -> list[dict[str, Any]]:
        """A line for each person.

        `person_id`; `in_keyframes`: share of the keyframes that show them; `intervals`: so many have them on
        both sides, and in `trusted_intervals` of these they are drawn; `trusted_pixels`: of all pixels made;
        `holdout_gain_db`: mean over the intervals, null where no keyframe could be held out.
        """
        if not analysis.looked_for_people:
            return []
        present = analysis.keyframe_tracks.present.mean(axis=0)
        return [
            {"person_id": one, "in_keyframes": round(float(share), 4), **self._share(one)}
            for one, share in zip(analysis.keyframe_tracks.track_ids, present, strict=True)
        ]

    def _share(self, track_id: int) -> dict[str, Any]:
        found = [here[track_id] for here in self.people.values() if track_id in here]
        gains = [one.holdout_gain_db for one in found if one.holdout_gain_db is not None]
        return {
            "intervals": len(found),
            "trusted_intervals": sum(one.trusted_pixels > 0 for one in found),
            "trusted_pixels": sum(one.trusted_pixels for one in found) / max(sum(self.pixels.values()), 1),
            "holdout_gain_db": round(float(np.mean(gains)), 3) if gains else None,
        }
