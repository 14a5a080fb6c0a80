import importlib
import json
from pathlib import Path

import pytest
from safetensors import safe_open

from rib.io.registry import REGISTRY
from rib.io.renamed import CLASSES, RENAMED
from rib.motion.nets.checkpoint import shipped_motion_weights


@pytest.mark.parametrize("old", sorted(RENAMED))
def test_every_old_name_leads_to_a_module_of_today(old: str) -> None:
    assert importlib.import_module(RENAMED[old]).__name__ == RENAMED[old]


@pytest.mark.parametrize("old", sorted(CLASSES))
def test_every_old_class_leads_to_one_of_today(old: str) -> None:
    module, _, name = REGISTRY.canonical(old).rpartition(".")
    assert hasattr(importlib.import_module(module), name)


def test_a_name_of_today_stays_and_an_old_one_is_translated_once() -> None:
    assert REGISTRY.canonical("torch.optim.AdamW") == "torch.optim.AdamW"
    moved = REGISTRY.canonical("rib.render.net_base.RendererBase")
    assert moved == REGISTRY.canonical(moved) == "rib.render.nets.base.RendererBase"


def test_nested_recipes_are_translated_and_plain_values_stay() -> None:
    recipe = {"_target_": "rib.render.warp.WarpRenderer", "puppet": {"_target_": "rib.render.puppet.Puppet"}}
    kept = {"note": "rib.render.puppet.Puppet", "sizes": [1, {"_target_": "rib.render.puppet.Puppet"}]}
    today = "rib.render.skinning.layered_skinning.LayeredSkinning"
    assert REGISTRY.renamed(recipe)["skinning"]["_target_"] == today
    assert REGISTRY.renamed(kept)["note"] == kept["note"]
    assert REGISTRY.renamed(kept)["sizes"][1]["_target_"] == today


def test_the_weights_that_ship_still_carry_the_names_of_their_training() -> None:
    path: Path = shipped_motion_weights()
    with safe_open(path, framework="pt") as file:
        recipe = json.loads(file.metadata()["recipe"])
    assert recipe["_target_"] in {f"{old}.MotionBase" for old in RENAMED}
