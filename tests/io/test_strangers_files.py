"""Weights and checkpoints of a stranger: nothing in them runs, and whatever is wrong is one line."""

from __future__ import annotations

import json
import os
import pickle
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from rib.commands.__main__ import dispatch_verb
from rib.config.exit_codes import exit_code
from rib.engine.checkpoints import load_checkpoint_module
from rib.io.errors import RibError
from rib.io.weights.net_files import read_torch_file
from rib.motion.nets.base import MotionBase
from rib.motion.nets.checkpoint import load_motion_net as load_motion
from rib.motion.nets.checkpoint import save_motion_net
from rib.render.nets.checkpoint import load_renderer_net as load_renderer

NET: dict[str, Any] = {
    "_target_": "rib.motion.nets.base.MotionBase",
    "width": 4,
    "num_heads": 1,
    "num_layers": [1, 1],
    "expansion": 1,
}
FACTS = {"format": "rib.motion", "format_version": 1, "joint_set": "body19", "fps": None}
RENDERER = "rib.render.nets.base.RendererBase"


class Runs:
    """Pickled, it is a call."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


def payloads(folder: Path) -> dict[str, dict[str, Any]]:
    """Recipes that leave `folder/ran` if they are ever called."""
    marker = folder / "ran"
    (folder / "hub").mkdir()
    (folder / "hub" / "hubconf.py").write_text(f"open({str(marker)!r}, 'w')\ndef x(): pass\n")
    (folder / "code.pkl").write_bytes(pickle.dumps(Runs(marker)))
    return {
        "command": {"_target_": "torch.utils.collect_env.run", "command": f"touch {marker}"},
        "hub": {
            "_target_": "torch.hub.load", "repo_or_dir": str(folder / "hub"), "model": "x", "source": "local",
        },
        "pickle": {"_target_": "torch.load", "f": str(folder / "code.pkl"), "weights_only": False},
        "ours": {"_target_": "rib.files.write_text_whole", "path": str(marker), "content": "x"},
        "ours today": {
            "_target_": "rib.io.files.whole.write_text_whole", "path": str(marker), "content": "x",
        },
        "system": {"_target_": "os.system", "command": f"touch {marker}"},
        "short": {"_target_": "system", "command": f"touch {marker}"},
        "nested": {**NET, "width": {"_target_": "torch.utils.collect_env.run", "command": f"touch {marker}"}},
    }  # fmt: skip


def module_with(recipe: Any, place: str) -> dict[str, Any]:
    """A module's recipe that holds another at one of its places."""
    adam = {"_target_": "torch.optim.AdamW"}
    module = {
        "_target_": "rib.render.training.module.RendererModule",
        "net": {"_target_": RENDERER, "widths": [4], "blocks": [1], "renderer": {}},
        "conditioning": {
            "_target_": "rib.render.conditioning.native.SkeletonConditioning", "sigma_px": 1, "radius_px": 1,
        },
        "discriminators": {"frame": None}, "adversarial": "hinge", "weights": {},
        "loss": {"_target_": "rib.render.training.losses.RenderLoss"},
        "optimizer": adam, "discriminator_optimizer": adam,
        "warmup_steps": 1, "total_steps": 1, "final_share": 0.1, "average": 0.1, "checkpointed": False,
    }  # fmt: skip
    where, _, name = place.partition(".")
    return {**module, where: {name: recipe} if name else recipe}


@pytest.fixture
def attack(tmp_path: Path) -> Callable[..., Path]:
    """Write a stranger's file: `attack(payload, kind)`."""
    known = payloads(tmp_path)

    def write(payload: str, kind: str, place: str = "net") -> Path:
        recipe = known[payload]
        if kind == "safetensors":
            path = tmp_path / "weights.safetensors"
            header = {"recipe": json.dumps(recipe), "facts": json.dumps(FACTS), "format": "rib.renderer 1"}
            save_file({"w": torch.zeros(1)}, path, header)
            return path
        path = tmp_path / "weights.ckpt"
        module = module_with(recipe, place)
        content = {
            "state_dict": {"averaged.w": torch.zeros(1)}, "hyper_parameters": {**module, "net": recipe},
            "rib.motion": FACTS, "rib": {"format": 1, "module": module, "data": None}, "global_step": 1,
        }  # fmt: skip
        torch.save(content, path)
        return path

    return write


PAYLOADS = ["command", "hub", "pickle", "ours", "ours today", "system", "short", "nested"]
LOADERS: dict[str, Callable[[Path], Any]] = {
    "motion": load_motion,
    "renderer": lambda path: load_renderer(path, RENDERER),
}


def told_in_a_line(error: pytest.ExceptionInfo[RibError], path: Path) -> None:
    text = str(error.value)
    assert str(path) in text
    assert "\n" not in text
    assert "weights_only" not in text


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("kind", ["safetensors", "ckpt"])
@pytest.mark.parametrize("loader", LOADERS)
def test_a_net_file_runs_nothing(
    attack: Callable[..., Path], tmp_path: Path, payload: str, kind: str, loader: str
) -> None:
    path = attack(payload, kind)
    with pytest.raises(RibError, match="allowed") as error:
        LOADERS[loader](path)
    told_in_a_line(error, path)
    assert not (tmp_path / "ran").exists()


PLACES = [
    "net",
    "conditioning",
    "discriminators.frame",
    "loss",
    "optimizer",
    "discriminator_optimizer",
    "weights",
    "warmup_steps",
]


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("place", PLACES)
def test_a_module_in_a_checkpoint_runs_nothing(
    attack: Callable[..., Path], tmp_path: Path, payload: str, place: str
) -> None:
    path = attack(payload, "ckpt", place)
    with pytest.raises(RibError, match="allowed") as error:
        load_checkpoint_module(path)
    told_in_a_line(error, path)
    assert not (tmp_path / "ran").exists()


def rib(*arguments: str) -> int:
    return exit_code(lambda: dispatch_verb(list(arguments)))


COMMANDS: dict[str, Any] = {
    "motion weights": ("evaluate", "folder=synthetic"),
    "clips": ("evaluate", "data=humanslomo", "store=x.h5"),
    "resume": ("train", "experiment=renderer_smoke", "restore=resume"),
    "finetune": ("train", "experiment=renderer_smoke", "restore=finetune", "logger=csv"),
}


@pytest.mark.parametrize(
    "command",
    [pytest.param(c, marks=pytest.mark.slow if COMMANDS[c][0] == "train" else ()) for c in COMMANDS],
)
def test_commands_run_nothing_and_answer_with_one_line(
    command: str, attack: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["rib"])
    path = attack("command", "ckpt")
    assert rib(*COMMANDS[command], f"ckpt={path}") == 1
    told = capfd.readouterr().err.strip()
    assert len(told.splitlines()) == 1, told
    assert str(path) in told
    assert not (tmp_path / "ran").exists()


def test_code_in_a_pickle_is_refused_in_our_words(tmp_path: Path) -> None:
    torch.save({"state_dict": {}, "hyper_parameters": Runs(tmp_path / "ran")}, tmp_path / "code.ckpt")
    for load in (load_motion, load_checkpoint_module, read_torch_file, LOADERS["renderer"]):
        with pytest.raises(RibError, match="nothing in it is ever run") as error:
            load(tmp_path / "code.ckpt")
        told_in_a_line(error, tmp_path / "code.ckpt")
        assert "trust the source" not in str(error.value)
    assert not (tmp_path / "ran").exists()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "content", [torch.zeros(3), [1, 2], 3, None, {"hyper_parameters": torch.zeros(2)}], ids=str
)
def test_a_file_of_something_else_is_told_without_a_warning(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "w.ckpt")
    for load in LOADERS.values():
        with pytest.raises(RibError, match=r"cannot be read as (motion|renderer) weights") as error:
            load(tmp_path / "w.ckpt")
        told_in_a_line(error, tmp_path / "w.ckpt")


def test_a_number_of_too_many_digits_is_told_in_plain_words(tmp_path: Path) -> None:
    save_file({"w": torch.zeros(1)}, tmp_path / "w.safetensors", {"recipe": "9" * 5000, "facts": "{}"})
    with pytest.raises(RibError, match="a number in it has too many digits"):
        load_motion(tmp_path / "w.safetensors")


def test_a_video_is_no_file_of_weights(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"\0\0\0\x1cftypisom")
    with pytest.raises(RibError, match="torch did not write it, or it is damaged") as error:
        read_torch_file(tmp_path / "clip.mp4")
    told_in_a_line(error, tmp_path / "clip.mp4")


def test_a_scripted_archive_is_no_file_of_weights(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), tmp_path / "net.ckpt")
    with pytest.raises(RibError, match="more than tensors") as error:
        read_torch_file(tmp_path / "net.ckpt")
    told_in_a_line(error, tmp_path / "net.ckpt")


DAMAGE: dict[str, tuple[Callable[[torch.Tensor], Any], str]] = {
    "nan": (lambda w: w * float("nan"), "holds nan"),
    "one nan": (lambda w: w.index_fill(0, torch.tensor([0]), float("nan")), "holds nan"),
    "infinite": (lambda w: w - float("inf"), "holds (-inf|nan)"),
    "absurd": (lambda w: w + 1e30, "holds 1e.30"),
    "absurd below": (lambda w: w - 1e30, "holds -1e.30"),
    "integers": (lambda w: w.long(), "is int64, but this net has float32"),
    "complex": (lambda w: w.to(torch.complex64), "is complex64"),
    "shape": (lambda w: w[..., None], "but this net has"),
    "sparse": (lambda w: w.to_sparse(), "no tensor with numbers"),
    "no tensor": (lambda w: [1.0], "no tensor with numbers"),
}


@pytest.mark.parametrize("case", DAMAGE)
@pytest.mark.parametrize("everywhere", [True, False])
def test_weights_that_are_none_are_refused(tmp_path: Path, case: str, everywhere: bool) -> None:
    net, (damage, says) = MotionBase(4, 1, [1, 1], 1), DAMAGE[case]
    state: dict[str, Any] = {f"averaged.{name}": tensor for name, tensor in net.state_dict().items()}
    floats = [name for name, w in state.items() if w.is_floating_point() and w.dim()]
    for name in floats if everywhere else floats[-1:]:
        state[name] = damage(state[name])
    torch.save(
        {"state_dict": state, "hyper_parameters": {"net": NET}, "rib.motion": FACTS}, tmp_path / "w.ckpt"
    )
    with pytest.raises(RibError, match=says) as error:
        load_motion(tmp_path / "w.ckpt")
    told_in_a_line(error, tmp_path / "w.ckpt")


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_are_taken(tmp_path: Path, kind: torch.dtype) -> None:
    net = MotionBase(4, 1, [1, 1], 1)
    save_motion_net(tmp_path / "w.safetensors", net.to(kind), NET, {})
    assert load_motion(tmp_path / "w.safetensors")


STRANGE: dict[str, dict[str, Any]] = {
    "width": {**NET, "width": -1},
    "text": {**NET, "width": "four"},
    "heads": {**NET, "width": 5, "num_heads": 3},
    "unknown": {**NET, "wdth": 1},
    "layers": {**NET, "num_layers": {"a": 1}},
}


@pytest.mark.parametrize("case", STRANGE)
def test_numbers_that_build_no_net_are_one_line(tmp_path: Path, case: str) -> None:
    save_motion_net(tmp_path / "w.safetensors", MotionBase(4, 1, [1, 1], 1), STRANGE[case], {})
    with pytest.raises(RibError) as error:
        load_motion(tmp_path / "w.safetensors")
    told_in_a_line(error, tmp_path / "w.safetensors")


def test_a_recipe_of_another_size_takes_no_memory(tmp_path: Path) -> None:
    large = {**NET, "width": 8192, "num_layers": [40, 40]}  # 130 GB
    save_motion_net(tmp_path / "w.safetensors", MotionBase(4, 1, [1, 1], 1), large, {})
    with pytest.raises(RibError, match=r"lacks|but this net has") as error:
        load_motion(tmp_path / "w.safetensors")
    told_in_a_line(error, tmp_path / "w.safetensors")


def test_torch_load_stands_in_one_place_and_runs_nothing() -> None:
    root = Path(__file__).resolve().parents[2] / "rib"
    text = {path: path.read_text(encoding="utf-8") for path in root.rglob("*.py")}
    found = [path for path, code in text.items() if re.search(r"[^`]torch\.load\(", code)]
    assert len(found) == 1, found
    assert "weights_only=True" in text[found[0]]
