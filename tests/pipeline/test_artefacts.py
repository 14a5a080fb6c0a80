from __future__ import annotations

import os
from pathlib import Path

import pytest

from rib.pipeline.artefacts import Artefacts


def store(tmp_path: Path, limit_gb: float = 1.0) -> Artefacts:
    return Artefacts(str(tmp_path / "cache"), limit_gb)


def writes(content: str, calls: list[str]):
    def make(folder: Path) -> None:
        calls.append(content)
        (folder / "x").write_text(content)

    return make


def test_an_artefact_is_made_once_and_found_again(tmp_path: Path) -> None:
    calls: list[str] = []
    first = store(tmp_path).get("poses", {"a": 1}, ["clip"], writes("1", calls))
    again = store(tmp_path)
    assert again.get("poses", {"a": 1}, ["clip"], writes("2", calls)) == first
    assert calls == ["1"]
    assert again.reused == ["poses"]


@pytest.mark.parametrize(
    ("stage", "recipe", "parents"),
    [("masks", {"a": 1}, ["clip"]), ("poses", {"a": 2}, ["clip"]), ("poses", {"a": 1}, ["other"])],
)
def test_a_changed_stage_setting_or_parent_is_made_anew(
    tmp_path: Path, stage: str, recipe: dict[str, int], parents: list[str]
) -> None:
    calls: list[str] = []
    store(tmp_path).get("poses", {"a": 1}, ["clip"], writes("1", calls))
    store(tmp_path).get(stage, recipe, parents, writes("2", calls))
    assert calls == ["1", "2"]


def test_an_artefact_that_failed_is_absent(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise KeyboardInterrupt

    artefacts = store(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        artefacts.get("poses", {}, [], fail)
    assert list(artefacts.folder.iterdir()) == []


def test_the_ones_unused_for_longest_are_dropped_but_none_of_this_run(tmp_path: Path) -> None:
    calls: list[str] = []
    old, _ = store(tmp_path).get("a", {}, [], writes("x" * 1000, calls))
    used, _ = store(tmp_path).get("b", {}, [], writes("x" * 1000, calls))
    os.utime(old, (1, 1))
    os.utime(used, (2, 2))
    small = store(tmp_path, limit_gb=2500 / 1e9)
    small.get("b", {}, [], writes("", calls))
    new, _ = small.get("c", {}, [], writes("x" * 1000, calls))
    assert not old.exists()
    assert used.exists()
    assert new.exists()


def test_a_folder_that_cannot_be_written_is_replaced_by_a_temporary_one(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    artefacts = Artefacts(str(blocked / "cache"), 1.0)
    assert artefacts.get("a", {}, [], writes("1", []))[0].is_dir()
