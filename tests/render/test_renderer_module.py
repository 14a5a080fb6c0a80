from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader
from toy_renderer import NoiseClips, loader, settings, trainer

from rib.engine.callbacks.monitors import SeedSteps, StopWhenNotFinite
from rib.io.errors import RibError
from rib.render.training.losses import weighted_render_loss
from rib.render.training.module import RendererModule


def module(**changes: Any) -> RendererModule:
    torch.manual_seed(0)
    return RendererModule(**settings(**changes))


def fit(folder: Path, steps: int, resume: Path | None = None, **options: Any) -> pl.Trainer:
    made = trainer(folder, steps, **options)
    fitted = module()
    fitted.clip_norm = 1.0
    made.fit(fitted, loader(2 if resume else 0), ckpt_path=resume and str(resume), weights_only=True)
    return made


def assert_same(a: Any, b: Any) -> None:
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, list | tuple):
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    elif isinstance(a, torch.Tensor):
        assert torch.equal(a, b)
    else:
        assert a == b


def test_a_step_is_one_of_the_generator(tmp_path: Path) -> None:
    made = fit(tmp_path, 3)
    assert made.global_step == 3
    assert made.fit_loop.epoch_loop.batch_progress.total.completed == 3
    assert [len(optimizer.state_dict()["state"]) > 0 for optimizer in made.optimizers] == [True, True]
    assert all(int(s["step"]) == 3 for o in made.optimizers for s in o.state_dict()["state"].values())
    assert {schedule.scheduler.last_epoch for schedule in made.lr_scheduler_configs} == {3}


def test_gradients_of_several_batches_make_one_step_of_both_sides(tmp_path: Path) -> None:
    added = module()
    added.accumulate = 2
    made = trainer(tmp_path, 2)
    made.fit(added, loader())
    assert made.global_step == 2
    assert made.fit_loop.epoch_loop.batch_progress.total.completed == 4
    assert all(int(s["step"]) == 2 for o in made.optimizers for s in o.state_dict()["state"].values())


def test_a_batch_twice_in_a_step_is_the_batch_once(tmp_path: Path) -> None:
    changes = {
        # without power iteration, which goes on with every batch
        "net": {"_target_": "toy_renderer.ToyNet", "spectral": False},
        "discriminators": None, "weights": {"l1": 1.0, "l1_person": 1.0}, "warmup_steps": 0,
        "optimizer": {"_target_": "torch.optim.SGD", "lr": 0.1},
    }  # fmt: skip
    once, twice = module(**changes), module(**changes)
    twice.accumulate = 2
    batch = next(iter(loader()))
    for fitted, number in ((once, 1), (twice, 2)):
        trainer(tmp_path, 1).fit(fitted, DataLoader([batch] * number, batch_size=None))  # type: ignore[arg-type]
    before = module(**changes).net.state_dict()
    for name, value in once.net.state_dict().items():
        assert torch.allclose(value, twice.net.state_dict()[name], atol=1e-6)
    assert any(not torch.equal(value, before[name]) for name, value in once.net.state_dict().items())


def test_four_steps_are_two_and_two(tmp_path: Path) -> None:
    whole, half = fit(tmp_path, 4), fit(tmp_path, 2)
    half.save_checkpoint(tmp_path / "half.ckpt")
    rest = fit(tmp_path, 4, tmp_path / "half.ckpt")
    for made, name in ((whole, "whole"), (rest, "rest")):
        made.save_checkpoint(tmp_path / f"{name}.ckpt")
    a, b = (torch.load(tmp_path / f"{name}.ckpt", weights_only=True) for name in ("whole", "rest"))
    for key in ("state_dict", "optimizer_states", "lr_schedulers", "global_step"):
        assert_same(a[key], b[key])


def test_a_checkpoint_alone_gives_the_module(tmp_path: Path) -> None:
    made = fit(tmp_path, 1)
    made.save_checkpoint(tmp_path / "run.ckpt")
    again = RendererModule.load_from_checkpoint(tmp_path / "run.ckpt", weights_only=True)
    assert_same(dict(again.state_dict()), dict(made.lightning_module.state_dict()))
    assert not any("convolutions" in name for name in again.state_dict())


def gradients(fitted: RendererModule, terms: dict[str, torch.Tensor], name: str) -> tuple[float, float]:
    fitted.zero_grad()
    terms[name].backward(retain_graph=True)
    size = lambda part: sum(float(p.grad.abs().sum()) for p in part.parameters() if p.grad is not None)  # noqa: E731
    return size(fitted.net), size(fitted.discriminators)


@pytest.mark.parametrize("kind", ["hinge", "lsgan", "nonsaturating"])
def test_each_side_learns_from_its_own_terms_alone(kind: str) -> None:
    fitted, batch = module(adversarial=kind), NoiseClips()[0]
    ours, theirs = fitted.losses(fitted.net(batch), batch)
    assert set(ours) == set(fitted.weights)
    assert set(theirs) == {"discriminator_frame", "discriminator_hands"}
    for name in ours:
        net, discriminators = gradients(fitted, ours, name)
        assert net > 0
        assert discriminators == 0
    for name in theirs:
        net, discriminators = gradients(fitted, theirs, name)
        assert net == 0
        assert discriminators > 0


def test_a_term_without_a_weight_is_not_computed_and_an_unknown_one_is_refused() -> None:
    fitted, batch = module(weights={"l1": 2.0, "features_frame": 0.0}), NoiseClips()[0]
    ours, _ = fitted.losses(fitted.net(batch), batch)
    assert set(ours) == {"l1"}
    torch.testing.assert_close(weighted_render_loss(ours, fitted.weights), 2 * ours["l1"])
    with pytest.raises(RibError, match=r"weights\.l1_persn.*did you mean 'l1_person'"):
        module(weights={"l1_persn": 1.0})


def test_it_trains_without_discriminators(tmp_path: Path) -> None:
    fitted = module(discriminators={"frame": None}, weights={"l1": 1.0})
    made = trainer(tmp_path, 2)
    made.fit(fitted, loader())
    assert made.global_step == 2
    assert len(made.optimizers) == 1


def test_gradient_checkpointing_changes_nothing(tmp_path: Path) -> None:
    states = []
    for checkpointed in (False, True):
        fitted = module(checkpointed=checkpointed)
        trainer(tmp_path, 2).fit(fitted, loader())
        states.append(copy.deepcopy(fitted.state_dict()))
    for name, tensor in states[0].items():
        torch.testing.assert_close(states[1][name], tensor)


def test_it_trains_in_bfloat16_and_refuses_float16(tmp_path: Path) -> None:
    trainer(tmp_path, 1, precision="bf16-mixed").fit(module(), loader())
    fitted = module()
    fitted._trainer = type("Half", (), {"precision": "16-mixed"})()  # type: ignore[assignment]
    with pytest.raises(RibError, match="bf16-mixed"):
        fitted.on_fit_start()


def test_a_loss_that_is_not_finite_stops_the_run_names_the_term_and_keeps_the_checkpoint(
    tmp_path: Path,
) -> None:
    keep = pl.callbacks.ModelCheckpoint(tmp_path, "{step}", every_n_train_steps=1, save_top_k=-1)
    fitted = module()
    before: list[Any] = []

    class Remember(pl.Callback):
        def on_before_backward(self, *arguments: Any) -> None:
            before.append(copy.deepcopy(fitted.state_dict()))

    with pytest.raises(RibError, match=r"the loss is nan at step 2, because of .*l1.*\(l1=nan"):
        trainer(
            tmp_path, 4, callbacks=[Remember(), StopWhenNotFinite(), keep], enable_checkpointing=True
        ).fit(fitted, loader(spoilt=2))
    assert {path.name for path in tmp_path.glob("*.ckpt")} == {"step=1.ckpt", "step=2.ckpt"}
    saved = torch.load(tmp_path / "step=2.ckpt", weights_only=True)["state_dict"]
    assert all(torch.isfinite(tensor).all() for tensor in saved.values())
    assert_same(dict(before[-1]), dict(fitted.state_dict()))


def test_what_a_step_draws_follows_the_generators_steps(tmp_path: Path) -> None:
    seen = []

    class Watch(SeedSteps):
        def on_train_batch_start(self, trainer: pl.Trainer, *arguments: Any) -> None:
            super().on_train_batch_start(trainer, *arguments)
            seen.append(trainer.global_step)

    trainer(tmp_path, 3, callbacks=[Watch(1)]).fit(module(), loader())
    assert seen == [0, 1, 2]


def test_the_running_mean_follows_and_is_what_is_validated(tmp_path: Path) -> None:
    start, made = module(), fit(tmp_path, 3)
    fitted = made.lightning_module
    assert isinstance(fitted, RendererModule)
    way = lambda a, b: float((a.paint.weight_orig - b.paint.weight_orig).norm())  # noqa: E731
    assert 0 < way(start.net, fitted.ema) < way(start.net, fitted.net)
    batch = NoiseClips()[0]
    torch.testing.assert_close(fitted(batch)["picture"], fitted.ema(batch)["picture"])
    assert torch.equal(fitted.ema.paint.weight_u, fitted.net.paint.weight_u)  # type: ignore[union-attr]
