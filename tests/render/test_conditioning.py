from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rib.render.conditioning.limbs import COLOURS, LIMBS
from rib.render.conditioning.native import SkeletonConditioning
from rib.render.conditioning.reference import ReferenceConditioning

PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "data" / "reference_forward" / "labels.npz"
SIZE = (48, 64)


def poses(seed: int = 0, number: int = 3) -> torch.Tensor:
    """People whose joints lie anywhere in the picture; one joint of the first is missing."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.rand(number, 19, 3, generator=generator) * torch.tensor([SIZE[1], SIZE[0], 0.5])
    drawn[..., 2] += 0.5
    drawn[0, 3] = 0
    return drawn


KINDS: list[Any] = [SkeletonConditioning(3.0, 2.0), ReferenceConditioning(3.0, 0.0)]


@pytest.mark.parametrize("conditioning", KINDS)
def test_a_batch_is_drawn_as_its_poses_are_one_by_one(conditioning: Any) -> None:
    batch = poses().view(1, 3, 19, 3)
    together = conditioning(batch, SIZE)
    assert together.shape == (1, 3, 22, *SIZE)
    for number in range(3):
        torch.testing.assert_close(together[0, number], conditioning(batch[0, number], SIZE))


@pytest.mark.parametrize("conditioning", KINDS)
def test_a_missing_joint_leaves_its_map_empty_and_its_limbs_away(conditioning: Any) -> None:
    person = poses()[:1]
    person[0, :, 2] = 0
    assert not conditioning(person, SIZE).any()
    person[0, :2, 2] = 1
    drawn = conditioning(person, SIZE)[0]
    assert drawn[3].max() > 0.9
    assert not drawn[5:].any()
    colour = torch.tensor(COLOURS[0]) / 255
    assert set(LIMBS[0]) == {0, 1}
    assert (drawn[:3].flatten(1).amax(1) - colour).abs().max() < 0.01


@pytest.mark.parametrize("conditioning", KINDS)
def test_joints_outside_the_picture_and_numbers_that_are_none_do_no_harm(conditioning: Any) -> None:
    person = poses()[1:2]
    person[0, 4, :2] = torch.tensor([1e7, -1e7])
    person[0, 7, :2] = torch.tensor([-30.0, 500.0])
    assert torch.isfinite(conditioning(person, SIZE)).all()


@pytest.mark.parametrize("conditioning", KINDS)
def test_no_poses_give_no_pictures(conditioning: Any) -> None:
    assert conditioning(torch.zeros(0, 19, 3), SIZE).shape == (0, 22, *SIZE)


def test_a_heatmap_is_the_gaussian_at_pixel_centres() -> None:
    person = poses()[1:2]
    drawn = SkeletonConditioning(3.0, 2.0).heatmaps(person, SIZE)[0, 5]
    rows, columns = torch.meshgrid(torch.arange(SIZE[0]) + 0.5, torch.arange(SIZE[1]) + 0.5, indexing="ij")
    x, y, _ = person[0, 5]
    expected = torch.exp(-((columns - x).square() + (rows - y).square()) / 18)
    torch.testing.assert_close(drawn, expected, atol=1e-6, rtol=0)


def test_the_native_label_moves_with_the_pose_continuously_and_has_a_gradient() -> None:
    conditioning = SkeletonConditioning(3.0, 2.0)
    person = poses()[1:2].double()
    moved = person + torch.tensor([1e-4, -1e-4, 0.0])
    difference = conditioning(person, SIZE) - conditioning(moved, SIZE)
    assert 0 < difference.abs().max() < 1e-3
    wanted = conditioning(person, SIZE)
    guess = (person + torch.tensor([0.7, -0.4, 0.0])).requires_grad_()
    error = (conditioning(guess, SIZE) - wanted).square().sum()
    (gradient,) = torch.autograd.grad(error, guess)
    assert torch.isfinite(gradient).all()
    better = guess.detach() - 0.1 * gradient / gradient.norm() * torch.tensor([1.0, 1.0, 0.0])
    assert (conditioning(better, SIZE) - wanted).square().sum() < error


def test_shifting_the_pose_by_whole_pixels_shifts_the_picture() -> None:
    conditioning = SkeletonConditioning(3.0, 2.0)
    person = poses()[1:2] * torch.tensor([0.5, 0.5, 1.0]) + torch.tensor([10.0, 10.0, 0.0])
    moved = conditioning(person + torch.tensor([4.0, 3.0, 0.0]), SIZE)[..., 3:, 4:]
    torch.testing.assert_close(moved, conditioning(person, SIZE)[..., :-3, :-4], atol=1e-5, rtol=0)


def stamped(places: list[tuple[int, int]], size_hw: tuple[int, int]) -> np.ndarray:
    """How many squares from -4 to 3 around each of the places (x, y) lie on every pixel."""
    times = np.zeros(size_hw, int)
    for x, y in set(places):
        times[max(0, y - 4) : max(0, y + 4), max(0, x - 4) : max(0, x + 4)] += 1
    return times


@pytest.mark.parametrize("seed", range(4))
def test_a_reference_limb_is_its_squares_laid_one_after_the_other(seed: int) -> None:
    """Steep, flat and falling ones, some of them partly outside; averaged with black, in whole numbers."""
    a, b = np.random.default_rng(seed).uniform((-20, 1), (80, 60), (2, 2)).astype(np.float32)
    axis = int(abs(a[0] - b[0]) <= abs(a[1] - b[1]))
    a, b = (a, b) if a[axis] <= b[axis] else (b, a)
    count = round(float(b[axis] - a[axis]))
    along = np.linspace(int(a[axis]), int(b[axis]), count)
    slope = (float(b[1 - axis]) - float(a[1 - axis])) / (float(b[axis]) - float(a[axis]))
    across = float(a[1 - axis]) + slope * (along - float(a[axis]))
    pairs = [(int(u), int(v)) for u, v in zip(along, across, strict=True)]
    places = pairs if axis == 0 else [(v, u) for u, v in pairs]
    person = torch.zeros(1, 19, 3)
    person[0, LIMBS[0][0]], person[0, LIMBS[0][1]] = (torch.tensor([*end, 1.0]) for end in (a, b))
    red = ReferenceConditioning(3.0, 0.0).skeleton(person, SIZE)[0, 0].numpy()
    expected = np.zeros(SIZE, int)
    times = stamped(places, SIZE)
    for layer in range(times.max()):
        expected[times > layer] = (expected[times > layer] + COLOURS[0][0]) // 2
    rows, columns = np.indices(SIZE)
    ends = [(columns - x) ** 2 + (rows - y) ** 2 < 64 for x, y in (places[0], places[-1])]
    middle = ~(ends[0] | ends[1])
    np.testing.assert_array_equal(red[middle], expected[middle])


@pytest.mark.skipif(not PUBLISHED.is_file(), reason="the published maps are not there")
def test_the_published_maps_come_out() -> None:
    conditioning = ReferenceConditioning(sigma_px=5.0, threshold=0.0)
    with np.load(PUBLISHED) as file:
        for number in range(4):
            person = torch.from_numpy(file[f"marks_{number}"])[None]
            heatmaps, skeleton = (
                conditioning.heatmaps(person, (320, 480)),
                conditioning.skeleton(person, (320, 480)),
            )
            assert np.abs(heatmaps[0].numpy() - file[f"pose_{number}"]).max() < 1e-6
            same = (skeleton[0].permute(1, 2, 0).numpy() == file[f"skel_{number}"]).all(-1)
            assert same.mean() >= 0.99
