"""Detection of cuts between shots."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import cv2
import numpy as np

SIZE_PX = (96, 72)
"""Everything is looked at in this size, whatever the clip's shape."""
DARK = 6.0
"""Added to a picture's standard deviation, in 8-bit levels, so that noise in the black is no layout."""
FLAT = 3.0
"""A picture whose standard deviation is below this, in 8-bit levels, has no layout: black at a fade's end."""
NEIGHBOURS = 2
"""Intervals on each side that say how well pictures of this shot explain one another."""
FLASH = 0.75
"""A cut stays a cut one or two frames farther: the residual there is at least this share of it."""
FLOOR = 0.02
"""A residual below this is as good as none."""
CLEAR = 12.0
"""A picture beside a flat one is cut off if its standard deviation is above this, in 8-bit levels ..."""
STEADY = 0.9
"""... and at least this share of its neighbour's: a fade has halved it at its last step."""
SAME_SCENE = 0.5
"""Pictures of one scene leave a lower residual, some frames apart; others 0.7 and more."""


def find_scene_cuts(frames: Iterable[np.ndarray], residual: float, contrast: float) -> list[int]:
    """Numbers of the frames that begin a new shot.

    A frame belongs to the shot before where motion explains it: dense optical flow (DIS; Kroeger et al.,
    ECCV 2016) moves each of two neighbours onto the other, and what remains of the standardised grey pictures
    is the residual. At a cut it stands out against the intervals around, and it stays when one looks one or
    two frames farther, which it does not at a flash; a dissolve, a fade or a pan raises it in many intervals
    alike. Colours do not count, so that grey and dark footage is no exception. Beside black, or another flat
    picture, nothing is moved: there a cut is where full contrast ends or begins at once.

    Args:
        frames: (H, W, 3) uint8 RGB, in order.
        residual: Above this, in standard deviations of the picture, motion does not explain a frame;
            unrelated pictures leave about 1, neighbours of a shot 0.05.
        contrast: So many times the median residual of the intervals around it has to be exceeded.
    """
    marked = mark_scene_cuts(frames, residual, contrast)
    return [index for index, (_, begins_shot) in enumerate(marked) if begins_shot]


def mark_scene_cuts(
    frames: Iterable[np.ndarray], residual: float, contrast: float
) -> Iterator[tuple[np.ndarray, bool]]:
    """Every frame with whether it begins a new shot, `NEIGHBOURS` frames after it was taken.

    So others can look at the same frames in the same walk; arguments as of `find_scene_cuts`.
    """
    around: deque[tuple[int, _Grey]] = deque(maxlen=2 * NEIGHBOURS + 2)
    waiting: deque[np.ndarray] = deque()
    residuals = [0.0]
    decided = 0

    def decide(index: int) -> bool:
        if index == 0:
            return False
        if _stands_out(residuals, index, residual, contrast):
            return _stays(around, residuals, index)
        return _is_cut_at_flat(around, index)

    for index, frame in enumerate(frames):
        waiting.append(frame)
        around.append((index, _Grey(frame)))
        if index:
            residuals.append(_unexplained(around[-2][1], around[-1][1]))
        if index >= NEIGHBOURS:
            yield waiting.popleft(), decide(decided)
            decided += 1
    while waiting:
        yield waiting.popleft(), decide(decided)
        decided += 1


class _Grey:
    """A small grey picture of mean 0 and a deviation of about 1, and the same in 8 bits for the flow."""

    def __init__(self, frame: np.ndarray) -> None:
        grey = cv2.cvtColor(cv2.resize(frame, SIZE_PX, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        values = grey.astype(np.float32)
        self.deviation = float(values.std())
        self.is_flat = self.deviation < FLAT
        self.values = (values - values.mean()) / (self.deviation + DARK)
        self.eight_bits = np.clip(self.values * 40 + 128, 0, 255).astype(np.uint8)


def _unexplained(a: _Grey, b: _Grey) -> float:
    """Mean absolute residual of each moved onto the other by the flow; 0 beside a flat picture."""
    if a.is_flat or b.is_flat:
        return 0.0
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    return (_moved(dis, a, b) + _moved(dis, b, a)) / 2


def _moved(dis: cv2.DISOpticalFlow, a: _Grey, b: _Grey) -> float:
    flow = dis.calc(b.eight_bits, a.eight_bits, None)  # type: ignore[call-overload]
    y, x = np.mgrid[: SIZE_PX[1], : SIZE_PX[0]].astype(np.float32)
    moved = cv2.remap(
        a.values, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return float(np.abs(moved - b.values).mean())


def _stands_out(residuals: list[float], index: int, residual: float, contrast: float) -> bool:
    """Whether the interval before a frame is unlike those around it."""
    near = range(max(index - NEIGHBOURS, 1), min(index + NEIGHBOURS + 1, len(residuals)))
    others = [residuals[k] for k in near if k != index]
    usual = float(np.median(others)) if others else 0.0
    return residuals[index] > residual and residuals[index] + FLOOR > contrast * (usual + FLOOR)


def _stays(around: Iterable[tuple[int, _Grey]], residuals: list[float], index: int) -> bool:
    """Whether the frames on both sides are as unlike when one looks farther."""
    there = dict(around)
    pairs = [(index - 2, index), (index - 3, index), (index - 1, index + 1), (index - 1, index + 2)]
    farther = [_unexplained(there[a], there[b]) for a, b in pairs if a in there and b in there]
    return min(farther, default=residuals[index]) > FLASH * residuals[index]


def _is_cut_at_flat(around: Iterable[tuple[int, _Grey]], index: int) -> bool:
    """Whether a flat picture follows one in full contrast, or the other way round, by a cut.

    A fade has lost most of its contrast beside black, and behind a flash the same scene comes again.
    """
    there = dict(around)
    if there[index - 1].is_flat == there[index].is_flat:
        return False
    at, away = (index - 1, -1) if there[index].is_flat else (index, 1)
    picture, neighbour = there[at], there.get(at + away)
    fades = neighbour is not None and picture.deviation < STEADY * neighbour.deviation
    behind = [there[k] for k in (at - 2 * away, at - 3 * away) if k in there and not there[k].is_flat]
    returns = any(_unexplained(picture, one) < SAME_SCENE for one in behind)
    return picture.deviation > CLEAR and not fades and not returns
