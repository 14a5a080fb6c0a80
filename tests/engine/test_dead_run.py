from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from rib.engine.callbacks.dead_run import StopWhenDead
from rib.io.errors import RibError


def run(
    net: nn.Module, loss: Callable[[nn.Module], torch.Tensor], steps: int = 12, lr: float = 0.1
) -> StopWhenDead:
    """A fit that is watched, with a validation after every second step."""
    watch = StopWhenDead("val/error", every_num_steps=1, vanished=1e-6, patience=3, min_change=1e-7)
    optimizer = torch.optim.SGD(net.parameters(), lr)
    trainer: Any = SimpleNamespace(optimizers=[optimizer], sanity_checking=False, callback_metrics={})
    for step in range(steps):
        trainer.global_step = step
        optimizer.zero_grad()
        loss(net).backward()
        watch.on_train_batch_start(trainer, net, None, step)  # type: ignore[arg-type]
        watch.on_before_optimizer_step(trainer, net, optimizer)  # type: ignore[arg-type]
        optimizer.step()
        if step % 2:
            trainer.global_step = step + 1
            trainer.callback_metrics = {"val/error": loss(net).detach()}
            watch.on_validation_end(trainer, net)  # type: ignore[arg-type]
    return watch


def linear(weight: float = 1.0) -> nn.Module:
    net = nn.Linear(1, 1, bias=False)
    nn.init.constant_(net.weight, weight)
    return net


def learning(net: nn.Module) -> torch.Tensor:
    return (net(torch.ones(1, 1)) - 3).square().sum()


def saturated(net: nn.Module) -> torch.Tensor:
    return (net(torch.ones(1, 1)).tanh() - 3).square().sum()


def test_a_net_that_learns_hears_nothing() -> None:
    run(linear(), learning)


def test_a_net_whose_gradient_is_zero_is_told_of_in_one_line() -> None:
    with pytest.raises(RibError, match=r"stopped learning: its gradient's norm is 0 at step 2") as error:
        run(linear(), lambda net: 0 * learning(net))
    assert "\n" not in str(error.value)


def test_a_net_that_saturates_is_told_of_by_the_gradient_that_it_had() -> None:
    with pytest.raises(RibError, match=r"stopped learning.* at step \d+, and was 3;"):
        run(linear(0.0), lambda net: saturated(net) / 2, lr=40.0)


def test_a_validation_that_stands_still_is_told_of_with_its_steps() -> None:
    """There is a gradient, and it reaches nothing that is validated."""
    watch = StopWhenDead("val/error", every_num_steps=1, vanished=0.0, patience=2, min_change=1e-7)
    trainer: Any = SimpleNamespace(sanity_checking=False, callback_metrics={"val/error": torch.tensor(0.25)})
    trainer.optimizers = [torch.optim.SGD(linear().parameters(), 0.1)]
    for trainer.global_step in (10, 20):
        watch.on_validation_end(trainer, linear())  # type: ignore[arg-type]
    trainer.global_step = 30
    with pytest.raises(RibError, match=r"val/error is 0\.25 since step 10, at step 30 too"):
        watch.on_validation_end(trainer, linear())  # type: ignore[arg-type]


def test_steps_without_a_learning_rate_may_change_nothing() -> None:
    run(linear(), lambda net: 0 * learning(net), lr=0.0)


def test_a_discriminator_that_has_won_is_not_the_net() -> None:
    net, other = linear(), linear()
    watch = StopWhenDead("val/error", every_num_steps=1, vanished=1e-6, patience=1, min_change=0.0)
    trainer: Any = SimpleNamespace(
        optimizers=[torch.optim.SGD(one.parameters(), 0.1) for one in (net, other)], global_step=0
    )
    (0 * learning(other)).backward()
    watch.on_before_optimizer_step(trainer, net, trainer.optimizers[1])  # type: ignore[arg-type]
    (0 * learning(net)).backward()
    with pytest.raises(RibError, match="stopped learning"):
        watch.on_before_optimizer_step(trainer, net, trainer.optimizers[0])  # type: ignore[arg-type]
