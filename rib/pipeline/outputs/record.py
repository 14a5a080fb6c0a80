"""Record of what was made in each interval of a result: shares of pixels, who was drawn and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.synthesis.synthesiser import SynthesisedMoments


@dataclass
class PersonRecord:
    """One person in one interval.

    Attributes:
        trusted_pixels: With the person's trust above one half, in all made frames together.
        holdout_gain_db: What hold-out validation told, or None where it was not asked.
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
            gain_db = None if plan.holdout is None else plan.holdout.gain_db
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

    @property
    def notes(self) -> list[Mapping[str, float]]:
        """The notes of everybody in every interval."""
        return [self.people[i][who].notes for i in sorted(self.people) for who in self.people[i]]

    def intervals(self) -> Iterator[tuple[int, Sequence[float], Mapping[int, PersonRecord]]]:
        """Number, shares of the frames made and people of every interval, in order."""
        for number in sorted({*self.trusted, *self.people}):
            yield number, self.trusted.get(number, ()), self.people.get(number, {})

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
        """See `shares_of_records`."""
        return shares_of_records([self])


def shares_of_records(records: Iterable[OutputRecord]) -> dict[str, float]:
    """`trusted_pixels`: of all pixels made; `trusted_intervals`: of all intervals, those with such.

    Args:
        records: Of the result's parts, in order.
    """
    frames, pixels, intervals, trusted = 0, 0.0, 0, 0
    for record in records:
        for number in sorted(record.trusted):
            shares = record.trusted[number]
            frames, pixels = frames + len(shares), pixels + sum(shares)
            intervals, trusted = intervals + 1, trusted + any(share > 0 for share in shares)
    return {"trusted_pixels": pixels / max(frames, 1), "trusted_intervals": trusted / max(intervals, 1)}


class RecordNotes(Sequence[Mapping[str, float]]):
    """The notes of everybody in every interval of a result; read anew each time they are walked through.

    Args:
        records: Of its parts, in order; can be walked through again and again.
    """

    def __init__(self, records: Iterable[OutputRecord]) -> None:
        self._records = records

    def __iter__(self) -> Iterator[Mapping[str, float]]:
        for record in self._records:
            yield from record.notes

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, index: Any) -> Any:
        return list(self)[index]


def shares_per_person(records: Iterable[OutputRecord], analysis: ClipAnalysis) -> list[dict[str, Any]]:
    """A line for each person.

    `person_id`; `in_keyframes`: share of the keyframes that show them; `intervals`: so many have them on
    both sides, and in `trusted_intervals` of these they are drawn; `trusted_pixels`: of all pixels made;
    `holdout_gain_db`: mean over the intervals in which hold-outs were asked; null where none was, or no
    keyframe could be held out.

    Args:
        records: Of the result's parts.
        analysis: Of the clip.
    """
    if not analysis.looked_for_people:
        return []
    sums = {one: _PersonSums() for one in analysis.keyframe_tracks.track_ids}
    pixels = 0
    for record in records:
        pixels += sum(record.pixels.values())
        for here in record.people.values():
            for track_id in sums.keys() & here.keys():
                sums[track_id].add(here[track_id])
    present = analysis.keyframe_tracks.present.mean(axis=0)
    return [
        {"person_id": one, "in_keyframes": round(float(share), 4), **sums[one].plain(pixels)}
        for one, share in zip(analysis.keyframe_tracks.track_ids, present, strict=True)
    ]


@dataclass
class _PersonSums:
    """One person over all intervals."""

    intervals: int = 0
    trusted_intervals: int = 0
    trusted_pixels: int = 0
    gain_db: float = 0.0
    judged: int = 0

    def add(self, one: PersonRecord) -> None:
        self.intervals += 1
        self.trusted_intervals += one.trusted_pixels > 0
        self.trusted_pixels += one.trusted_pixels
        if one.holdout_gain_db is not None:
            self.gain_db, self.judged = self.gain_db + one.holdout_gain_db, self.judged + 1

    def plain(self, pixels: int) -> dict[str, Any]:
        return {
            "intervals": self.intervals,
            "trusted_intervals": self.trusted_intervals,
            "trusted_pixels": self.trusted_pixels / max(pixels, 1),
            "holdout_gain_db": round(self.gain_db / self.judged, 3) if self.judged else None,
        }
