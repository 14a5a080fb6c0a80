from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from toy_renderer import NoiseClips

from rib.io.errors import RibError
from rib.render.nets.checkpoint import load_renderer_net
from rib.render.nets.published import RECIPE
from rib.render.nets.reference import RendererReference
from rib.render.nets.spectral import SpectralConv2d, iterate_spectral_norms

PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "data" / "reference_forward"
LABELS = {
    "_target_": "rib.render.conditioning.native.SkeletonConditioning",
    "sigma_px": 2.0,
    "radius_px": 1.5,
}


def net(bfloat16: bool = False) -> RendererReference:
    torch.manual_seed(0)
    return RendererReference(4, 8, 16, 2, 4, 2, 1, LABELS, bfloat16)


@pytest.mark.slow
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
    maps = made.maps(batch["poses"][:, 2], whole[:, 0])
    second = made.frame(maps, batch["backgrounds"][:, 1], whole[:, 0]).picture
    torch.testing.assert_close(whole[:, 1], second)
    # and the first one follows the frame before the window's first
    batch["frames"][:, 0] = 0
    assert not torch.allclose(made(batch)["picture"][:, 0], whole[:, 0])


def test_the_frame_that_is_to_be_made_is_not_looked_at() -> None:
    batch, made = NoiseClips()[0], net()
    before = made(batch)["picture"]
    batch["frames"][:, 1:] = 0.5
    torch.testing.assert_close(made(batch)["picture"], before)


def test_folding_and_the_way_without_gradients_change_nothing() -> None:
    batch = NoiseClips()[0]
    made = net().eval()
    before = made(batch)["picture"].detach()
    with torch.no_grad():
        torch.testing.assert_close(made(batch)["picture"], before, atol=1e-5, rtol=1e-4)
    folded = made.for_inference()
    assert not any(isinstance(module, SpectralConv2d) for module in folded.modules())
    with torch.no_grad():
        torch.testing.assert_close(folded(batch)["picture"], before, atol=1e-5, rtol=1e-4)


def test_bfloat16_is_close() -> None:
    batch = NoiseClips()[0]
    with torch.no_grad():
        exact, fast = net()(batch)["picture"], net(bfloat16=True)(batch)["picture"]
    assert fast.dtype == torch.float32
    assert 0 < (fast - exact).abs().mean() < 2 / 255


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


@pytest.fixture
def _small_published(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {
        "width": 4,
        "embedding": 8,
        "max_channels": 16,
        "num_down": 2,
        "mask_width": 4,
        "mask_down": 2,
        "mask_blocks": 1,
    }
    monkeypatch.setattr("rib.render.nets.published.RECIPE", {**RECIPE, **sizes, "bfloat16": False})


@pytest.mark.usefixtures("_small_published")
def test_a_published_checkpoint_loads(tmp_path: Path) -> None:
    made = net().eval()
    theirs = {f"module.{name}": tensor for name, tensor in made.state_dict().items()}
    content = {"net_D": {"weight": torch.zeros(1)}, "net_G": theirs, "current_epoch": 3}
    torch.save(content, tmp_path / "latest.pt")
    loaded, batch = load_renderer_net(tmp_path / "latest.pt", RECIPE["_target_"]), NoiseClips()[0]
    maps = made.maps(batch["poses"][:, 1], batch["frames"][:, 0])
    arguments = maps, batch["backgrounds"][:, 0], batch["frames"][:, 0]
    with torch.no_grad():
        torch.testing.assert_close(loaded.frame(*arguments).picture, made.frame(*arguments).picture)


@pytest.mark.usefixtures("_small_published")
def test_another_checkpoint_is_refused_in_one_line(tmp_path: Path) -> None:
    other = {"net_G": {"conv.weight": torch.zeros(1)}}
    lacking = {name: tensor for name, tensor in net().state_dict().items() if "conv_img" not in name}
    for content, says in ((other, "nor a generator of the published renderer"), (lacking, "conv_img")):
        torch.save(content, tmp_path / "other.pt")
        with pytest.raises(RibError, match=says) as error:
            load_renderer_net(tmp_path / "other.pt", RECIPE["_target_"])
        assert "\n" not in str(error.value)


@pytest.mark.slow
@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published shapes are not there")
def test_names_and_shapes_are_the_published_ones() -> None:
    from rib.config.compose import compose
    from rib.io.recipe import build_recipe

    config = compose("train", "experiment=renderer_reference", "task.data.store=none")
    generator = json.loads((PUBLISHED / "generator_state_dict.json").read_text())
    for recipe in (config.net, RECIPE):
        assert {k: list(v.shape) for k, v in build_recipe(recipe).state_dict().items()} == generator
    discriminator = json.loads((PUBLISHED / "discriminator_state_dict.json").read_text())
    theirs = {"frame": "net_D", "face": "net_D_face", "hands": "net_D_hand"}
    found = {
        f"{theirs[name]}.{key.removeprefix('net.')}": list(tensor.shape)
        for name, recipe in config.task.module["discriminators"].items()
        for key, tensor in build_recipe(recipe).state_dict().items()
    }
    assert found == discriminator
