from __future__ import annotations

from typing import Any

import pytest
import torch
from clip_module import NOTHING, clip_data, painted
from torch import Tensor

from rib.clips.augment import LIMBS, ClipAugmentation, blur_clip_limbs, drop_clip_limbs
from rib.clips.batches import collate_clip_windows
from rib.clips.data import to_clip_batch
from rib.render.clip_batch import RendererClipBatch
from rib.structures.skeleton import BODY19

WIDTH, HEIGHT = 90, 70


def augment(batch: RendererClipBatch, seed: int = 0, **changes: Any) -> RendererClipBatch:
    return ClipAugmentation(**{**NOTHING, **changes})(batch, torch.Generator().manual_seed(seed))


def people() -> RendererClipBatch:
    windows = [painted().window(name, 0, 5) for name in painted().names]
    return to_clip_batch(collate_clip_windows(windows, 0))


def spots(places: Tensor) -> Tensor:
    """A soft spot of 3 px at each place (..., 2), (..., HEIGHT, WIDTH)."""
    y, x = torch.meshgrid(torch.arange(HEIGHT) + 0.5, torch.arange(WIDTH) + 0.5, indexing="ij")
    return torch.exp(-((x - places[..., 0, None, None]) ** 2 + (y - places[..., 1, None, None]) ** 2) / 18)


def centre(picture: Tensor) -> Tensor:
    """Centre of mass of (..., H, W)."""
    y, x = torch.meshgrid(torch.arange(HEIGHT) + 0.5, torch.arange(WIDTH) + 0.5, indexing="ij")
    return (
        torch.stack([(picture * x).sum((-1, -2)), (picture * y).sum((-1, -2))], -1)
        / picture.sum((-1, -2))[..., None]
    )


def signposts() -> RendererClipBatch:
    """Right wrist, left wrist and nose are a red, a green and a blue spot; the mask is the nose's."""
    generator = torch.Generator().manual_seed(4)
    places = torch.rand(6, 4, 19, 2, generator=generator) * torch.tensor([24, 16.0]) + torch.tensor(
        [32, 26.0]
    )
    shown = [BODY19.index(joint) for joint in ("right_wrist", "left_wrist", "nose")]
    pictures = spots(places[:, :, shown])
    return RendererClipBatch(
        frames=pictures, poses=torch.cat([places, torch.ones(6, 4, 19, 1)], -1), masks=pictures[:, :, 2:],
        backgrounds=pictures[:, 1:-1], times_s=torch.arange(4.0, dtype=torch.float64).expand(6, 4),
        names=["a"] * 6,
    )  # fmt: skip


MOVES = [
    {"shift": 0.08}, {"rotation_deg": 25.0}, {"scale": 0.2},
    {"shift": 0.0625, "rotation_deg": 10.0, "scale": 0.1},
]  # fmt: skip


@pytest.mark.parametrize("changes", MOVES)
def test_a_warped_picture_and_its_warped_keypoints_agree(changes: dict[str, float]) -> None:
    before, after = signposts(), augment(signposts(), **changes)
    for channel, joint in enumerate(("right_wrist", "left_wrist", "nose")):
        places = after["poses"][:, :, BODY19.index(joint), :2]
        torch.testing.assert_close(centre(after["frames"][:, :, channel]), places, atol=0.15, rtol=0)
    assert (after["poses"] - before["poses"]).abs().amax() > 1


def test_a_mirrored_window_swaps_left_and_right() -> None:
    before, after = signposts(), augment(signposts(), flip=1.0)
    right, left, nose = (BODY19.index(joint) for joint in ("right_wrist", "left_wrist", "nose"))
    for channel, joint in ((0, left), (1, right), (2, nose)):
        places = after["poses"][:, :, joint, :2]
        torch.testing.assert_close(centre(after["frames"][:, :, channel]), places, atol=0.05, rtol=0)
    torch.testing.assert_close(after["frames"], before["frames"].flip(-1), atol=1e-5, rtol=0)
    torch.testing.assert_close(augment(after, flip=1.0)["poses"], before["poses"], atol=1e-4, rtol=0)


def test_masks_and_backgrounds_follow_the_frames() -> None:
    after = augment(signposts(), shift=0.1, rotation_deg=15.0, scale=0.1, flip=0.5)
    torch.testing.assert_close(after["masks"], after["frames"][:, :, 2:])
    torch.testing.assert_close(after["backgrounds"], after["frames"][:, 1:-1])


def test_nothing_asked_for_changes_nothing() -> None:
    before, after = people(), augment(people())
    for key in ("frames", "poses", "masks", "backgrounds"):
        torch.testing.assert_close(after[key], before[key], atol=1e-4, rtol=1e-5)  # type: ignore[literal-required]


def test_the_same_seed_draws_the_same_and_windows_differ() -> None:
    settings = {"shift": 0.1, "rotation_deg": 10.0, "brightness": 0.2, "hue_deg": 20.0, "limb_drop": 0.1}
    ours, again, other = (augment(people(), seed, **settings) for seed in (1, 1, 2))
    torch.testing.assert_close(ours["frames"], again["frames"])
    assert not torch.equal(ours["poses"], other["poses"])
    moves = ours["poses"][:, 0, 8, :2] - people()["poses"][:, 0, 8, :2]
    assert (moves[0] - moves[1]).abs().max() > 0.1


def test_a_missing_joint_stays_missing_wherever_the_window_moves() -> None:
    batch = people()
    batch["poses"][:, :, 4] = 0
    after = augment(batch, shift=0.1, rotation_deg=10.0)
    assert (after["poses"][:, :, 4] == 0).all()
    assert (after["poses"][:, :, 7, 2] == 1).all()


def test_limbs_are_dropped_for_a_whole_window() -> None:
    dropped = torch.zeros(3, len(LIMBS), dtype=torch.bool)
    dropped[1, 5] = True
    after = drop_clip_limbs(people(), dropped)["poses"]
    gone = after[..., 2] == 0
    assert gone[1, :, LIMBS[5][1]].all()
    assert gone.sum() == 5


def test_only_the_part_chosen_is_blurred_and_only_in_the_background() -> None:
    before = people()
    chosen = torch.zeros(3, len(LIMBS), dtype=torch.bool)
    limb = LIMBS.index((BODY19.index("right_knee"), BODY19.index("right_ankle")))
    chosen[2, limb] = True
    after = blur_clip_limbs(before, chosen, 0.2, 0.2)
    changed = (after["backgrounds"] - before["backgrounds"]).abs().amax(2) > 1e-3
    assert changed[2].any()
    assert not changed[:2].any()
    assert changed[2].float().mean() < 0.1
    torch.testing.assert_close(after["frames"], before["frames"])
    ankle = before["poses"][2, 1:-1, BODY19.index("right_ankle"), :2].long()
    y, x = changed[2].nonzero()[:, 1:].T
    assert ((x - ankle[:, 0].float().mean()).abs() < 25).all()
    assert (y > 20).all()


def test_colours_change_alike_in_frames_and_backgrounds_and_stay_in_range() -> None:
    batch = people()
    batch["backgrounds"] = batch["frames"][:, 1:-1].clone()
    after = augment(batch, brightness=0.3, contrast=0.4, saturation=0.5, hue_deg=60.0)
    torch.testing.assert_close(after["backgrounds"], after["frames"][:, 1:-1])
    assert 0 <= after["frames"].min() <= after["frames"].max() <= 1
    assert (after["frames"] - batch["frames"]).abs().mean() > 0.01
    torch.testing.assert_close(after["masks"], batch["masks"], atol=1e-4, rtol=0)
    torch.testing.assert_close(after["poses"], batch["poses"], atol=1e-4, rtol=1e-5)


def test_grey_stays_grey_under_hue_and_saturation() -> None:
    batch = people()
    batch["frames"] = batch["frames"].mean(2, keepdim=True).expand_as(batch["frames"]).contiguous()
    after = augment(batch, saturation=0.5, hue_deg=90.0)["frames"]
    torch.testing.assert_close(after, batch["frames"], atol=1e-4, rtol=0)


def test_the_data_module_augments_training_and_not_validation() -> None:
    recipe = {"_target_": "rib.clips.augment.ClipAugmentation", **NOTHING, "shift": 0.2}
    plain, moved = clip_data(), clip_data(augment=recipe)
    for drawn, same in (("_training", False), ("_checking", True)):
        ours, theirs = (m.on_after_batch_transfer(getattr(m, drawn)[0])["frames"] for m in (plain, moved))
        assert torch.equal(ours, theirs) == same
