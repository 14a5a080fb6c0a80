from __future__ import annotations

import numpy as np
import pytest
import torch
from painted import keyframe, turning
from samples_by_hand import SMALL, a_net, channels
from torch.utils.flop_counter import FlopCounterMode

from rib.config.compose import compose
from rib.io.recipe import build_recipe
from rib.render.clip_batch import RendererClipBatch
from rib.render.refine.refiner_input import NUM_CHANNELS, RefinerInput
from rib.structures.skeleton import convert_pose


def test_untrained_it_changes_nothing() -> None:
    inputs = RefinerInput.of(channels(2, 37, 50))
    refined = a_net(SMALL).refine(inputs)
    for name in ("colour", "alpha", "trust"):
        assert float((getattr(refined, name) - getattr(inputs, name)).detach().abs().max()) == 0.0


def test_gradients_reach_every_weight() -> None:
    net = a_net(SMALL, trained=True)
    inputs = RefinerInput.of(channels(1, 32, 32))
    net.refine(inputs).over(inputs).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


def test_the_last_layer_learns_from_where_it_is_zero() -> None:
    net = a_net(SMALL)
    inputs = RefinerInput.of(channels(1, 32, 32))
    net.refine(inputs).over(inputs).square().mean().backward()
    per_output = net.leave.weight.grad.abs().sum((1, 2, 3))
    assert (per_output > 0).all()


@pytest.mark.parametrize("size", [(1, 1), (33, 47), (64, 32)])
def test_any_size(size: tuple[int, int]) -> None:
    assert a_net(SMALL, trained=True).changes(RefinerInput.of(channels(1, *size))).shape[2:] == size


def test_moments_do_not_see_one_another() -> None:
    net = a_net(SMALL, trained=True)
    x = channels(3, 32, 40)
    together, *alone = (net.changes(RefinerInput.of(some)) for some in (x, *x.split(1)))
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)


def test_bfloat16_is_for_use_alone_and_changes_next_to_nothing() -> None:
    net, inputs = a_net(SMALL, trained=True), RefinerInput.of(channels(1, 32, 40))
    with torch.no_grad():
        fine = net.changes(inputs)
        net.in_bfloat16 = True
        coarse = net.changes(inputs)
    assert coarse.dtype == torch.float32
    assert not torch.equal(fine, coarse)
    assert torch.allclose(fine, coarse, atol=0.02 * float(fine.abs().max()))
    assert torch.equal(net.changes(inputs).detach(), fine)


def test_shares_stay_shares() -> None:
    refined = a_net(SMALL, trained=True).refine(RefinerInput.of(channels(2, 32, 32)))
    for share in (refined.alpha, refined.trust):
        assert float(share.detach().min()) >= 0
        assert float(share.detach().max()) <= 1


def test_planes_and_fields_are_one() -> None:
    x = channels(2, 8, 9)
    assert torch.equal(RefinerInput.of(x).channels, x)


def window() -> RendererClipBatch:
    """Three frames of the painted figure, its arm turning, over a cross-fade."""
    interval = turning(0, 60, (0.5,)).interval
    keys = [interval.a, keyframe(1, 30, 0.5), interval.b]
    views = [key.person(0) for key in keys]
    poses = [convert_pose(view.pose, "body19") for view in views]
    frames = torch.stack([k.picture for k in keys])[None]
    return RendererClipBatch(
        frames=frames,
        poses=torch.stack(
            [torch.from_numpy(np.dstack([p.keypoints_px, p.confidence])[0]).float() for p in poses]
        )[None],
        masks=torch.stack([v.mask(k.size_px) for v, k in zip(views, keys, strict=True)])[None],
        backgrounds=frames[:, [0, 2]].mean(1, keepdim=True),
        times_s=torch.tensor([[0.0, 0.5, 1.0]], dtype=torch.float64),
        names=["figure"],
    )


def test_a_window_is_drawn_better_than_its_background() -> None:
    batch = window()
    with torch.no_grad():
        made = a_net(SMALL)(batch)
    truth = batch["frames"][:, 1:-1]
    before, after = (float((x - truth).square().mean()) for x in (batch["backgrounds"], made["picture"]))
    assert after < before / 2
    assert made["picture"].shape == made["foreground"].shape == truth.shape
    assert made["alpha"].shape == (1, 1, 1, *truth.shape[3:])
    rest = made["picture"] - made["alpha"] * made["foreground"]
    assert float(rest.min()) > -1e-5


def test_a_window_without_a_person_is_its_background() -> None:
    batch = window()
    batch["poses"] = torch.zeros_like(batch["poses"])
    assert torch.equal(a_net(SMALL)(batch)["picture"], batch["backgrounds"])


def test_a_window_teaches_the_net() -> None:
    net, batch = a_net(SMALL), window()
    (net(batch)["picture"] - batch["frames"][:, 1:-1]).abs().mean().backward()
    assert net.leave.weight.grad.abs().sum() > 0


def test_the_shipped_size_is_cheap() -> None:
    config = compose("interpolate", "input=x", "output=y", "rate=2", "render=gan")
    net = build_recipe(config.render["net"]).to("meta")
    with FlopCounterMode(display=False) as counter:
        net.changes(RefinerInput.of(torch.empty(1, NUM_CHANNELS, 320, 480, device="meta")))
    assert counter.get_total_flops() / 2 < 15e9
