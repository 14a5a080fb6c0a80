import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from rib.training.ema import ema_of, rename_old_ema_state, update_ema
from rib.training.schedules import WarmupCosine


def test_an_average_of_a_net_that_stands_still_is_that_net() -> None:
    net = nn.BatchNorm2d(3)
    ema = ema_of(net)
    for step in range(1, 5):
        update_ema(ema, net, 0.9, step)
    assert all(
        torch.equal(a, b) for a, b in zip(ema.state_dict().values(), net.state_dict().values(), strict=True)
    )
    assert not any(p.requires_grad for p in ema.parameters())
    assert not ema.training


def test_it_moves_towards_the_net_and_sooner_in_the_beginning() -> None:
    net, ways = nn.Linear(1, 1, bias=False), []
    for step in (1, 100):
        ema = ema_of(net)
        with torch.no_grad():
            ema.weight.zero_()
        update_ema(ema, net, 0.999, step)
        ways.append((ema.weight / net.weight).item())
    assert 1 > ways[0] > ways[1] > 0


def test_names_of_before_become_names_of_today() -> None:
    checkpoint = {"state_dict": {"averaged.a": 1, "net.a": 2, "net.averaged.b": 3}}
    rename_old_ema_state(checkpoint)
    assert checkpoint["state_dict"] == {"ema.a": 1, "net.a": 2, "net.averaged.b": 3}


def test_a_rate_rises_then_falls_to_its_share_and_stays() -> None:
    rate = WarmupCosine(warmup_steps=10, total_steps=100, min_lr_ratio=0.1)
    values = [rate(step) for step in range(150)]
    assert all(a < b for a, b in pairwise(values[:9]))
    assert all(a >= b for a, b in pairwise(values[10:]))
    assert values[100:] == pytest.approx([0.1] * 50)
    assert max(values) <= 1
    assert math.isclose(WarmupCosine(0, 100)(0), 1)
