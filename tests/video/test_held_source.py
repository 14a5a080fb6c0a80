from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from counted_source import Counted

from rib.video import InMemorySource, subsample_frames


@pytest.fixture
def source() -> Counted:
    return Counted(np.random.default_rng(0).integers(0, 256, (6, 8, 10, 3), dtype=np.uint8), fps=10)


def test_frames_that_fit_are_decoded_once(source: Counted) -> None:
    held, frames = InMemorySource(source), list(source)
    source.decoded = 0
    for _ in range(3):
        assert all(map(np.array_equal, held, frames))
    assert [len(list(subsample_frames(held, 2))) for _ in range(2)] == [3, 3]
    assert source.decoded == 6


def test_a_walk_that_was_cut_short_is_not_taken_for_the_whole(source: Counted) -> None:
    held = InMemorySource(source)
    assert len(list(islice(held, 2))) == 2
    assert len(list(held)) == len(list(held)) == 6
    assert source.decoded == 2 + 6


def test_a_clip_that_does_not_fit_is_decoded_anew(source: Counted) -> None:
    held = InMemorySource(source, limit_bytes=6 * 8 * 10 * 3 - 1)
    assert len(list(held)) == len(list(held)) == 6
    assert source.decoded == 12


def test_it_is_the_same_clip(source: Counted) -> None:
    held = InMemorySource(source)
    assert held.fingerprint() == source.fingerprint()
    for name in ("name", "size_px", "fps", "fps_assumed", "duration_s", "audio", "audio_start_s", "notes"):
        assert getattr(held, name) == getattr(source, name)
    assert np.array_equal(held.times_s, source.times_s)
    assert len(held) == 6
