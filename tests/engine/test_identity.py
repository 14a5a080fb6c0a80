"""A run stays the same run, and says what code and what data it was made with."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_preemption import sent_at
from tiny_runs import TINY

from rib.commands.train import command
from rib.engine.checkpoints import KEY, describe_training_data, read_checkpoint
from rib.engine.run_folder.code_state import git_state, write_code_state
from rib.engine.run_folder.data_fingerprint import (
    check_same_training_data,
    data_fingerprint,
    describe_data_fingerprint,
    digest_of_data,
)
from rib.engine.run_folder.identity import identify_run, read_run_identity
from rib.io.errors import RibError

Settings = Callable[..., dict[str, Any]]


def test_a_folder_keeps_its_runs_id_and_learns_new_words(tmp_path: Path) -> None:
    first = identify_run(tmp_path, {"id": None, "tags": ["a"], "notes": None, "group": None})
    assert len(first.id) == 8
    again = identify_run(tmp_path, {"id": "other", "tags": [], "notes": "why"})
    assert (again.id, again.tags, again.notes) == (first.id, ("a",), "why")
    assert read_run_identity(tmp_path) == again
    (tmp_path / "run.json").write_text('{"id": 5}')
    assert read_run_identity(tmp_path) is None
    (tmp_path / "b").mkdir()
    assert identify_run(tmp_path / "b", {"id": "mine"}).id == "mine"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of the user's with a changed file, and one that git does not know."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "me")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "me@example.org")
    (tmp_path / "net.py").write_text("width = 1\n")
    for line in ("init -q", "add .", "commit -qm first"):
        subprocess.run(["git", *line.split()], cwd=tmp_path, check=True)
    (tmp_path / "net.py").write_text("width = 2\n")
    (tmp_path / "new.py").write_text("loss = 3\n")
    (tmp_path / "data.bin").write_bytes(b"\0" * 10)
    return tmp_path


def test_uncommitted_and_untracked_code_is_one_patch_that_gives_it_again(project: Path) -> None:
    before = subprocess.run(["git", "status", "--porcelain"], cwd=project, capture_output=True, check=True)
    state = git_state(project)
    assert state is not None
    assert state["untracked"] == ["new.py"]
    after = subprocess.run(["git", "status", "--porcelain"], cwd=project, capture_output=True, check=True)
    assert after.stdout == before.stdout  # its index is left alone
    clone = project / "clone"
    subprocess.run(["git", "clone", "-q", str(project), str(clone)], check=True, capture_output=True)
    subprocess.run(["git", "apply"], cwd=clone, input=state["diff"].encode(), check=True)
    assert (clone / "net.py").read_text() + (clone / "new.py").read_text() == "width = 2\nloss = 3\n"


def test_the_users_project_stands_beside_rib(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    run = project / "run"
    run.mkdir()
    write_code_state(run)
    (told,) = json.loads((run / "project.json").read_text())
    assert told["folder"] == str(project)
    assert "+loss = 3" in (run / "project.diff").read_text()


def test_a_fingerprint_follows_the_store_and_the_subset_but_not_the_seed(tmp_path: Path) -> None:
    store = tmp_path / "mocap.h5"
    store.write_bytes(b"a" * 10)
    recipe = {"_target_": "x", "folder": str(store), "held_out": ["05"], "seed": 1}
    first = data_fingerprint(recipe)
    assert data_fingerprint({**recipe, "seed": 2, "num_workers": 3}) == first
    assert data_fingerprint({**recipe, "held_out": []})["settings"] != first["settings"]
    check_same_training_data(first, first, tmp_path / "last.ckpt")
    assert first["stores"]["folder"]["digest"] in describe_data_fingerprint(first)
    store.write_bytes(b"a" * 9 + b"b")
    with pytest.raises(RibError, match=r"task\.data\.folder=.* is not the data that .*last\.ckpt was"):
        check_same_training_data(first, data_fingerprint(recipe), tmp_path / "last.ckpt")
    check_same_training_data(None, first, tmp_path / "last.ckpt")  # of an earlier release
    (tmp_path / "clips").mkdir()
    empty = digest_of_data(tmp_path / "clips")
    (tmp_path / "clips" / "a").write_text("a")
    assert digest_of_data(tmp_path / "clips") != empty


@pytest.mark.slow
def test_a_run_that_goes_on_is_one_run_of_wandb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    same = [*TINY, "logger=wandb", "hydra.run.dir=run", "run.tags=[a,b]", "restore=continue"]
    same += [sent_at(5, "SIGUSR2", tmp_path / "sent")]  # the machine is taken away
    command([*same, "trainer.max_epochs=1"])
    with pytest.raises(SystemExit):
        command([*same, "trainer.max_epochs=2"])
    command([*same, "trainer.max_epochs=2"])
    known = read_run_identity(tmp_path / "run")
    assert known is not None
    logs = sorted((tmp_path / "run").rglob("*.wandb"))
    assert [log.name for log in logs] == [f"run-{known.id}.wandb"] * 3
    assert known.tags == ("a", "b")
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    assert set(read_checkpoint(last)[KEY]["fingerprint"]) == {"stores", "settings"}
    assert describe_training_data(last).startswith("trained on synthetic data")
