"""Tracks that go over from one person to another are opened where what is seen changes its looks."""

from __future__ import annotations

from rib.pose.detectors.appearance import appearance_likeness, typical_appearance
from rib.pose.tracking.observations import FEWEST_OBSERVATIONS, RECENT_OBSERVATIONS, Tracklet


def open_where_looks_change(tracklet: Tracklet, least: float) -> list[Tracklet]:
    """The tracklet in parts, each of which looks alike throughout; most are one part.

    Where two people overlap, one skeleton can slide from one to the other, step by step and each step small.
    What was seen some observations before and after that is not alike.

    Args:
        tracklet: Observations of somebody, or of two.
        least: Likeness (0..1) of both sides of a place below which it is opened there; 0 opens nothing.
    """
    looks = [observation.detection.appearance for observation in tracklet.seen]
    places = range(FEWEST_OBSERVATIONS, len(looks) - FEWEST_OBSERVATIONS + 1)
    found = []
    for place in places if least > 0 else ():
        before = looks[max(0, place - RECENT_OBSERVATIONS) : place]
        after = looks[place : place + RECENT_OBSERVATIONS]
        likeness = appearance_likeness(typical_appearance(before), typical_appearance(after))
        if likeness is not None and likeness < least:
            found.append((likeness, place))
    if not found:
        return [tracklet]
    _, place = min(found)
    parts = Tracklet(tracklet.seen[:place]), Tracklet(tracklet.seen[place:])
    return [opened for part in parts for opened in open_where_looks_change(part, least)]


def looks_forbid_link(a: Tracklet, b: Tracklet, least: float) -> bool:
    """Whether what is well known of the end of one and the start of the other is too unlike to be one person.

    Args:
        a: The earlier.
        b: The later.
        least: Likeness (0..1) below which it is; 0 forbids nothing.
    """
    if least <= 0 or min(len(a.seen), len(b.seen)) < FEWEST_OBSERVATIONS:
        return False
    likeness = appearance_likeness(a.appearance(at_end=True), b.appearance(at_end=False))
    return likeness is not None and likeness < least
