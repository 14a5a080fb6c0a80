from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hydra.errors import MissingConfigException

from rib.config.compose import check_all_configs, compose
from rib.config.overrides.explain import MissingPluginError, explain_hydra_error
from rib.config.paths import conf_dir, config_groups
from rib.config.recipes import check_config_recipes
from rib.config.schema import ROOTS
from rib.io.errors import RibError
from rib.pipeline.settings import InterpolateSettings


@pytest.mark.slow
def test_every_config_composes_and_every_recipe_fits_its_constructor() -> None:
    titles = [title for title, _ in check_all_configs()]
    assert set(ROOTS) <= set(titles)


def test_every_root_has_its_file_and_every_file_its_root() -> None:
    assert {path.stem for path in conf_dir().glob("*.yaml")} == set(ROOTS)


def test_every_value_in_a_leaf_stands_under_a_comment() -> None:
    """A file's head or a line above says what it is, and its unit."""
    bare = [
        str(path.relative_to(conf_dir()))
        for path in conf_dir().rglob("*.yaml")
        if not path.read_text(encoding="utf-8").lstrip().startswith("#")
    ]
    assert bare == []


def test_every_group_is_used_by_a_root() -> None:
    used = {
        key.removeprefix("/").partition("@")[0]
        for path in conf_dir().rglob("*.yaml")
        for item in yaml.safe_load(path.read_text(encoding="utf-8")).get("defaults", [])
        if isinstance(item, dict)
        for key in item
    }
    assert {group for group in config_groups() if group not in used} == set()


def test_a_key_that_the_root_does_not_know_stops_while_composing() -> None:
    with pytest.raises(RibError, match="did you mean 'batch_mpx'"):
        compose("interpolate", "input=x", "batch_mpxx=3")


def test_a_composed_config_is_plain_and_resolved() -> None:
    config = compose("interpolate", "input=x", "device=cpu", "background=rife")
    assert type(config) is InterpolateSettings
    assert type(config.background) is dict
    assert "${" not in str(config)


def test_a_recipe_that_its_constructor_refuses_is_told_with_its_place() -> None:
    config = {"a": {"b": [{"_target_": "torch.optim.AdamW", "lrr": 1}]}}
    with pytest.raises(RibError, match=r"a\.b\[0\]: torch\.optim\.AdamW takes no 'lrr'"):
        check_config_recipes(config)


def test_conf_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert (conf_dir() / "interpolate.yaml").is_file()


def test_a_launcher_that_is_not_installed_is_told_with_what_to_install() -> None:
    missing = MissingConfigException("no such option", "hydra/launcher/joblib", ["basic"])
    assert isinstance(explain_hydra_error(missing), MissingPluginError)
    assert "pip install 'render-in-between[sweep]'" in str(explain_hydra_error(missing))
