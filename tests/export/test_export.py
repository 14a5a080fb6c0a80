"""A net that is taken out gives the numbers that it gives inside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import rib
from rib.config.compose import compose
from rib.export.card import export_card
from rib.export.formats import Reader, export_difference, write_exported_model
from rib.export.model import ExportedModel, open_model_to_export
from rib.export.run import export_model
from rib.export.settings import FORMATS, ExportSettings
from rib.io.errors import RibError
from rib.io.recipe import build_recipe
from rib.motion.nets import checkpoint as motion_files
from rib.render.nets import checkpoint as renderer_files

MOTION = {
    "_target_": "rib.motion.nets.base.MotionBase",
    "width": 8, "num_heads": 1, "num_layers": [1], "expansion": 1,
}  # fmt: skip
FRAMES = {
    **compose("train", "experiment=renderer_smoke", "net=renderer_tiny").plain()["net"],
    "width": 4, "embedding": 4, "max_channels": 8, "num_down": 1,
    "mask_width": 4, "mask_down": 1, "mask_blocks": 1,
}  # fmt: skip


def settings(ckpt: Path | str, **changed: Any) -> ExportSettings:
    given = compose("export", "ckpt=x", "keyframes=9", "size_wh=[24,16]").plain()
    return ExportSettings.of({**given, "ckpt": str(ckpt), **changed})


def moved_away(net: torch.nn.Module) -> torch.nn.Module:
    """Heads that start at zero would hide a mistake."""
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.02 * torch.randn(parameter.shape, generator=draw))
    return net


@pytest.fixture(scope="module")
def motion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("motion") / "small.safetensors"
    notes = {"licence": "CC0-1.0", "data": "drawn | by hand"}
    motion_files.save_motion_net(path, moved_away(build_recipe(MOTION)), MOTION, notes)
    return path


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("frames") / "small.safetensors"
    renderer_files.save_renderer_net(path, moved_away(build_recipe(FRAMES)), FRAMES, {})
    return path


def test_weights_go_out_and_come_in_again_with_their_notes(motion: Path, tmp_path: Path) -> None:
    told = export_model(settings(motion, output=str(tmp_path / "out"), licence="MIT"))
    assert "differs from torch by 0.0e+00" in told
    again = open_model_to_export(str(tmp_path / "out" / "model.safetensors"))
    assert again.header["data"] == "drawn | by hand"
    assert again.header["licence"] == "MIT"
    inputs = again.core.example(2, 6, 5, seed=3)  # type: ignore[call-arg, arg-type]
    for a, b in zip(again.core(**inputs), rib.MotionNet.from_weights(motion)(**inputs), strict=True):
        assert torch.equal(a, b)


@pytest.mark.slow
def test_a_program_of_torch_gives_the_same_for_any_number_of_pictures(frames: Path, tmp_path: Path) -> None:
    model, config = open_model_to_export(str(frames)), settings(frames, format="torch_export")
    read = write_exported_model(model, tmp_path / "model.pt2", config)
    assert read is not None
    for number in (2, 3):
        inputs = {n: x[:1].repeat(number, 1, 1, 1) for n, x in model.example(config).items()}
        assert export_difference(model, read, inputs) < 1e-5


def test_a_renderer_is_exported_as_it_was_trained(frames: Path, tmp_path: Path) -> None:
    model = open_model_to_export(str(frames))
    write_exported_model(model, tmp_path / "again.safetensors", settings(frames))
    state = build_recipe(FRAMES).state_dict()
    assert open_model_to_export(str(tmp_path / "again.safetensors")).net.state_dict().keys() == state.keys()


def test_a_card_tells_what_its_checkpoint_and_run_tell(motion: Path, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "mine"
    (run / "checkpoints").mkdir(parents=True)
    (run / "start.json").write_text(json.dumps({"command": ["/usr/bin/rib", "train", "seed=3"]}))
    (run / "git.json").write_text(json.dumps({"commit": "0123abc"}))
    (run / "metrics.csv").write_text("step,epoch,name,value\n1,0,val/ratio,0.75\n9,1,val/ratio,0.5\n")
    net = open_model_to_export(str(motion)).net
    content = {
        "state_dict": {f"ema.{name}": value for name, value in net.state_dict().items()},
        "hyper_parameters": {"net": MOTION},
        "global_step": 4,
        "rib.motion": vars(motion_files.facts_of_motion_net(net)),
        "rib": {
            "fingerprint": {"stores": {"folder": {"path": "bank.h5", "digest": "beef"}}, "settings": "ab"}
        },
    }
    torch.save(content, ckpt := run / "checkpoints" / "last.ckpt")
    text = export_card(open_model_to_export(str(ckpt)), "model.onnx", None, 1e-7)
    for told in ("trained on bank.h5 (fingerprint beef)", "`rib train seed=3`", "0123abc", "val/ratio 0.75"):
        assert told in text
    assert "licence | not stated" in text
    assert "times_s | (B, K) float64" in text
    assert "drawn \\| by hand" in export_card(open_model_to_export(str(motion)), "model.onnx", None, None)


def test_a_file_that_names_code_is_refused(tmp_path: Path) -> None:
    evil = {"recipe": json.dumps({"_target_": "os.system", "command": "true"}), "format": "rib.renderer 1"}
    save_file({"x": torch.zeros(1)}, path := tmp_path / "evil.safetensors", evil)
    with pytest.raises(RibError, match="not registered as a renderer net"):
        rib.RendererNet.from_weights(path)
    facts = json.dumps({"joint_set": "body19", "fps": None})
    save_file({"x": torch.zeros(1)}, path, {"recipe": evil["recipe"], "facts": facts})
    with pytest.raises(RibError, match="not registered as a motion net"):
        open_model_to_export(str(path))


def test_an_export_that_gives_other_numbers_is_an_error(motion: Path, tmp_path: Path) -> None:
    model = open_model_to_export(str(motion))
    other = moved_away(build_recipe(MOTION)).requires_grad_(False).eval()
    wrong = ExportedModel("motion", motion, rib.MotionNet(other), other, MOTION, {})
    read = write_exported_model(model, tmp_path / "again.safetensors", settings(motion))
    assert read is not None
    assert export_difference(model, read, model.example(settings(motion))) == 0
    moved_away(wrong.net)
    assert export_difference(wrong, read, model.example(settings(motion))) > 1e-3


@pytest.mark.parametrize(
    ("ckpt", "said"), [("absent.ckpt", "there are no weights"), ("motion_bas", "one of motion_base")]
)
def test_what_is_no_file_is_told(ckpt: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(RibError, match=said):
        export_model(settings(ckpt, output=str(tmp_path / "out")))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("ckpt", ["motion_base", "renderer_base"])
def test_cards_of_the_shipped_nets_state_their_licence(ckpt: str) -> None:
    text = export_card(open_model_to_export(ckpt), "model.onnx", None, 1e-7)
    assert "Apache-2.0" in text
    assert "differs from torch by | 1.0e-07 of the largest output" in text


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("ckpt", ["motion_base", "renderer_base"])
def test_every_output_of_the_shipped_nets_is_the_same_in_every_format(
    ckpt: str, form: str, tmp_path: Path
) -> None:
    if form == "onnx":
        for package in ("onnx", "onnxscript", "onnxruntime"):
            pytest.importorskip(package, reason="the extra [export] is not installed")
    config = settings(ckpt, format=form, clips=2, keyframes=16, size_wh=[48, 40])
    model = open_model_to_export(ckpt)
    read = write_exported_model(model, tmp_path / FORMATS[form], config)
    assert read is not None
    for seed in range(2, 8):
        for inputs in sizes_of(model, ExportSettings.of({**config.plain(), "seed": seed})):
            assert differences(model, read, inputs) == {}, seed


def sizes_of(model: ExportedModel, config: ExportSettings) -> Iterator[dict[str, torch.Tensor]]:
    """Clips of several lengths and numbers of moments, or several numbers of pictures."""
    inputs = model.example(config)
    if model.kind == "renderer":
        yield from ({name: x[:number] for name, x in inputs.items()} for number in (1, 2))
        return
    for length, moments in ((16, 24), (9, 7), (3, 24), (2, 5)):
        kept = inputs["present"] & (torch.arange(16) < length)
        share = torch.linspace(-0.1, 1.1, moments, dtype=torch.float64)
        yield {
            **inputs,
            "present": kept,
            "query_s": inputs["times_s"][:, :1] + share * inputs["times_s"][:, length - 1 : length],
        }


def differences(model: ExportedModel, read: Reader, inputs: dict[str, torch.Tensor]) -> dict[str, float]:
    """Outputs more than 1e-5 of their largest number from torch's; below 1 that is 1e-5 at most."""
    with torch.no_grad():
        pairs = zip(model.core.OUTPUTS, model.core(**inputs), read(inputs), strict=True)
    found = {name: float((a - b).abs().max() / a.abs().max()) for name, a, b in pairs}
    return {name: share for name, share in found.items() if not share < 1e-5}
