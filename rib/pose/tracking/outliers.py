"""Leave out poses that contradict their track: nobody is elsewhere, or of another size, for a moment."""

from __future__ import annotations

import numpy as np

from rib.pose.tracking.observations import TrackerObservation, Tracklet, tracklet_displacement

_ASTRAY = 0.8
"""Trunk lengths by which a detection may miss the line between its neighbours."""
_ACCELERATION = 24.0
"""Trunk lengths a second squared that people reach: somewhat more than in free fall."""
_MISFIT = 1.8
"""Factor between a size and that of neighbours who agree."""
_AGREE = 1.3
_LONGEST_S = 1.0
"""Neighbours further apart than this say nothing."""


def without_track_contradictions(tracklet: Tracklet) -> Tracklet:
    """Leave out observations far off the line between their neighbours, or of another size than both."""
    seen = tracklet.seen
    kept = seen[:1]
    for index in range(1, len(seen) - 1):
        if not _contradicts(kept[-1], seen[index], seen[index + 1]):
            kept.append(seen[index])
    return Tracklet(kept + seen[1:][-1:])


def _contradicts(before: TrackerObservation, this: TrackerObservation, after: TrackerObservation) -> bool:
    span = after.time_s - before.time_s
    if span > _LONGEST_S:
        return False
    size = float(np.sqrt(before.size_px * after.size_px))
    part = (this.time_s - before.time_s) / span
    reach = _ASTRAY + _ACCELERATION * (span / 2) ** 2 / 2
    misses = [
        (1 - part) * tracklet_displacement(before, this, in_scene)
        - part * tracklet_displacement(this, after, in_scene)
        for in_scene in (True, False)
    ]
    astray = min(float(np.linalg.norm(miss)) for miss in misses)
    spread = max(before.size_px, after.size_px) / min(before.size_px, after.size_px)
    misfit = max(this.size_px / size, size / this.size_px)
    return astray > reach * size or (spread < _AGREE and misfit > _MISFIT)
