"""What leaves the device while a person is rendered, on a device that only pretends to be one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from painted import turning
from pretended_device import OnDevice, PretendedDevice
from test_warp_trust import renderer
from torch import nn

from rib.background.blend import BlendInterpolator
from rib.background.plate import PersonFreePlate
from rib.config.compose import compose
from rib.io.recipe import build_recipe
from rib.pipeline.progress import StageStopwatch
from rib.pipeline.synthesis.synthesiser import Synthesiser
from rib.render.gan import GanRenderer
from rib.render.warp import WarpRenderer
from rib.structures.interval import Background, Interval, Keyframe
from rib.structures.person_interval import PersonInterval


@pytest.fixture
def waits() -> Iterator[Counter[str]]:
    """What waits for the device from here on; whatever is sent to a device lies there."""
    OnDevice.waits.clear()
    with PretendedDevice():
        yield OnDevice.waits


def on_device(person: PersonInterval) -> PersonInterval:
    def keyframe(one: Keyframe) -> Keyframe:
        people = tuple(
            replace(view, matte=None if view.matte is None else view.matte.as_subclass(OnDevice))
            for view in one.people
        )
        return replace(one, pixels=one.pixels.as_subclass(OnDevice), people=people)

    between = person.interval
    a, b = keyframe(between.a), keyframe(between.b)
    moved = Interval(a, b, between.times_s, indices=tuple(range(len(between))))
    return replace(person, interval=moved, a=a.people[0], b=b.people[0])


class Moving(BlendInterpolator):
    """Cross-fades and says that nothing moves."""

    def __call__(self, interval: Interval) -> Background:
        mixed = super().__call__(interval).interpolated
        flow = torch.zeros(len(mixed), 4, *mixed.shape[2:]).as_subclass(OnDevice)
        return Background(mixed, flow=flow, weight_a=torch.full_like(mixed[:, :1], 0.5))


def frames(person: PersonInterval, at_once: int, renders: WarpRenderer | None = None) -> list[Any]:
    renders = renders or renderer()
    renders.trust = replace(renders.trust, threshold=-9.0)
    width, height = person.interval.a.size_px
    stages: Any = SimpleNamespace(
        watch=StageStopwatch(), background=Moving(), plate=PersonFreePlate(0.25, 0.03, 0.05),
        renderer=renders, wiring=SimpleNamespace(wanted={"plate"}),
    )  # fmt: skip
    return list(Synthesiser(stages, at_once * width * height / 1e6).frames(person.interval, [person]))


def test_more_moments_wait_for_the_device_no_more_often(waits: Counter[str]) -> None:
    counts = []
    for moments in (2, 4):
        fractions = tuple((i + 1) / (moments + 1) for i in range(moments))
        person = on_device(turning(-10, 70, fractions))
        waits.clear()
        made = frames(person, moments)
        counts.append(Counter(waits))
        assert len(made) == moments
        assert made[0].trusted > 0
    assert counts[0] == counts[1]


def test_a_batch_more_waits_for_its_pictures_and_their_trust(waits: Counter[str]) -> None:
    person = on_device(turning(-10, 70, (0.25, 0.5, 0.75)))
    counts = []
    for at_once in (3, 1):
        waits.clear()
        frames(person, at_once)
        counts.append(Counter(waits))
    once = {
        "cpu in images.to_pictures": 1,
        "cpu in synthesiser._batch": 1,
        "__bool__ in compositor.<listcomp>": 1,
    }
    assert counts[1] - counts[0] == {name: 2 * count for name, count in once.items()}


def send(net: nn.Module) -> None:
    """Put a net's weights on the device, as `net.to` would."""
    for module in net.modules():
        for name, weight in list(module.named_parameters(recurse=False)):
            setattr(module, name, nn.Parameter(weight.detach().as_subclass(OnDevice), requires_grad=False))
    net.to = lambda *_: net  # type: ignore[assignment]


def test_with_the_net_a_batch_waits_once_more(waits: Counter[str]) -> None:
    """The flow between the two keyframes' views is found on the CPU."""
    gan: GanRenderer = build_recipe(
        compose("interpolate", "input=x", "output=y", "rate=2", "render=gan").render
    )
    send(gan.net)
    gan.is_better = lambda _: True  # type: ignore[method-assign]
    person = on_device(turning(-10, 70, (0.25, 0.5, 0.75)))
    counts = []
    for renders in (renderer(), gan):
        waits.clear()
        frames(person, 1, renders)
        counts.append(Counter(waits))
    assert counts[1] - counts[0] == {"cpu in images.to_pictures": 3}
