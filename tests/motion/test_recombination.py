from __future__ import annotations

import torch
from torch import Tensor

from rib.motion.training.recombination import CARRIED, recombine_limbs, sway_limbs, turn_bodies
from rib.structures.skeleton import BODY19

LIMBS = sorted({bone for carried, _ in CARRIED for bone in carried})
TRUNK = [bone for bone in range(len(BODY19)) if bone not in LIMBS]
UP = torch.tensor([0.0, 1.0, 0.0])


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def clips(B: int = 12, N: int = 7) -> Tensor:
    """Bone vectors of random people, which serve as joints too."""
    return torch.randn(B, len(BODY19), N, 3, generator=torch.Generator().manual_seed(0))


def test_bones_keep_their_lengths() -> None:
    bones = clips()
    times = torch.arange(7.0).expand(12, -1).double() / 10
    for varied in (
        recombine_limbs(bones, bones, 1.0, generator()),
        sway_limbs(bones, times, 1.0, 40.0, (0.3, 2.0), generator()),
    ):
        torch.testing.assert_close(varied.norm(dim=-1), bones.norm(dim=-1), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(varied[:, TRUNK], bones[:, TRUNK])
        assert ((varied - bones)[:, LIMBS].norm(dim=-1) > 1e-3).any(dim=(1, 2)).float().mean() > 0.7


def test_a_share_of_nothing_changes_nothing() -> None:
    bones = clips()
    times = torch.zeros(12, 7, dtype=torch.float64)
    torch.testing.assert_close(recombine_limbs(bones, bones, 0.0, generator()), bones)
    torch.testing.assert_close(sway_limbs(bones, times, 0.0, 40.0, (0.3, 2.0), generator()), bones)
    torch.testing.assert_close(turn_bodies(bones, times, 0.0, 300.0, 10.0, (0.3, 2.0), generator()), bones)


def test_limbs_turn_with_the_body_that_carries_them() -> None:
    """Two people in the same pose who face different ways exchange limbs without a trace."""
    one = clips(1)
    cos, sin = torch.tensor(1.1).cos(), torch.tensor(1.1).sin()
    x, y, z = one.unbind(-1)
    other = torch.stack([cos * x + sin * z, y, cos * z - sin * x], -1)
    both = torch.cat([one, other])
    for seed in range(6):
        found = recombine_limbs(both, both, 1.0, torch.Generator().manual_seed(seed))
        torch.testing.assert_close(found, both, atol=1e-5, rtol=1e-5)


def test_sway_is_smooth_and_gone_for_no_angle() -> None:
    bones = clips(6, 1).expand(-1, -1, 50, -1)
    times = (torch.arange(50).double() / 200).expand(6, -1)
    still = sway_limbs(bones, times, 1.0, 0.0, (0.3, 2.0), generator())
    torch.testing.assert_close(still, bones, atol=1e-5, rtol=1e-5)
    moving = sway_limbs(bones, times, 1.0, 20.0, (0.3, 2.0), generator())
    bend = moving.diff(n=2, dim=2).norm(dim=-1).max()
    assert bend < 0.1 * (moving - bones).norm(dim=-1).max()


def test_bodies_turn_in_one_piece_about_the_vertical() -> None:
    """Heights and lengths of bones stay, the root stays, and all bones below the hips turn alike."""
    bones = clips(8, 1).expand(-1, -1, 40, -1)
    times = (torch.arange(40).double() / 60).expand(8, -1)
    found = turn_bodies(bones, times, 1.0, 300.0, 0.0, (0.3, 2.0), generator())
    root = BODY19.index("mid_hip")
    torch.testing.assert_close(found[:, root], bones[:, root])
    torch.testing.assert_close(found[..., 1], bones[..., 1])
    torch.testing.assert_close(found.norm(dim=-1), bones.norm(dim=-1), atol=1e-5, rtol=1e-5)
    others = [j for j in range(len(BODY19)) if j != root]
    heading = torch.atan2(found[:, others, :, 0], found[:, others, :, 2])
    turn = heading - heading[:, :, :1]
    apart = torch.atan2((turn - turn[:, :1]).sin(), (turn - turn[:, :1]).cos())
    assert apart.abs().max() < 1e-3
    assert turn.sin().abs().amax((1, 2)).min() > 0.05
