"""The few hidden frames worth a look, picked while the frames pass; only their small pictures are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

from rib.benchmark.methods import BenchmarkedFrame
from rib.io.images import to_uint8
from rib.metrics.person import ScoredPerson, scored_person_region

TILE_WIDTH_PX = 300
CROP_HEIGHT_PX = 360
LARGEST_ERROR = 64
"""8-bit difference that is drawn in the brightest colour."""

BORDER = (238, 241, 244)

Scores = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class ContactSheetFrame:
    """One hidden frame of the contact sheet.

    Attributes:
        why: What it was picked for.
        rank: How strongly, for the choice among intervals.
        moment: The frame's number and time.
        scores: By method.
        crops: By column, (CROP_HEIGHT_PX, TILE_WIDTH_PX, 3) about the person.
        fulls: By column, the whole picture, TILE_WIDTH_PX wide; for a method its difference from the truth.
    """

    why: str
    rank: float
    moment: tuple[int, float]
    scores: Scores
    crops: dict[str, np.ndarray]
    fulls: dict[str, np.ndarray]


@dataclass
class _Best:
    rank: float = -np.inf
    moment: BenchmarkedFrame | None = None
    scores: Scores = field(default_factory=dict)


class ContactSheetPicks:
    """Picks, of one frame an interval, those where the methods differ most and those that are hardest.

    Args:
        detect: Finds the person in a true frame, to crop to.
        rows: Frames to pick for each of the two reasons.
    """

    def __init__(self, detect: Callable[[np.ndarray], ScoredPerson | None], rows: int) -> None:
        self._detect, self._rows = detect, rows
        self._before: BenchmarkedFrame | None = None
        self._interval = {why: _Best() for why in REASONS}
        self._kept: dict[str, list[ContactSheetFrame]] = {why: [] for why in REASONS}

    def hidden(self, moment: BenchmarkedFrame, scores: Scores) -> None:
        """Take note of a hidden frame and its scores."""
        for why, rank_of in REASONS.items():
            rank = rank_of(scores)
            if rank > self._interval[why].rank:
                self._interval[why] = _Best(rank, moment, scores)

    def keyframe(self, moment: BenchmarkedFrame) -> None:
        """Take note of a keyframe: the interval before it is complete."""
        for why, found in self._interval.items():
            kept = self._kept[why]
            if found.moment and (len(kept) < self._rows or found.rank > kept[-1].rank):
                kept.append(self._tiles(why, found, moment))
                kept.sort(key=lambda shown: -shown.rank)
                del kept[self._rows :]
        self._before, self._interval = moment, {why: _Best() for why in REASONS}

    @property
    def shown(self) -> list[ContactSheetFrame]:
        """The picked frames, in reading order; a frame that both reasons pick stands once."""
        once = {shown.moment: shown for shown in reversed([s for kept in self._kept.values() for s in kept])}
        return sorted(once.values(), key=lambda s: (list(REASONS).index(s.why), -s.rank))

    def _tiles(self, why: str, found: _Best, after: BenchmarkedFrame) -> ContactSheetFrame:
        moment = found.moment
        assert moment is not None
        assert self._before is not None
        pictures = {
            "keyframe before": self._before.true,
            "true": moment.true,
            **moment.predicted,
            "keyframe after": after.true,
        }
        detection = self._detect(moment.true)
        region = scored_person_region(detection) if detection else None
        box = _grown(region.box if region else None, moment.true.shape)
        fulls = pictures | {name: _heat(made, moment.true) for name, made in moment.predicted.items()}
        height = min(CROP_HEIGHT_PX, round(TILE_WIDTH_PX * moment.true.shape[0] / moment.true.shape[1]))
        return ContactSheetFrame(
            why,
            found.rank,
            (moment.index, moment.time_s),
            found.scores,
            {name: _fit(picture[box], CROP_HEIGHT_PX) for name, picture in pictures.items()},
            {name: _fit(picture, height) for name, picture in fulls.items()},
        )


def _values(scores: Scores) -> list[float]:
    """LPIPS of every method: of the person where there is one, else of the picture; else PSNR upside down."""
    for key, sign in (("lpips_person", 1), ("lpips_full", 1), ("psnr_full", -0.01)):
        if all(key in score for score in scores.values()):
            return [sign * score[key] for score in scores.values()]
    return [0.0]


def _range_of_scores(scores: Scores) -> float:
    return max(_values(scores)) - min(_values(scores))


def _hardest(scores: Scores) -> float:
    return min(_values(scores))


REASONS: dict[str, Callable[[Scores], float]] = {
    "the methods differ most": _range_of_scores,
    "hard for every method": _hardest,
}
"""What a frame is picked for, and how strongly it is a case of it."""


def _grown(box: tuple[slice, slice] | None, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """A box about the person in the tile's proportions, as far as the picture allows."""
    if box is None:
        return slice(0, shape[0]), slice(0, shape[1])
    sides = [(s.start, min(s.stop, n)) for s, n in zip(box, shape, strict=False)]
    height, width = (stop - start for start, stop in sides)
    aspect = TILE_WIDTH_PX / CROP_HEIGHT_PX
    wanted = max(height, width / aspect), max(width, height * aspect)
    return (_span(sides[0], wanted[0], shape[0]), _span(sides[1], wanted[1], shape[1]))


def _span(side: tuple[int, int], wanted: float, limit: int) -> slice:
    length = min(round(wanted), limit)
    start = min(max(round((side[0] + side[1] - length) / 2), 0), limit - length)
    return slice(start, start + length)


def _fit(picture: np.ndarray, height: int) -> np.ndarray:
    """Scale into a tile, with a plain border where the proportions differ."""
    scale = min(height / picture.shape[0], TILE_WIDTH_PX / picture.shape[1])
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    right, below = TILE_WIDTH_PX - size[0], height - size[1]
    return cv2.copyMakeBorder(
        small,
        below // 2,
        below - below // 2,
        right // 2,
        right - right // 2,
        cv2.BORDER_CONSTANT,
        value=BORDER,
    )


def _heat(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    difference = cv2.absdiff(predicted, true).max(axis=2).astype(np.float32)
    level = to_uint8(difference / LARGEST_ERROR)
    return cv2.cvtColor(cv2.applyColorMap(level, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
