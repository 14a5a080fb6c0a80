from __future__ import annotations

import numpy as np

from rib.video.cuts import find_cuts

SETTINGS = {"histogram_distance": 0.25, "picture_difference": 0.5}


def scene(seed: int, count: int, shift: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    base = np.kron(rng.integers(0, 256, (12, 16, 3)), np.ones((10, 10, 1))).astype(np.uint8)
    base = (base * rng.uniform(0.2, 1, 3)).astype(np.uint8)
    return [np.roll(base, shift * i, axis=1) for i in range(count)]


def test_a_cut_is_found_at_the_first_frame_of_the_new_shot() -> None:
    assert find_cuts(scene(0, 5) + scene(1, 4) + scene(2, 3), **SETTINGS) == [5, 9]


def test_a_pan_a_flash_and_a_still_are_no_cuts() -> None:
    pan = scene(0, 8, shift=6)
    flash = [
        np.clip(f.astype(int) + 60 * (i == 3), 0, 255).astype(np.uint8) for i, f in enumerate(scene(0, 8))
    ]
    still = [np.full((120, 160, 3), 40, np.uint8)] * 4
    for frames in (pan, flash, still, [], still[:1]):
        assert find_cuts(frames, **SETTINGS) == []
