"""What leaves the device while a person is rendered, on a device that only pretends to be one."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch
from painted import turning
from test_warp_trust import renderer

import rib
from rib.background.blend import BlendInterpolator
from rib.background.plate import PersonFreePlate
from rib.pipeline.progress import StageStopwatch
from rib.pipeline.synthesis.synthesiser import Synthesiser
from rib.structures.interval import Background, Interval, Keyframe
from rib.structures.person_interval import PersonInterval

WAITS = (
    "cpu",
    "numpy",
    "item",
    "tolist",
    "nonzero",
    "__bool__",
    "__float__",
    "__int__",
    "__index__",
    "__array__",
)
PACKAGE = Path(rib.__file__).parent


class OnDevice(torch.Tensor):
    """A tensor that pretends to lie on a GPU: whatever is computed of it does, and what waits is counted."""

    waits: ClassVar[Counter[str]] = Counter()
    is_cpu = False

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Sequence[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        masks = [
            x
            for x in args[1:2]
            if name in ("__getitem__", "__setitem__") and getattr(x, "dtype", None) == torch.bool
        ]
        if name in WAITS or masks:
            ours = [one for one in traceback.extract_stack() if PACKAGE in Path(one.filename).parents]
            cls.waits[f"{name} in {Path(ours[-1].filename).stem}.{ours[-1].name}" if ours else name] += 1
        made = super().__torch_function__(func, types, args, kwargs or {})
        return made.as_subclass(torch.Tensor) if name == "cpu" else made


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What waits for the device from here on; whatever is sent to a device lies there."""
    to, as_tensor = torch.Tensor.to, torch.as_tensor

    def made_there(data: Any, **kwargs: Any) -> torch.Tensor:
        return as_tensor(data, **kwargs).as_subclass(OnDevice if "device" in kwargs else torch.Tensor)

    def sent(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        made = to(tensor, *args, **kwargs)
        placed = any(isinstance(one, torch.device) for one in (*args, *kwargs.values()))
        return made.as_subclass(OnDevice) if placed and type(made) is torch.Tensor else made

    monkeypatch.setattr(torch.Tensor, "to", sent)
    monkeypatch.setattr(torch, "as_tensor", made_there)
    OnDevice.waits.clear()
    return OnDevice.waits


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


def frames(person: PersonInterval, at_once: int) -> list[Any]:
    renders = renderer()
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
