"""Path settings mean what was typed, whatever stands in the name."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from rib.config import app, schema
from rib.config.compose import compose
from rib.config.overrides.literal import quote_override_value, quote_path_override
from rib.io.errors import RibError
from rib.io.settings.paths import is_path_setting
from rib.pipeline.settings import UpsampleSettings

NAMES = (
    "Café",
    "out (1)",
    "a=b",
    "[x]",
    "[a,b]",
    "{x}",
    "{a: b}",
    "my clip (1).mp4",
    "50% off.mp4",
    "a,b.mp4",
    "it's.mp4",
    "ünï 日本.mp4",
    "${oc.env:HOME}.mp4",
    "${input}",
    "-dash.mp4",
    "a:b.mp4",
    'quote".mp4',
    "'quoted'",
    "back\\slash.mp4",
    "ends\\",
    "#1 take.mp4",
    "null",
    "123",
    "007",
    "1e5",
    "true",
    "trailing .mp4",
    "clip.mp4 ",
    " clip.mp4",
    "%d.mp4",
    "a&b;c.mp4",
    "l'été, 100% [4K] (final) = ok.mp4",
    "interval(1,2)",
    "\\${x}",
    "$$",
    "a\nb",
)


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def given(*overrides: str) -> UpsampleSettings:
    return compose("upsample", *overrides)


def test_a_quoted_text_comes_back_from_hydra_and_omegaconf_as_it_was() -> None:
    rng = random.Random(0)
    pieces = [*"\\'\"${}[](),=: ab~#%\n.", "${", "\\${", "\\\\"]
    drawn = ["".join(rng.choice(pieces) for _ in range(rng.randint(1, 7))) for _ in range(150)]
    parser = OverridesParser.create()
    for name in (*NAMES, *drawn):
        override = parser.parse_override(f"poses={quote_override_value(name)}")
        config = OmegaConf.create({"poses": override.value(), "path": "${poses}"})
        assert OmegaConf.to_container(config, resolve=True) == {"poses": name, "path": name}
        again = parser.parse_override(
            f"poses={override.get_value_element_as_str()}"
        )  # as a sweep hands it on
        assert again.value() == override.value()


def test_names_are_taken_literally() -> None:
    settings = given("input=[a,b] é", "output=a=b, (1)", "motion=files", "poses=${oc.env:HOME} [1]")
    assert (settings.input, settings.output) == ("[a,b] é", "a=b, (1)")
    assert settings.motion["path"] == settings.poses == "${oc.env:HOME} [1]"


@pytest.mark.slow
def test_the_same_name_reaches_the_runs_of_a_sweep(capfd: pytest.CaptureFixture[str]) -> None:
    name, seen = "a,b (1) ${x}", []
    app.run_verb(
        "upsample", lambda settings: seen.append(settings.input), ["-m", f"input={name}", "rate=2,3"]
    )
    assert seen == [name, name]


def test_null_leaves_out_what_may_be_left_out_and_is_a_name_elsewhere(tmp_path: Path) -> None:
    assert given("input=null", "poses=null")["poses"] is None
    assert given("input=null")["input"] == "null"
    (tmp_path / "null").touch()
    assert given("input=a", "poses=null")["poses"] == "null"


def test_a_tilde_is_the_home_folder_unless_a_file_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/of/me")
    assert given("input=~/clips")["input"] == "/home/of/me/clips"
    assert given("input=~nobody.mp4")["input"] == str(tmp_path / "~nobody.mp4")  # no user is called so
    (tmp_path / "~").mkdir()
    (tmp_path / "~" / "clips").touch()
    assert given("input=~/clips")["input"] == str(tmp_path / "~" / "clips")


@pytest.mark.parametrize(
    ("value", "words"),
    [("", "input= is empty"), (os.fsdecode(b"\xff.mp4"), "not UTF-8"), ("n" * 300, "name is too long")],
)
def test_a_name_that_nothing_can_be_written_about_is_refused_before_any_work(value: str, words: str) -> None:
    with pytest.raises(RibError, match=words) as error:
        given(f"input={value}")
    str(error.value).encode()


def test_other_settings_stay_in_hydras_grammar(tmp_path: Path) -> None:
    root = schema.ROOTS["evaluate"]
    for argument in ("strides=[4,8]", "~baselines.cubic", "-m", "rate", "show.clip=null", "seed=1,2"):
        assert quote_path_override(argument, root) == argument
    (tmp_path / "a (1)").touch()  # an existing path wins wherever it stands
    assert quote_path_override("show.clip=a (1)", root) == "show.clip='a (1)'"


PATH_NAMES = {"path", "ckpt", "folder", "input", "output", "videos", "store", "body_models", "poses"} | {
    "video_list", "train_list", "test_list", "test_input", "samples", "vgg19",
}  # fmt: skip


@pytest.mark.slow
def test_every_setting_that_is_called_like_a_path_is_declared_as_one() -> None:
    undeclared = []
    for verb, overrides in (
        ("interpolate", ["pose=files", "mask=files", "motion=files", "background=folder", "render=gan"]),
        ("upsample", ["motion=files"]),
        ("benchmark", []),
        ("benchmark_speed", []),
        ("demo", []),
        ("prepare", ["data=humanslomo"]),
        ("prepare", ["data=amass"]),
        ("train", ["experiment=renderer_reference"]),
        ("train", ["experiment=renderer_base"]),
        ("evaluate", []),
        ("evaluate_humanslomo", []),
    ):
        settings = OmegaConf.to_container(composed(verb, *overrides), resolve=False)
        assert isinstance(settings, dict)
        undeclared += [
            f"{verb}: {key}"
            for key, value in leaves(settings)
            if not isinstance(value, bool)
            and "${run_dir}" not in str(value)
            and key.rpartition(".")[2] in PATH_NAMES
            and not is_path_setting(schema.ROOTS[verb], key)
        ]
    assert undeclared == []


def composed(verb: str, *overrides: str) -> Any:
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    from rib.config.paths import conf_dir

    schema.register_config_roots()
    GlobalHydra.instance().clear()
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        return hydra_compose(verb, list(overrides))


def leaves(node: dict[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in node.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
