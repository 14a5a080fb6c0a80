from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest

from rib.video import ArraySource, ClipView, without_duplicate_frames
from rib.video.views.cadence import PATTERNS, find_repeat_cadence

SIZE = (96, 64)


def shot(count: int, seed: int = 0, still: bool = False) -> list[np.ndarray]:
    """A textured ground with a square that wanders at a changing pace."""
    rng = np.random.default_rng(seed)
    ground = cv2.resize(rng.integers(60, 120, (8, 12, 3), dtype=np.uint8), SIZE)
    places = np.zeros(count) if still else np.cumsum(rng.uniform(1, 4, count))
    frames = []
    for place in places:
        frame = ground.copy()
        x = int(abs(place % 120 - 60))
        frame[20:44, x : x + 24] = (220, 200, 40)
        frames.append(frame)
    return frames


def stored(pictures: list[np.ndarray], frames: int, per: int, noise: float = 0.4) -> np.ndarray:
    """Each picture as often as the cadence says, with a codec's noise on every frame."""
    index = np.arange(len(pictures) * frames // per) * per // frames
    rng = np.random.default_rng(1)
    noisy = [pictures[i].astype(float) + rng.normal(0, noise, pictures[i].shape) for i in index]
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("frames", "per"), [(2, 1), (3, 1), (5, 2), (5, 4), (6, 5), (3, 2), (25, 24)])
def test_every_picture_is_taken_once_and_at_even_times(frames: int, per: int) -> None:
    pictures = shot(150 if frames == 25 else 48)
    source = ArraySource(stored(pictures, frames, per), Fraction(30))
    found = without_duplicate_frames(source)
    assert isinstance(found, ClipView)
    assert found.fps == Fraction(30) * per / frames
    shown = (found.indices * per // frames).tolist()
    assert shown == list(range(len(shown)))
    assert np.allclose(np.diff(found.times_s) * float(found.fps), 1)
    assert found.duration_s == pytest.approx(source.duration_s, abs=1 / 30)
    assert "by a cadence" in found.notes[-1]
    assert found.fingerprint() != ClipView(source, found.indices).fingerprint()


def test_a_cadence_that_an_edit_shifts_is_followed() -> None:
    one, other = stored(shot(48), 5, 4), stored(shot(48, seed=3), 5, 4)[2:]
    found = without_duplicate_frames(ArraySource(np.concatenate([one, other]), Fraction(30)))
    assert found.fps == 24
    assert abs(len(found) - 95) <= 2
    assert np.abs(found.times_s - found.indices / 30).max() < 1.06 / 24  # type: ignore[attr-defined]


@pytest.mark.parametrize("noise", [0.0, 0.4])
def test_a_still_picture_stays_still_and_plain_motion_is_left_alone(noise: float) -> None:
    for pictures in (shot(60), shot(60, still=True), shot(30) + shot(30, still=True)):
        source = ArraySource(stored(pictures, 1, 1, noise), Fraction(30))
        assert without_duplicate_frames(source) is source


def test_a_rest_in_the_middle_keeps_its_length() -> None:
    pictures = shot(60)[:30] + [shot(60)[29]] * 24 + shot(60)[30:]
    source = ArraySource(stored(pictures, 2, 1), Fraction(24))
    found = without_duplicate_frames(source)
    assert (found.fps, len(found)) == (12, 84)
    assert np.allclose(found.times_s, np.arange(84) / 12)


def test_frames_dropped_at_random_are_no_cadence() -> None:
    pictures, rng = shot(120), np.random.default_rng(0)
    index = np.maximum.accumulate(np.where(rng.random(120) < 0.2, 0, np.arange(120)))
    source = ArraySource(stored([pictures[i] for i in index], 1, 1), Fraction(30))
    assert without_duplicate_frames(source) is source


def test_patterns_hold_fewer_pictures_than_frames() -> None:
    assert all(pictures < frames for frames, pictures in PATTERNS)


@pytest.mark.parametrize("count", [6, *(pytest.param(n, marks=pytest.mark.slow) for n in (10, 16, 24))])
def test_motion_that_comes_and_goes_is_no_cadence(count: int) -> None:
    found = [find_repeat_cadence(np.random.default_rng(seed).gamma(4, 5, count)) for seed in range(100)]
    assert found == [None] * 100


def test_a_few_frames_tell_no_cadence() -> None:
    pulses = np.array([0, 2, 9, 30, 2, 3, 20])  # of a juggler: fast, slow, fast
    assert find_repeat_cadence(pulses.astype(float)) is None
    assert find_repeat_cadence(np.tile([20.0, 2.0], 4)) is None
    assert find_repeat_cadence(np.tile([20.0, 2.0], 8)) is not None
