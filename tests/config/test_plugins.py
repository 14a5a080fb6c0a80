"""A user's own packages and folders of configs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rib.commands.__main__ import dispatch_verb
from rib.config import paths
from rib.config.compose import check_all_configs, compose
from rib.config.exit_codes import exit_code
from rib.config.search import settle_config_search
from rib.io.errors import RibError
from rib.io.plugins import VARIABLE, import_plugins, plugin_config_folders, wanted_plugins
from rib.io.recipe import build_recipe, locate_recipe_target
from rib.io.registry import REGISTRY

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "example_plugin"
TINY = ("trainer.max_epochs=1", "task.data.batches_per_epoch=2", "trainer.log_every_n_steps=1")


@pytest.fixture(autouse=True)
def _example(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The example can be imported, from any folder."""
    monkeypatch.syspath_prepend(EXAMPLE)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    yield
    paths.search_config_dirs_also([])


def rib(*arguments: str) -> int:
    return exit_code(lambda: dispatch_verb(list(arguments)))


def a_package(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text)


def test_the_settings_the_environment_and_the_command_line_name_plugins() -> None:
    assert wanted_plugins(["a", "b"], {VARIABLE: "c, a"}) == ("c", "a", "b")
    with pytest.raises(RibError, match="is no package's name"):
        wanted_plugins(["../evil"])
    for typed in ("plugins=[rib_example]", "plugins=rib_example", "+plugins=['rib_example']"):
        arguments, names = settle_config_search(["train", typed])
        assert names == ("rib_example",)
        assert arguments[1].endswith("plugins=[rib_example]")


def test_configs_of_plugins_are_found_without_importing_them() -> None:
    code = (
        "import sys; from rib.io.plugins import plugin_config_folders\n"
        "print(plugin_config_folders(['rib_example'])[0]); print('rib_example' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=EXAMPLE
    )
    assert done.stdout.split() == [str(EXAMPLE / "rib_example" / "conf"), "False"]


def test_a_composed_config_has_the_plugins_classes() -> None:
    config = compose("train", "plugins=[rib_example]", "experiment=damped_spline")
    assert config["plugins"] == ["rib_example"]
    assert config["task"]["module"]["net"] == {"_target_": "rib_example.DampedSpline", "scale": 0.9}
    with pytest.raises(RibError, match="takes no 'sclae'; did you mean 'scale'"):
        compose("train", "plugins=[rib_example]", "experiment=damped_spline", "+net.sclae=1")


def test_plugins_that_cannot_be_imported_are_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    a_package(tmp_path, "rib_broken", "\nundefined\n")
    with pytest.raises(RibError, match=r"no package 'rib_absent' to import; install it \(pip install -e"):
        import_plugins(["rib_absent"])
    with pytest.raises(RibError, match=r"importing it failed \(.*rib_broken\.py:2\): NameError"):
        import_plugins(["rib_broken"])


def test_a_misspelt_plugin_is_told_before_a_config_of_it_is_missed() -> None:
    for name in ("rib_absent", "rib_absent.inner"):
        with pytest.raises(
            RibError, match=rf"plugins=\[{name}\]: there is no package 'rib_absent' to import"
        ):
            compose("train", f"plugins=[{name}]", "experiment=motion_smoke", "net=mine")


def test_a_recipe_may_name_a_class_of_a_plugin_only_once_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    a_package(
        tmp_path,
        "rib_own",
        "class Loss:\n    def __init__(self, weight: float):\n        self.weight = weight\n",
    )
    recipe = {"_target_": "rib_own.Loss", "weight": 2.0}
    with pytest.raises(RibError, match=r"outside the allowed packages.*type plugins=\[rib_own\]"):
        build_recipe(recipe)
    assert "rib_own" not in sys.modules
    import_plugins(["rib_own"])
    assert build_recipe(recipe).weight == 2.0
    # a file may name what is registered, and nothing else of a plugin
    with pytest.raises(RibError, match=r'put @register\("motion loss"\) above the class'):
        REGISTRY.checked(recipe, "motion loss", "x.ckpt")
    with pytest.raises(RibError, match=r'could not be read again.*@register\("motion loss"\)'):
        compose(
            "train", "experiment=motion_smoke", "plugins=[rib_own]",
            "task.module.loss._target_=rib_own.Loss", "+task.module.loss.weight=1.0",
            "~task.module.loss.floor_px", "~task.module.loss.power", "~task.module.loss.unseen",
        )  # fmt: skip
    REGISTRY.register("motion loss", locate_recipe_target("rib_own.Loss"))
    assert REGISTRY.checked(recipe, "motion loss", "x.ckpt") == recipe


def test_a_file_says_which_plugin_it_lacks_and_never_names_the_standard_library() -> None:
    with pytest.raises(RibError, match=r"if that is a plugin which you trust, type plugins=\[rib_lacking\]"):
        REGISTRY.checked({"_target_": "rib_lacking.Net"}, "motion net", "x.ckpt")
    with pytest.raises(RibError) as error:
        REGISTRY.checked({"_target_": "os.system"}, "motion net", "x.ckpt")
    assert "plugin" not in str(error.value)


def test_a_folder_of_configs_is_seen_by_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert rib("configs", "cp", "net/motion_tiny", "mine", "my") == 0
    assert rib("new", "experiment", "why", "--config-dir", "my") == 0
    capsys.readouterr()
    assert rib("train", "--config-dir", "my", "--help") == 0
    told = capsys.readouterr().out
    assert "mine|motion_base" in told
    assert "|why" in told
    assert rib("configs", "ls", "--config-dir=my") == 0
    assert "mine* motion_base" in capsys.readouterr().out
    assert rib("configs", "show", "experiment/why", "-cd", "my") == 0
    assert "name: why" in capsys.readouterr().out
    assert (
        compose("train", "--config-dir=my", "experiment=why", "net=mine", "task.data.folder=x")["name"]
        == "why"
    )
    assert rib("train", "--config-dir", "nowhere", "--help") == 1
    assert "there is no such folder" in capsys.readouterr().err
    assert rib("train", "--help") == 0
    assert "|why" not in capsys.readouterr().out  # what one command searched, the next does not


def test_a_config_does_not_hide_behind_one_of_ribs(capsys: pytest.CaptureFixture[str]) -> None:
    hidden = Path("my") / "net" / "motion_tiny.yaml"
    hidden.parent.mkdir(parents=True)
    hidden.write_text("# not found\n")
    assert rib("train", "--config-dir", "my", "experiment=motion_smoke") == 1
    assert "motion_tiny.yaml has the name of a config of rib" in capsys.readouterr().err
    assert rib("configs", "cp", "net/motion_tiny", "motion_base") == 1
    assert rib("configs", "show", "net/motion_tny") == 1
    assert "did you mean 'motion_tiny'" in capsys.readouterr().err


@pytest.mark.slow
def test_check_holds_a_plugins_configs_and_those_of_a_folder() -> None:
    settle_config_search(["plugins=[rib_example]"])
    import_plugins(["rib_example"])
    titles = {title for title, _ in check_all_configs()}
    assert {"train experiment=damped_spline", "train net=damped_spline", "interpolate render=tint"} <= titles
    assert plugin_config_folders(["rib_example"]) == paths.conf_dirs()[1:]


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """`rib` from the working directory, where the example is no plugin unless it is named."""
    path = f"{Path(__file__).resolve().parents[2]}:{EXAMPLE}"
    return subprocess.run(
        [sys.executable, "-m", "rib.commands", *arguments], capture_output=True, text=True, timeout=600,
        check=False, env={**os.environ, "PYTHONPATH": path, "WANDB_MODE": "offline", **environ},
    )  # fmt: skip


@pytest.mark.slow
def test_a_plugins_net_trains_in_every_job_and_its_checkpoint_asks_for_it(tmp_path: Path) -> None:
    start = ("train", "experiment=damped_spline", *TINY)
    sweep = ("-m", "net.scale=0.8,1.0", "launch=joblib", "hydra.sweep.dir=sweep")
    done = run(*start, *sweep, **{VARIABLE: "rib_example"})
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "sweep" / "0" / "config.json").read_text())["plugins"] == ["rib_example"]
    ckpt = "ckpt=sweep/1/checkpoints/last.ckpt"
    scored = (
        "evaluate",
        ckpt,
        "folder=synthetic",
        "subjects=[]",
        "every=100",
        "strides=[4]",
        "output=scores",
    )
    for line in (("repeat", "sweep/1"), scored):
        done = run(*line)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "type plugins=[rib_example]" in done.stderr
    done = run("repeat", "sweep/1", "plugins=rib_example", "hydra.run.dir=again", "trainer.max_epochs=2")
    assert done.returncode == 0, done.stderr
    assert "not imported" not in done.stdout
