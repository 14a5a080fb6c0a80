from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from toy_renderer import NoiseClips

from rib.render.net_reference import RendererReference
from rib.render.spectral import SpectralConv2d, iterate_spectral_norms

PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "data" / "reference_forward"
LABELS = {"_target_": "rib.render.labels.native.SkeletonLabels", "sigma_px": 2.0, "radius_px": 1.5}


def net() -> RendererReference:
    torch.manual_seed(0)
    return RendererReference(4, 8, 16, 2, 4, 2, 1, LABELS)


def test_windows_of_any_size_come_back_in_their_size() -> None:
    batch = NoiseClips()[0]
    for height, width in ((32, 40), (27, 37)):
        cut: Any = dict(batch)
        for key in ("frames", "backgrounds", "masks"):
            cut[key] = batch[key][..., :height, :width]  # type: ignore[literal-required]
        made = net()(cut)
        assert made["picture"].shape == (2, 2, 3, height, width)
        assert made["alpha"].shape == (2, 2, 1, height, width)
        mixed = made["alpha"] * made["foreground"] + (1 - made["alpha"]) * cut["backgrounds"]
        torch.testing.assert_close(made["picture"], mixed)


def test_a_frame_follows_the_one_made_before_it() -> None:
    batch, made = NoiseClips()[0], net().eval()
    whole = made(batch)["picture"]
    label = made.label(batch["poses"][:, 2], whole[:, 0])
    second = made.frame(label, batch["backgrounds"][:, 1], whole[:, 0]).picture
    torch.testing.assert_close(whole[:, 1], second)
    # and the first one follows the frame before the window's first
    batch["frames"][:, 0] = 0
    assert not torch.allclose(made(batch)["picture"][:, 0], whole[:, 0])


def test_the_frame_that_is_to_be_made_is_not_looked_at() -> None:
    batch, made = NoiseClips()[0], net()
    before = made(batch)["picture"]
    batch["frames"][:, 1:] = 0.5
    torch.testing.assert_close(made(batch)["picture"], before)


def test_folding_changes_nothing() -> None:
    batch = NoiseClips()[0]
    made = net().eval()
    before = made(batch)["picture"]
    folded = made.for_inference()
    assert not any(isinstance(module, SpectralConv2d) for module in folded.modules())
    torch.testing.assert_close(folded(batch)["picture"], before, atol=1e-5, rtol=1e-4)


def test_every_weight_that_is_used_learns() -> None:
    made = net()
    made(NoiseClips()[0])["picture"].sum().backward()
    idle = {name for name, p in made.named_parameters() if p.requires_grad and p.grad is None}
    assert idle == set()


def test_the_largest_singular_value_becomes_one() -> None:
    torch.manual_seed(0)
    layer = SpectralConv2d(3, 5, 3)
    with torch.no_grad():
        layer.weight_orig.mul_(7)
    for _ in range(200):
        iterate_spectral_norms(layer)
    assert torch.linalg.matrix_norm(layer.weight().flatten(1), 2).item() == pytest.approx(1, abs=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published shapes are not there")
def test_names_and_shapes_are_the_published_ones() -> None:
    from rib.config.compose import compose
    from rib.recipe import build

    config = compose("train", "experiment=renderer_reference", "task.data.store=none")
    generator = json.loads((PUBLISHED / "generator_state_dict.json").read_text())
    assert {k: list(v.shape) for k, v in build(config["net"]).state_dict().items()} == generator
    discriminator = json.loads((PUBLISHED / "discriminator_state_dict.json").read_text())
    theirs = {"frame": "net_D", "face": "net_D_face", "hands": "net_D_hand"}
    found = {
        f"{theirs[name]}.{key.removeprefix('net.')}": list(tensor.shape)
        for name, recipe in config["task"]["module"]["opponents"].items()
        for key, tensor in build(recipe).state_dict().items()
    }
    assert found == discriminator
