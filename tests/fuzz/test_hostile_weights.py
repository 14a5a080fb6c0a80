"""Weights that were written to do harm, at every setting that takes such a file: one line, nothing runs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import forked
import pytest
import torch
from harness import THOROUGH, Outcome, leftovers
from test_hdf5_stores import COMMANDS as STORES
from test_hdf5_stores import EVALUATE, clips, samples
from test_hdf5_stores import motion as motion_store
from test_weights_files import RESUME, TRAIN, USES, Use, motion_net, packed, pictures, renderer_net, saved

from rib.config.compose import compose
from rib.config.paths import conf_dir
from rib.io.recipe import build_recipe

Whole = tuple[dict[str, Any], dict[str, str]]
"""What a checkpoint holds, and the header of the same weights as `.safetensors`, or {}."""
REFERENCE = ("net.width=4", "net.embedding=4", "net.max_channels=8", "net.num_down=1", "net.mask_width=4",
             "net.mask_down=1", "net.mask_blocks=1")  # fmt: skip
RENDERER = [word for word in STORES["clips"][1:] if word.partition("=")[0] != "task.data.store"]


def module_of(*words: str) -> Whole:
    """A checkpoint of `rib train` before its first step."""
    config = compose("train", *words)
    module = build_recipe(config.task.module)
    content = {
        "state_dict": module.state_dict(), "global_step": 1, "hyper_parameters": dict(config.task.module),
        "rib": {"format": 1, "module": config.task.module, "data": config.task.data}, "callbacks": {},
    }  # fmt: skip
    module.on_save_checkpoint(content)
    return content, {}


def published(folder: Path) -> Whole:
    """Weights of VGG19 in torchvision's names."""
    places = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)
    state = {f"features.{place}.bias": torch.zeros(1) for place in places}
    state |= {f"features.{place}.weight": torch.ones(1, 1 if place else 3, 3, 3) / 9 for place in places}
    return state, {}


def refiner_videos(folder: Path) -> None:
    pictures(folder)
    (folder / "videos").mkdir()
    (folder / "pictures").rename(folder / "videos" / "clip")


def store_of(write: Callable[[Path], None]) -> Callable[[Path], None]:
    return lambda folder: write(folder / "store.h5")


@dataclass(frozen=True)
class Setting:
    """Where weights are named: the line of conf/ that declares it, and a use of it."""

    declared: str
    use: Use


CHAIN = "data.prepare.chain"
REFINE = (
    "prepare", "data=refiner", "data.prepare.videos=videos", "data.prepare.output=out/refiner.h5",
    "data.prepare.workers=1", "data.prepare.input_fps=10", "data.prepare.strides=[2]",
    f"background@{CHAIN}.background=blend", f"motion@{CHAIN}.motion=linear", f"{CHAIN}.device=cpu",
    f"{CHAIN}.cache.dir=cache", f"{CHAIN}.render.ckpt=",
)  # fmt: skip
GAN, EXPORT = USES["interpolate"].words, ("export", "output=out", "ckpt=")
CLIPS = ("evaluate", "data=humanslomo", "store=store.h5", "output=out", "device=cpu", "ckpt=")
VGG19 = "task.module.loss.perceptual.vgg19="
WITH_VGG19 = (*(w for w in STORES["clips"] if w != "~task.module.weights.perceptual"), VGG19)


def nothing(folder: Path) -> None:
    """No input beside the weights."""


def published_renderer(folder: Path) -> Whole:
    return module_of("experiment=renderer_reference", *REFERENCE, "task.data.store=synthetic")


def motion_module(folder: Path) -> Whole:
    return module_of(*TRAIN[1:])


def renderer_module(folder: Path) -> Whole:
    return module_of(*RENDERER)


SETTINGS = {
    "motion.weights": Setting("motion/transformer.yaml: weights", USES["upsample"]),
    "render=gan": Setting("render/gan.yaml: ckpt", Use(renderer_net, pictures, GAN, "out")),
    "render=reference": Setting("render/reference.yaml: ckpt", Use(
        published_renderer, pictures, tuple(word.replace("=gan", "=reference") for word in GAN), "out",
    )),
    "prepare": Setting(
        "data/refiner.yaml: ckpt", Use(renderer_net, refiner_videos, REFINE, "out/refiner.h5")
    ),
    "evaluate": Setting(
        "evaluate.yaml: ckpt", Use(motion_net, store_of(motion_store), (*EVALUATE, "ckpt="), "out")
    ),
    "evaluate of clips": Setting(
        "evaluate_humanslomo.yaml: ckpt", Use(renderer_module, store_of(clips), CLIPS, "out")
    ),
    "export of a motion net": Setting("export.yaml: ckpt", Use(motion_net, nothing, EXPORT, "out")),
    "export of a renderer": Setting("export.yaml: ckpt", Use(renderer_net, nothing, EXPORT, "out")),
    "resume": Setting("train.yaml: ckpt", Use(motion_module, nothing, RESUME, "")),
    "finetune": Setting("train.yaml: ckpt", Use(
        renderer_module, store_of(clips), (*STORES["clips"], "restore=finetune", "ckpt="), "",
    )),
    "vgg19": Setting("task/renderer.yaml: vgg19", Use(published, store_of(clips), WITH_VGG19, "")),
    "vgg19 of the refiner": Setting("task/refiner.yaml: vgg19", Use(
        published, store_of(samples), (*STORES["samples"], "+task.module.weights.perceptual=1", VGG19), "",
    )),
}  # fmt: skip


def with_tensors(content: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """The same with every floating tensor changed."""
    if isinstance(content, dict):
        return {name: with_tensors(value, change) for name, value in content.items()}
    is_float = isinstance(content, torch.Tensor) and content.is_floating_point()
    return change(content) if is_float else content


def with_target(content: Any, target: str) -> Any:
    """The same with every recipe of another class."""
    if not isinstance(content, dict):
        return content
    inside = {name: with_target(value, target) for name, value in content.items()}
    return {**inside, "_target_": target} if "_target_" in content else inside


HARM: dict[str, Callable[[Any], Any]] = {
    "a command": lambda content: with_target(content, "os.system"),
    "a class that is allowed elsewhere": lambda content: with_target(content, "torch.optim.AdamW"),
    "nan": lambda content: with_tensors(content, lambda tensor: tensor * float("nan")),
    "1e30": lambda content: with_tensors(content, lambda tensor: torch.full_like(tensor, 1e30)),
    "integers": lambda content: with_tensors(content, lambda tensor: tensor.long()),
    "shared storage": lambda content: with_tensors(content, lambda t: torch.zeros(1).expand(10**6, *t.shape)),
}  # fmt: skip


RECIPES = ("a command", "a class that is allowed elsewhere")
HARM_IN_SHORT = ("a command", "nan")
"""What shows that a setting is behind the same guards as all; those themselves are tried elsewhere."""


def written(folder: Path, content: dict[str, Any], header: dict[str, str], harm: str) -> list[Path]:
    """The harmful file in each of the forms that it has."""
    changed = HARM[harm](content)
    paths = [folder / "net.ckpt"]
    paths[0].write_bytes(saved(changed))
    if header and harm != "shared storage":
        header = {**header, "recipe": json.dumps(HARM[harm](json.loads(header["recipe"])))}
        paths.append(folder / "net.safetensors")
        paths[1].write_bytes(packed(changed, header))
    return paths


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_harmful_weights_are_refused_in_one_line_wherever_they_are_named(name: str, tmp_path: Path) -> None:
    use = SETTINGS[name].use
    content, header = use.weights(tmp_path)
    use.inputs(tmp_path)
    run = forked.import_what_it_imports  # what the first case imports, the others have
    for harm in HARM if THOROUGH else HARM_IN_SHORT:
        if harm in RECIPES and "_target_" not in str(content):
            continue
        for path in written(tmp_path, content, header, harm):
            words = [*use.words[:-1], f"{use.words[-1]}{path.name}"]
            outcome = Outcome(tuple(words), *run(words, tmp_path))
            run = forked.run
            assert (outcome.code, outcome.fault) == (1, ""), f"{harm}: {outcome}"
            assert path.name in outcome.err, harm
            assert leftovers(tmp_path, use.result, 1) == "", harm


def test_every_setting_that_takes_weights_is_tried() -> None:
    line = re.compile(r"\b(ckpt|weights|vgg19): (?:null|\?\?\?|untrained)(?=[ }]|$)", re.MULTILINE)
    root = conf_dir()
    declared = {
        f"{path.relative_to(root)}: {found}"
        for path in root.rglob("*.yaml")
        for found in line.findall(path.read_text(encoding="utf-8"))
    }
    assert declared == {setting.declared for setting in SETTINGS.values()}
