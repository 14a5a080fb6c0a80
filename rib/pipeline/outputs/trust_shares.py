"""Share of a result's pixels and intervals that the renderer made."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class OutputTrustShares:
    """Adds up, frame by frame, where trust is above one half."""

    _frames: list[float] = field(default_factory=list)
    _intervals: dict[int, bool] = field(default_factory=dict)

    def add(self, interval: int, trusted: float) -> None:
        """Count a made frame.

        Args:
            interval: Number of the keyframe before it.
            trusted: Share of its pixels with trust above one half.
        """
        self._frames.append(trusted)
        self._intervals[interval] = self._intervals.get(interval, False) or trusted > 0

    def summary(self) -> dict[str, float]:
        """`trusted_pixels`: of all pixels made; `trusted_intervals`: of all intervals, those with such."""
        return {
            "trusted_pixels": sum(self._frames) / max(len(self._frames), 1),
            "trusted_intervals": sum(self._intervals.values()) / max(len(self._intervals), 1),
        }
