"""Logos and subtitles over a moving picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from rib.background.overlay import find_still_overlays, lay_still_overlays
from rib.structures.interval import Interval, Keyframe

HEIGHT, WIDTH = 96, 128


def scene(shift: int, text: bool) -> torch.Tensor:
    """Blocks that pan by `shift` pixels, with a title or without."""
    blocks = np.random.default_rng(1).integers(0, 120, (12, 24, 3), dtype=np.uint8)
    whole = np.kron(blocks, np.ones((8, 8, 1), np.uint8))
    picture = np.ascontiguousarray(np.roll(whole, shift, axis=1)[:, :WIDTH])
    if text:
        cv2.putText(picture, "LIVE", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255, 255, 255), 3)
    return torch.from_numpy(picture).permute(2, 0, 1).float() / 255


def letters() -> torch.Tensor:
    return (scene(0, True) == 1).all(dim=0)


def test_a_title_over_a_pan_is_found_and_little_else() -> None:
    kept = find_still_overlays(scene(0, True), scene(21, True))[0] > 0.5
    assert float(kept[letters()].float().mean()) > 0.95
    assert float(kept[~letters()].float().mean()) < 0.03


@pytest.mark.parametrize("witness", [-19, 40])
def test_thin_letters_over_a_restless_ground_are_found_with_a_third_keyframe(witness: int) -> None:
    def sign(shift: int, text: bool = True) -> torch.Tensor:
        grains = np.random.default_rng(2).integers(0, 200, (32, 64, 1), dtype=np.uint8)
        whole = np.kron(grains.repeat(3, axis=2), np.ones((3, 3, 1), np.uint8))
        picture = np.ascontiguousarray(np.roll(whole, shift, axis=1)[:, :WIDTH])
        if text:
            cv2.putText(picture, "12:34", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (255, 255, 255), 1)
        return torch.from_numpy(picture).permute(2, 0, 1).float() / 255

    white = (sign(0) == 1).all(dim=0)
    kept = find_still_overlays(sign(0), sign(20), [sign(witness)])[0] > 0.5
    assert float(kept[white].float().mean()) > 0.9
    assert float(find_still_overlays(sign(0, False), sign(20, False), [sign(witness, False)]).mean()) < 0.01


@pytest.mark.parametrize(("a", "b"), [(0, 0), (0, 21), (0, 3)])
def test_nothing_is_found_where_all_moves_or_all_stands(a: int, b: int) -> None:
    assert float(find_still_overlays(scene(a, a == b), scene(b, a == b)).mean()) < 0.01


def test_the_title_is_shown_as_it_was_and_nobody_is_trusted_there() -> None:
    a, b = Keyframe(0, 0.0, scene(0, True)), Keyframe(1, 1.0, scene(21, True))
    smeared, trust = torch.zeros(2, 3, HEIGHT, WIDTH), torch.ones(2, 1, HEIGHT, WIDTH)
    made, left = lay_still_overlays(Interval(a, b, np.array([0.3, 0.6])), smeared, trust)
    inside = find_still_overlays(a.picture, b.picture)[0] > 0.5
    assert torch.allclose(made[0][:, inside], a.picture[:, inside], atol=0.02)
    assert (left[:, 0, inside] == 0).all()
    assert (made[:, :, ~inside] == 0).all()
    assert (left[:, 0, ~inside] == 1).all()
