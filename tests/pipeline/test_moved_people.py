"""People of a long clip are moved some shots at a time, as they are all at once."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from small_clips import person

from rib.motion.splines import CubicMotion
from rib.motion.transformer import TransformerMotion
from rib.pipeline.analysis.moved_people import move_people
from rib.pipeline.timeline import constant_rate_timeline
from rib.structures.keypoints import PoseTracks

CUTS = [4, 5, 13, 22]
HOLD = (0.5, 0.5, 1.0, 0.05)


@pytest.mark.parametrize(
    ("kind", "at_once"), [("cubic", 1), ("cubic", 9), pytest.param("net", 3, marks=pytest.mark.slow)]
)
def test_parts_of_a_clip_add_up_to_the_whole(kind: str, at_once: int, tmp_path: Path) -> None:
    motion = CubicMotion(*HOLD, None) if kind == "cubic" else TransformerMotion(None, "cpu", *HOLD)
    both = [replace(person(30, missing=(0, 6, 7, 14)), track_id=1), replace(person(30), track_id=2)]
    depth = np.random.default_rng(0).normal(size=(30, 2))
    depth[::7] = np.nan
    people = PoseTracks.of(both, depth)
    wanted = constant_rate_timeline(people.times_s, Fraction(24), people.times_s[-1] + 0.2)
    whole = move_people(motion, people, wanted, CUTS, tmp_path)
    parts = move_people(motion, people, wanted, CUTS, tmp_path, at_once)
    for name in ("keypoints_px", "confidence", "person_depth", "times_s"):
        assert np.array_equal(getattr(parts, name), getattr(whole, name)), name
    assert parts.layer_depth is whole.layer_depth is None
    held = slice(len(wanted) - wanted.held - 1, None)
    assert wanted.held
    assert (whole.keypoints_px[held] == whole.keypoints_px[-1]).all()
    alone = motion(both[1], wanted.times_s[: len(wanted) - wanted.held], CUTS)
    assert np.array_equal(whole.person(2).keypoints_px[: len(alone)], alone.keypoints_px)
