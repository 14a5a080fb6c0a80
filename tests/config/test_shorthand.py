"""Commands as people type them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rib.config.compose import compose
from rib.config.overrides.shorthand import shorthand_to_overrides
from rib.config.schema import ROOTS
from rib.io.errors import RibError

TYPED = {
    ("dance.mp4", "4x"): ["input=dance.mp4", "rate=4"],
    ("input=dance.mp4", "x2.5"): ["input=dance.mp4", "rate=2.5"],
    ("-i", "dance.mp4", "-o", "out.mp4", "60fps"): ["input=dance.mp4", "output=out.mp4", "fps=60"],
    ("--output=a b.mp4", "60000/1001fps"): ["output=a b.mp4", "fps=60000/1001"],
    ("a.mp4", "b c.mp4", "rate=2"): ["input=a.mp4", "more_inputs=['b c.mp4']", "rate=2"],
    ("a.mp4", "--cfg", "job", "-m", "+x=1"): ["input=a.mp4", "--cfg", "job", "-m", "+x=1"],
    ("--info", "all", "-i", "defaults"): ["--info", "all", "-i", "defaults"],
    ("~callbacks.x", "rate=2"): ["~callbacks.x", "rate=2"],
}


@pytest.mark.parametrize("typed", TYPED, ids=" ".join)
def test_words_become_settings(typed: tuple[str, ...]) -> None:
    assert shorthand_to_overrides(typed, ROOTS["interpolate"]) == TYPED[typed]


def test_a_file_with_an_equals_sign_is_an_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b.mp4").touch()
    (tmp_path / "rate=2").touch()
    assert shorthand_to_overrides(["a=b.mp4", "rate=2"], ROOTS["interpolate"]) == ["input=a=b.mp4", "rate=2"]


@pytest.mark.parametrize(
    ("verb", "typed", "words"),
    [
        ("interpolate", ["overwrite"], "type overwrite="),
        ("interpolate", ["a.mp4", "-o"], "-o was given without a name"),
        ("benchmark", ["a.mp4", "b.mp4"], "2 inputs were given"),
    ],
)
def test_what_is_no_input_is_told(verb: str, typed: list[str], words: str) -> None:
    with pytest.raises(RibError, match=words):
        shorthand_to_overrides(typed, ROOTS[verb])


def test_strange_names_come_through() -> None:
    strange = ["[4K] ${x}, é = ok.mp4", "it's {a}.mp4", "a\\b.mp4"]
    config = compose("interpolate", *shorthand_to_overrides([*strange, "2x"], ROOTS["interpolate"]))
    assert [config["input"], *config["more_inputs"]] == strange
    assert compose("interpolate", "input=x", "input_glob=[0-9]*.png")["input_glob"] == "[0-9]*.png"
