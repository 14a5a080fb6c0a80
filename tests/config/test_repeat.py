"""`rib repeat`: settings of a folder, which may be a stranger's, as data."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rib.commands.__main__ import dispatch_verb
from rib.config.exit_codes import exit_code
from rib.config.frozen import read_frozen_config
from rib.config.renamed import GONE
from rib.config.repeat import GROUPS, LINKS, register_repeated_config
from rib.config.schema import ROOTS
from rib.io.errors import RibError
from rib.io.registry import REGISTRY

ARCHIVE = Path(__file__).resolve().parents[1] / "data" / "files_of_before.zip"
SYSTEM = "torch.utils.collect_env.run"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with `result/`, `run/` and the pictures they are of, as the working directory."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["rib"])
    yield tmp_path
    assert not (tmp_path / "ran").exists()


def change(file: Path, **settings: Any) -> Path:
    """Write other settings into frozen ones; a dotted name's dots are `__`."""
    read, write = (json.loads, json.dumps) if file.suffix == ".json" else (yaml.safe_load, yaml.safe_dump)
    content = read(file.read_text())
    for name, value in settings.items():
        *path, last = name.split("__")
        node = content
        for key in path:
            node = node.setdefault(key, {})
        node[last] = value
    file.write_text(write(content))
    return file


def rib(*arguments: str) -> int:
    return exit_code(lambda: dispatch_verb(list(arguments)))


def refused(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert rib(*arguments) == 1
    told = capfd.readouterr().err.strip()
    assert len(told.splitlines()) == 1, told
    return told


EVIL = {"_target_": SYSTEM, "command": "touch ran"}
HOSTILE: dict[str, tuple[str, dict[str, Any], str]] = {
    "a stage": ("result", {"render": EVIL}, "render names 'torch.utils.collect_env.run'"),
    "a nested recipe": ("result", {"pose__tracker": EVIL}, "allowed there: rib.pose.tracking.tracker"),
    "a recipe where none is": ("result", {"cuts": EVIL}, "where no recipe is allowed"),
    "a resolver": ("result", {"device": "${oc.env:HOME}"}, "device=${oc.env:HOME} would have"),
    "a reference": ("result", {"render__x": "${device}"}, "would have to be filled in"),
    "a list of defaults": ("result", {"defaults": ["/evil"]}, "there is no setting 'defaults'"),
    "a misspelt key": ("result", {"rat": 3}, "there is no setting 'rat'; did you mean 'rate'?"),
    "a module": ("run", {"task__module": EVIL}, "task.module names"),
    "a net": ("run", {"task__module__net": EVIL}, "task.module.net names"),
    "an optimizer": ("run", {"task__module__optimizer": EVIL}, "task.module.optimizer names"),
    "a callback": ("run", {"callbacks__evil": EVIL}, "callbacks.evil names"),
    "a logger": ("run", {"logger__evil": EVIL}, "logger.evil names"),
    "a strategy": ("run", {"trainer__strategy": EVIL}, "trainer.strategy names"),
    "another folder": ("run", {"callbacks__last__dirpath": "/elsewhere"}, "lies outside the run's folder"),
    "a way out": ("run", {"callbacks__last__filename": "../../x"}, "lies outside the run's folder"),
    "a name that leads out": ("run", {"name": "../../x"}, "leads out of runs/"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_what_a_stranger_wrote_is_refused_in_one_line(
    case: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    name, changes, says = HOSTILE[case]
    file = change(folder / name / ("config.yaml" if name == "result" else "config.json"), **changes)
    told = refused(capfd, "repeat", str(folder / name))
    assert says in told
    assert str(file) in told


TEXTS = {
    "python": "pose: !!python/object/apply:os.system ['touch ran']",
    "bomb": "a: &a [x]\nb: &b [*a,*a]\nc: [*b,*b]",
    "deep": "pose: " + "[" * 1000,
    "a list": "[1, 2]",
    "binary": "\x00\x01",
    "a date": "rate: 2026-01-01",
    "digits": "rate: " + "9" * 5000,
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_file_that_is_no_plain_settings_is_told_in_one_line(
    case: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "result" / "config.yaml").write_text(TEXTS[case])
    assert str(folder / "result" / "config.yaml") in refused(capfd, "repeat", "result")


def test_folders_that_are_none_are_told(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert "no folder first" in refused(capfd, "repeat")
    assert "there is no" in refused(capfd, "repeat", "nowhere")
    assert "neither a result's config.yaml" in refused(capfd, "repeat", "walk")
    assert "is the result that is repeated" in refused(capfd, "repeat", "result", "output=result")


@pytest.mark.parametrize("name", ["run", "run/.hydra", "run/config.json", "run/checkpoints/last.ckpt"])
def test_a_training_is_found_from_what_lies_in_its_folder(folder: Path, name: str) -> None:
    frozen = read_frozen_config(folder / name, ROOTS)
    assert (frozen.verb, frozen.file) == ("train", folder / "run" / "config.json")
    assert frozen.start == Path("/there")


def test_hydras_section_and_plugins_are_told_and_left_out(folder: Path) -> None:
    file = change(folder / "result" / "config.yaml", hydra={"callbacks": {"x": EVIL}}, plugins=["evil"])
    frozen = read_frozen_config(file, ROOTS)
    assert {"hydra", "plugins"} <= set(frozen.left_out)
    assert not {"hydra", "plugins"} & set(frozen.settings)


def test_a_path_may_hold_what_looks_like_a_reference_where_it_is_there(folder: Path) -> None:
    odd = folder / "${oc.env:HOME}"
    odd.mkdir()
    file = change(folder / "result" / "config.yaml", input=str(odd))
    assert read_frozen_config(file, ROOTS).settings["input"] == str(odd)
    odd.rmdir()
    with pytest.raises(RibError, match="would have to be filled in"):
        read_frozen_config(file, ROOTS)


def test_settings_of_the_last_release_go_by_todays_names(folder: Path) -> None:
    module = read_frozen_config(folder / "run", ROOTS).settings["task"]["module"]
    assert {"ema_decay", "min_lr_ratio"} <= set(module)
    assert not {"average", "final_share"} & set(module)


def test_settings_that_nothing_reads_today_are_told_in_one_line_and_left_out(folder: Path) -> None:
    frozen = read_frozen_config(folder / "result", ROOTS)
    assert {key for key in GONE if not key.startswith("hydra.")} <= set(frozen.left_out)
    assert not {"histogram_distance", "picture_difference"} & set(frozen.settings["cuts"])
    assert "min_overlap" not in frozen.settings["pose"]["tracker"]
    _, _, notes = register_repeated_config(str(folder / "result"), [])
    (line,) = (note for note in notes if "earlier release" in note)
    assert "cuts.residual=" in line
    assert "\n" not in line


def test_choices_and_what_follows_another_are_settings() -> None:
    for verb, links in LINKS.items():
        known = set(ROOTS[verb].__dataclass_fields__)
        assert {key.partition(".")[0] for key in (*links, *links.values())} <= known
    assert set(GROUPS["interpolate"]) <= set(ROOTS["interpolate"].__dataclass_fields__)


def test_help_tells_what_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert rib("repeat", "--help") == 0
    assert "read as data" in capsys.readouterr().out
    assert rib("--help") == 0
    assert "repeat" in capsys.readouterr().out


Made = Callable[..., dict[str, Any]]


@pytest.fixture
def interpolated(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The settings that interpolations are started with, which then do not run."""
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr("rib.commands.interpolate.task", seen.append)
    return seen


@pytest.mark.slow
def test_a_result_is_repeated_with_what_is_typed_besides(
    folder: Path, interpolated: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    change(folder / "result" / "summary.json", started_in=str(folder))
    change(folder / "result" / "config.yaml", hydra={"callbacks": {"x": EVIL}}, plugins=["evil"])
    (folder / "evil.py").write_text("open('ran', 'w')\n")
    monkeypatch.syspath_prepend(folder)
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert rib("repeat", "../result", "rate=8", "pose=files", "background=flow", "batch_mpx=0.5") == 0
    told = capfd.readouterr().out
    assert "hydra: is left out" in told
    assert "which are not imported" in told
    (settings,) = interpolated
    before = yaml.safe_load((folder / "result" / "config.yaml").read_text())
    assert settings["motion"] == REGISTRY.renamed(before["motion"])
    assert settings["rate"] == 8
    assert settings["background"]["_target_"] == "rib.background.flow.FlowInterpolator"
    assert settings["input"] == str(folder / "walk")
    assert settings["pose"]["path"] == str(folder / "walk_poses")
    assert settings["output"] == str(folder / "result_2")
    assert settings["cache"]["dir"] is None
    assert "evil" not in sys.modules


@pytest.mark.parametrize(
    "typed", [["output=new"], ["-o", "new"], ["--output=new"], ["-m", "-o", "new", "8x"]]
)
def test_a_repeated_result_goes_where_it_was_told_to_in_every_spelling(
    folder: Path, typed: list[str]
) -> None:
    _, arguments, _ = register_repeated_config("result", typed)
    assert [argument for argument in arguments if argument.startswith("output=")] == ["output=new"]


@pytest.mark.parametrize("typed", [["walk"], ["-o", "new", "result"], ["8x", "other.mp4", "-m"]])
def test_one_result_is_repeated_at_a_time(folder: Path, typed: list[str]) -> None:
    with pytest.raises(RibError, match=r"after result, and repeats one result; repeat each by itself"):
        register_repeated_config("result", typed)
    for spelled in (["-i", "walk"], ["input=walk"]):
        assert "input=walk" in register_repeated_config("result", spelled)[1]


@pytest.mark.slow
@pytest.mark.parametrize(("before", "typed", "rates"), [
    ({"rate": 4}, "fps=60", (None, 60)), ({"rate": 4}, "60fps", (None, 60)), ({"fps": 10}, "4x", (4, None)),
    ({"rate": 4, "slow": 2}, "fps=60", (None, 60)), ({"fps": 10}, "slow=2", (None, 10)),
])  # fmt: skip
def test_a_rate_that_is_typed_takes_the_place_of_the_other_kind(
    folder: Path, interpolated: list[dict[str, Any]], before: dict[str, float], typed: str,
    rates: tuple[float | None, float | None],
) -> None:  # fmt: skip
    change(folder / "result" / "config.yaml", **{"rate": None, "fps": None, **before})
    assert rib("repeat", "result", typed) == 0
    (settings,) = interpolated
    assert (settings["rate"], settings["fps"]) == rates


@pytest.mark.slow
def test_an_interpolation_is_repeated_frame_by_frame(folder: Path) -> None:
    (folder / "first").mkdir()
    settings = ("pose=files", "poses=walk_poses", "motion=linear", "background=blend", "render=none")
    made = ("video=frames", "report=false", "input_fps=10", "rate=2", "output=made", "device=cpu")
    assert rib("interpolate", "input=walk", *settings, *made) == 0
    assert rib("repeat", "made") == 0
    assert rib("repeat", "made/frames", "rate=3", "output=more") == 0
    first, again = (sorted((folder / name / "frames").iterdir()) for name in ("made", "made_2"))
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]
    assert len(list((folder / "more" / "frames").iterdir())) > len(first)


@pytest.mark.slow
@pytest.mark.parametrize("run", ["run", "renderer_run"])
def test_a_training_is_repeated_in_a_folder_of_its_own(run: str, folder: Path) -> None:
    before = {p: p.read_bytes() for p in (folder / run).rglob("*") if p.is_file()}
    assert rib("repeat", run, "seed=3", "trainer.max_steps=1", "hydra.run.dir=again") == 0
    assert {p: p.read_bytes() for p in (folder / run).rglob("*") if p.is_file()} == before
    config = json.loads((folder / "again" / "config.json").read_text())
    assert config["task"]["data"]["seed"] == config["callbacks"]["seeds"]["seed"] == config["seed"] == 3
    assert config["callbacks"]["last"]["dirpath"] == str(folder / "again" / "checkpoints")
    assert (folder / "again" / "checkpoints" / "last.ckpt").is_file()
    assert json.loads((folder / "again" / "start.json").read_text())["folder"] == str(folder)
    assert rib("repeat", "again", "hydra.run.dir=third") == 0
    assert (folder / "third" / "checkpoints" / "last.ckpt").is_file()


@pytest.mark.slow
def test_another_choice_of_trainer_is_one_of_the_machine_alone(folder: Path) -> None:
    """How long the run is stays, but for what is typed and what debug= says."""
    assert rib("repeat", "run", "trainer=ddp_cpu", "trainer.devices=1", "hydra.run.dir=again") == 0
    before, after = (json.loads((folder / r / "config.json").read_text()) for r in ("run", "again"))
    machine = {"devices": 1, "strategy": "ddp"}
    assert after["trainer"] == {**before["trainer"], **machine}
    typed = ("trainer.log_every_n_steps=3", "debug=fast")
    assert rib("repeat", "run", "trainer=cpu", *typed, "hydra.run.dir=short") == 0
    short = json.loads((folder / "short" / "config.json").read_text())["trainer"]
    assert short["log_every_n_steps"] == 3
    assert short["max_steps"] == 4
