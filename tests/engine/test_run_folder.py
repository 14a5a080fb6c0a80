"""Every run has a folder of its own, whenever it begins."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rib.config.app import run_verb
from rib.engine.run_folder.folder import claim_run_folder

SMALL = ["experiment=motion_smoke", "hydra/job_logging=none", "hydra/hydra_logging=none"]


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def folders(*arguments: str) -> list[str]:
    found: list[str] = []

    def task(settings: dict[str, Any]) -> float:
        found.append(settings["run_dir"])
        return 0.0

    run_verb("train", task, [*SMALL, *arguments])
    return found


def test_a_folder_is_claimed_by_one_of_many_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        claimed = list(pool.map(claim_run_folder, [tmp_path / "runs" / "a"] * 40))
    assert len(set(claimed)) == 40
    assert set(claimed) == set((tmp_path / "runs").iterdir())


@pytest.mark.slow
def test_runs_of_one_second_have_folders_of_their_own(capfd: pytest.CaptureFixture[str]) -> None:
    both = [*folders(), *folders()]
    assert len(set(both)) == 2
    assert all((Path(folder) / ".hydra" / "config.yaml").is_file() for folder in both)


@pytest.mark.slow
def test_sweeps_of_one_second_have_folders_of_their_own(capfd: pytest.CaptureFixture[str]) -> None:
    both = [*folders("-m", "seed=1,2"), *folders("-m", "seed=1,2")]
    assert len(set(both)) == 4
    assert len({Path(folder).parent for folder in both}) == 2


@pytest.mark.slow
def test_a_folder_that_was_named_is_taken_as_it_is(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert [*folders("hydra.run.dir=here"), *folders("hydra.run.dir=here")] == [str(tmp_path / "here")] * 2
