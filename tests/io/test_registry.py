from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from rib.config.compose import compose
from rib.config.paths import conf_dir, config_group_options
from rib.io.errors import RibError
from rib.io.recipe import check_recipe, locate_recipe_target
from rib.io.registered import REGISTERED
from rib.io.registry import REGISTRY, Registry

CLASSES = [(place, target) for place, entries in REGISTERED.items() for target in entries]
NET = {"_target_": "rib.motion.nets.base.MotionBase", "width": 8}


def a_registry() -> Registry:
    return Registry(
        {"net": {"rib.a.Net": {"inner": "layer", "layers.*": "layer"}}, "layer": {"rib.a.Layer": {}}}
    )


@pytest.mark.parametrize("place", REGISTERED)
def test_every_registered_class_is_there_and_takes_the_recipes_it_is_said_to(place: str) -> None:
    for target, recipes in REGISTERED[place].items():
        locate_recipe_target(target)
        check_recipe({"_target_": target, **{name.partition(".")[0]: {} for name in recipes}})
        assert set(recipes.values()) <= set(REGISTERED), target


def test_nothing_heavy_is_imported_for_the_table() -> None:
    code = "import sys, rib.io.registry; print({'torch', 'pytorch_lightning', 'cv2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


BESIDES = re.compile(r"rib\.(mocap\.prepare|datasets|pipeline|config)\.|(optuna|hydra_plugins)\.")
"""Of preparing a collection, Hydra's, and the sweeper's: nothing that a file brings along."""


def test_every_class_that_conf_names_is_registered() -> None:
    known = {target for _, target in CLASSES}
    for path in conf_dir().rglob("*.yaml"):
        for target in re.findall(r"_target_: ([\w.]+)", path.read_text(encoding="utf-8")):
            assert target in known or BESIDES.match(target), f"{path.name} names {target}"


STAGES = {"pose", "mask", "motion", "background", "render"}
GIVEN = {
    "mask=files": "mask.path=x",
    "background=folder": "background.path=x",
    "render=reference": "render.ckpt=x",
}


@pytest.mark.slow
@pytest.mark.parametrize("group", sorted(STAGES))
def test_every_stage_in_conf_is_registered_at_its_place(group: str) -> None:
    for option in config_group_options(group):
        choice = f"{group}={option}"
        more = [GIVEN[choice]] if choice in GIVEN else []
        poses = ["poses=x"] if choice in ("pose=files", "motion=files") else []
        config = compose("interpolate", "input=x", choice, *poses, *more)
        assert REGISTRY.checked(config[group], f"{group} stage", "conf") == config[group]
        assert REGISTRY.checked(config.plate, "plate", "conf")


NEEDS = {"renderer": "task.data.store=x", "refiner": "task.data.samples=x"}


@pytest.mark.slow
@pytest.mark.parametrize("task", list(config_group_options("task")))
def test_every_task_in_conf_is_registered_at_its_place(task: str) -> None:
    net = "motion_tiny" if task.startswith("motion") else "renderer_tiny"
    config = compose("train", f"task={task}", f"net={net}", NEEDS.get(task, "task.data.folder=x"))
    assert REGISTRY.checked(config.task.module, "module", "conf") == config.task.module
    assert REGISTRY.checked(config.task.data, "data module", "conf") == config.task.data


@pytest.mark.slow
@pytest.mark.parametrize(("group", "place"), [("callbacks", "callback"), ("logger", "logger")])
def test_everything_around_a_training_in_conf_is_registered(group: str, place: str) -> None:
    around = ("experiment=motion_smoke", "trainer=fsdp", "debug=profile")
    for option in config_group_options(group):
        config = compose("train", *around, f"{group}={option}")
        for recipe in config[group].values():
            REGISTRY.checked(recipe, place, "conf")
        REGISTRY.checked(config.trainer, "trainer", "conf")


def a_net(**arguments: Any) -> dict[str, Any]:
    return {"_target_": "rib.a.Net", **arguments}


SYSTEM, LAYER = {"_target_": "os.system"}, {"_target_": "rib.a.Layer"}
HOSTILE: dict[str, tuple[Any, str]] = {
    "no recipe": ([1], "x.ckpt is no recipe of a net"),
    "no target": ({"width": 1}, "is no recipe"),
    "target of a number": ({"_target_": 5}, "is no recipe"),
    "another package": (SYSTEM, "'os.system', which is not registered as a net; allowed there: rib.a.Net"),
    "another place": (LAYER, "'rib.a.Layer', which is not registered as a net"),
    "nested": (a_net(inner=SYSTEM), r"x\.ckpt: inner names 'os\.system'.*as a layer"),
    "in a dict of recipes": (a_net(layers={"a": SYSTEM}), "layers.a names"),
    "where none belongs": (a_net(width=LAYER), "width names 'rib.a.Layer', where no recipe is allowed"),
    "in a list": (a_net(inner=[LAYER]), r"inner\[0\] names"),
    "no plain value": (a_net(width=b"x"), "width is a bytes, but only plain values"),
    "key of a number": (a_net(w={5: 1}), "which is no text"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_recipe_from_a_file_is_refused_as_data(case: str) -> None:
    recipe, says = HOSTILE[case]
    with pytest.raises(RibError, match=says) as error:
        a_registry().checked(recipe, "net", "x.ckpt")
    assert "\n" not in str(error.value)


def test_deep_nests_end_in_a_line() -> None:
    nest: Any = 1
    for _ in range(5000):
        nest = [nest]
    with pytest.raises(RibError, match="too deeply"):
        a_registry().checked({"_target_": "rib.a.Net", "width": nest}, "net", "x.ckpt")


def test_what_is_registered_comes_back_unchanged_with_its_nested_recipes() -> None:
    recipe = {"_target_": "rib.a.Net", "inner": {"_target_": "rib.a.Layer", "n": [1, 2.5, None, "a", True]},
              "layers": {"one": {"_target_": "rib.a.Layer"}, "none": None}}  # fmt: skip
    assert a_registry().checked(recipe, "net", "x.ckpt") == recipe


def test_names_of_before_become_those_of_today() -> None:
    known = Registry({"net": {"rib.new.Net": {"inner": "net"}}}, {"rib.old.nets": "rib.new"})
    known.rename_argument("rib.new.Net", "most", "max_channels")
    old = {"_target_": "rib.old.nets.Net", "max_channels": 4, "inner": {"_target_": "rib.old.nets.Net"}}
    assert known.checked(old, "net", "x.ckpt") == {
        "_target_": "rib.new.Net", "max_channels": 4, "inner": {"_target_": "rib.new.Net"},
    }  # fmt: skip


def test_a_class_that_is_registered_is_allowed_at_its_place_only() -> None:
    known = a_registry()

    @known.register("layer", name="plug", recipes={"inner": "net"}, aliases=("old_plug.Layer",))
    class Plugged:
        pass

    target = f"{Plugged.__module__}.{Plugged.__qualname__}"
    for name in ("plug", "old_plug.Layer", target):
        assert known.checked({"_target_": name}, "layer", "x.ckpt") == {"_target_": target}
        assert known.registered(name) is Plugged
    with pytest.raises(RibError, match="as a net"):
        known.checked({"_target_": "plug"}, "net", "x.ckpt")
    assert known.checked({"_target_": "rib.a.Net"}, "net or layer", "x.ckpt")


def test_no_place_offers_a_bare_function() -> None:
    def functions() -> Iterator[str]:
        for _, target in CLASSES:
            if not isinstance(locate_recipe_target(target), type):
                yield target

    assert list(functions()) == []


def test_a_checked_recipe_shares_nothing_with_the_files() -> None:
    given: Mapping[str, Any] = {**NET, "num_layers": [1, 1]}
    found = REGISTRY.checked(given, "motion net", "x.ckpt")
    found["num_layers"].append(9)
    assert given["num_layers"] == [1, 1]


def test_a_class_takes_the_recipes_of_the_one_that_it_inherits_from() -> None:
    known = a_registry()
    base = type("Net", (), {"__module__": "rib.a", "__qualname__": "Net"})
    own = known.register("net", type("Own", (base,), {"__module__": "mine", "__qualname__": "Own"}))
    plain = type("Plain", (own,), {"__module__": "mine", "__qualname__": "Plain"})
    known.register("net", plain, recipes={})
    assert known.checked({"_target_": "mine.Own", "inner": LAYER}, "net", "x.ckpt")["inner"] == LAYER
    with pytest.raises(RibError, match=r"inner names 'rib\.a\.Layer', where no recipe is allowed"):
        known.checked({"_target_": "mine.Plain", "inner": LAYER}, "net", "x.ckpt")
