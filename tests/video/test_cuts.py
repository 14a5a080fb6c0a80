from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from rib.video.cuts import NEIGHBOURS, find_scene_cuts, mark_scene_cuts

SETTINGS = {"residual": 0.12, "contrast": 2.25}
SIZE = (160, 120)


def place(seed: int) -> np.ndarray:
    """A textured picture, larger than what is shown of it."""
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.integers(30, 220, (9, 12, 3), dtype=np.uint8), (240, 180))
    fine = cv2.resize(rng.integers(-30, 30, (45, 60, 3)).astype(np.int8).astype(np.float32), (240, 180))
    return np.clip(coarse + fine, 0, 255).astype(np.uint8)


def shot(seed: int, count: int, pan: float = 1.0, zoom: float = 1.0, start: int = 0) -> list[np.ndarray]:
    """A camera that pans over a place while a square crosses the picture."""
    frames = []
    for k in range(start, start + count):
        x, y = 10 + pan * k, 20
        window = np.float32([[zoom, 0, -x * zoom], [0, zoom, -y * zoom]])
        frame = cv2.warpAffine(place(seed), window, SIZE, borderMode=cv2.BORDER_REFLECT)
        at = 10 + abs((4 * k + 110) % 220 - 110)
        frame[50:80, at : at + 30] = (230, 210, 60)
        frames.append(frame)
    return frames


def grey(frames: list[np.ndarray]) -> list[np.ndarray]:
    return [np.repeat(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2) for f in frames]


def dark(frames: list[np.ndarray]) -> list[np.ndarray]:
    return [(f * 0.13).astype(np.uint8) for f in frames]


@pytest.mark.parametrize("look", [list, grey, dark])
@pytest.mark.parametrize("at", [3, 12, 21])
def test_a_cut_is_found_at_the_first_frame_of_the_new_shot(look, at) -> None:
    assert find_scene_cuts(look(shot(0, at) + shot(1, 24 - at)), **SETTINGS) == [at]


def test_several_cuts_and_a_punch_in_are_found() -> None:
    frames = shot(0, 8) + shot(1, 7) + shot(2, 9) + shot(2, 8, zoom=1.6, start=9)
    assert find_scene_cuts(frames, **SETTINGS) == [8, 15, 24]


@pytest.mark.parametrize("length", [1, 2])
@pytest.mark.parametrize("light", [130, 255])
def test_a_flash_is_no_cut(length: int, light: int) -> None:
    frames = shot(0, 24)
    for k in range(12, 12 + length):
        frames[k] = np.clip(frames[k].astype(int) + light, 0, 255).astype(np.uint8)
    assert find_scene_cuts(frames, **SETTINGS) == []


@pytest.mark.parametrize("level", [0, 16, 255])
@pytest.mark.parametrize("length", [1, 3, 10])
def test_a_flat_picture_between_two_shots_begins_and_ends_with_a_cut(level: int, length: int) -> None:
    flat = [np.full((120, 160, 3), level, np.uint8)] * length
    assert find_scene_cuts(shot(0, 9) + flat + shot(1, 8), **SETTINGS) == [9, 9 + length]


@pytest.mark.parametrize("length", [3, 10])
def test_a_shot_may_be_cut_off_by_black_and_come_again(length: int) -> None:
    black = [np.zeros((120, 160, 3), np.uint8)] * length
    assert find_scene_cuts(shot(0, 9) + black + shot(0, 9), **SETTINGS) == [9, 9 + length]
    assert find_scene_cuts(black + shot(0, 9), **SETTINGS) == [length]
    assert find_scene_cuts(shot(0, 9) + black, **SETTINGS) == [9]


@pytest.mark.parametrize("gamma", [1.0, 2.2])
@pytest.mark.parametrize("steps", [2, 6, 20])
@pytest.mark.parametrize("level", [0, 255])
def test_a_fade_to_a_colour_and_back_is_no_cut(level: int, steps: int, gamma: float) -> None:
    gain = np.clip(np.abs(np.arange(-30, 31)) - 3, 0, steps) / steps
    faded = [level + (f - float(level)) * g ** (1 / gamma) for f, g in zip(shot(0, 61), gain, strict=True)]
    assert find_scene_cuts([f.astype(np.uint8) for f in faded], **SETTINGS) == []


@pytest.mark.parametrize("steps", [6, 12, 20])
@pytest.mark.parametrize("way", [1, -1])
def test_a_fade_is_no_cut(steps: int, way: int) -> None:
    gain = np.clip(1 - np.arange(30) / steps, 0, 1)[::way]
    assert (
        find_scene_cuts(
            [(f * g).astype(np.uint8) for f, g in zip(shot(0, 30), gain, strict=True)], **SETTINGS
        )
        == []
    )


def test_a_dissolve_is_no_cut() -> None:
    mix = np.clip((np.arange(30) - 10) / 8, 0, 1)
    pairs = zip(shot(0, 30), shot(1, 30), mix, strict=True)
    assert find_scene_cuts([(a * (1 - m) + b * m).astype(np.uint8) for a, b, m in pairs], **SETTINGS) == []


@pytest.mark.parametrize("pan", [0.0, 4.0, 11.0])
def test_a_pan_is_no_cut(pan: float) -> None:
    assert find_scene_cuts(shot(0, 14, pan=pan), **SETTINGS) == []


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_short_and_still_clips_have_none(count: int) -> None:
    assert find_scene_cuts([np.full((120, 160, 3), 40, np.uint8)] * count, **SETTINGS) == []
    assert find_scene_cuts(shot(0, count), **SETTINGS) == []


def test_frames_pass_with_their_mark_a_few_frames_late() -> None:
    frames, taken = shot(0, 7) + shot(1, 6), [0]

    def counted() -> Iterator[np.ndarray]:
        for frame in frames:
            taken[0] += 1
            yield frame

    marks = []
    for index, (frame, begins_shot) in enumerate(mark_scene_cuts(counted(), **SETTINGS)):
        assert frame is frames[index]
        assert taken[0] == min(index + NEIGHBOURS + 1, len(frames))
        marks.append(begins_shot)
    assert np.flatnonzero(marks).tolist() == [7]
