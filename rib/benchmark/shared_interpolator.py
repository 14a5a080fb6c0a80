"""One interpolator for several methods: what one of them asked for is at hand for the others."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rib.background.interpolator import FrameInterpolator
from rib.pipeline.progress import StageStopwatch
from rib.pipeline.stages import BackgroundStage
from rib.structures.interval import Background, Interval


@dataclass
class BenchmarkInterpolatorMemo:
    """An interpolator that is built when it is first asked for, and what it made of the newest interval.

    Attributes:
        build: Builds it.
    """

    build: Callable[[], BackgroundStage]
    _stage: BackgroundStage | None = None
    _interval: int = -1
    _made: dict[tuple[int, ...], tuple[Background, float]] = field(default_factory=dict)

    @property
    def stage(self) -> BackgroundStage:
        """The interpolator."""
        if self._stage is None:
            self._stage = self.build()
        return self._stage

    def __call__(self, interval: Interval) -> tuple[Background, float]:
        """The background, and the seconds that somebody else waited for it, or 0.

        Moments that no output counts, such as those of hold-outs, are not kept.
        """
        if not interval.indices:
            return self.stage(interval), 0.0
        if interval.a.index != self._interval:
            self._interval, self._made = interval.a.index, {}
        if interval.indices in self._made:
            return self._made[interval.indices]
        start = time.perf_counter()
        background = self.stage(interval)
        self._made[interval.indices] = background, time.perf_counter() - start
        return background, 0.0


class SharedBenchmarkInterpolator(FrameInterpolator):
    """One method's share of a `BenchmarkInterpolatorMemo`.

    Args:
        memo: Shared by the methods, which walk through the intervals in step.
        watch: The method's; it is charged for what others waited for, so that methods can be compared.
    """

    def __init__(self, memo: BenchmarkInterpolatorMemo, watch: StageStopwatch) -> None:
        self._memo, self._watch = memo, watch

    def prepare(self, num_frames: int, size_px: tuple[int, int], num_held: int = 0) -> None:
        """See `FrameInterpolator.prepare`."""
        self._memo.stage.prepare(num_frames, size_px, num_held)

    def __call__(self, interval: Interval) -> Background:
        """See `FrameInterpolator`."""
        background, seconds = self._memo(interval)
        self._watch.seconds["background"] += seconds
        return background
