"""A rank that fails before the process group exists ends the job, and is named, whoever started it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch.distributed as dist
from fake_slurm import install
from tiny_runs import TINY

from rib.config.sweeps.results import note_failed_trial
from rib.engine.distributed.environment import DistributedEnv
from rib.engine.distributed.rendezvous import Rendezvous, own_rendezvous
from rib.engine.run_folder.status import read_run_status
from rib.io.errors import RibError


@pytest.fixture
def two() -> tuple[Rendezvous, Rendezvous]:
    """Rank 0 and rank 1, each with its own view of one store, told of a job."""
    first, environ = own_rendezvous(2)
    store = dist.TCPStore("127.0.0.1", int(environ["MASTER_PORT"]), 2, False, wait_for_workers=False)
    second = Rendezvous(dist.PrefixStore("attempt0", store), DistributedEnv(1, 1, 2, 2, "rib"))
    first.broadcast({})
    second.receive()
    return first, second


def test_who_waits_for_the_group_hears_of_a_failure_at_once(two: tuple[Rendezvous, Rendezvous]) -> None:
    first, second = two
    told: list[RibError] = []

    def wait() -> None:
        try:
            first.join("gloo")
        except RibError as error:
            told.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    second.report(RibError("there is no weights.ckpt"))
    waiting.join(5)
    assert not waiting.is_alive()
    assert str(told[0]) == "rank 1 of 2 failed: there is no weights.ckpt"
    # and the one that failed is not told of itself
    second.check()


def test_a_process_that_ended_without_a_word_is_named_too(two: tuple[Rendezvous, Rendezvous]) -> None:
    first, _ = two
    first.gone = lambda: {1: "its process ended with -9 (it said nothing)"}
    with pytest.raises(RibError, match="rank 1 of 2 failed: its process ended with -9"):
        first.join("gloo")


def test_rank_0_that_fails_before_it_has_settings_does_not_leave_the_others_waiting(
    two: tuple[Rendezvous, Rendezvous],
) -> None:
    first, second = two
    first.refuse(RibError("there is no last.ckpt"))
    with pytest.raises(RibError, match=r"rank 0 of 2 failed: there is no last\.ckpt"):
        second.receive()
    first.broadcast({"next": "job"})
    assert second.receive() == {"next": "job"}


def test_a_rank_that_fails_first_leaves_nothing_in_the_folder_that_rank_0_is_going_to_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    for rank, writes in (("1", False), ("0", True)):
        for name, value in {
            "RANK": rank,
            "LOCAL_RANK": rank,
            "WORLD_SIZE": "2",
            "LOCAL_WORLD_SIZE": "2",
        }.items():
            monkeypatch.setenv(name, value)
        note_failed_trial(tmp_path, RibError("this machine lacks a library"))
        assert (read_run_status(tmp_path) is not None) == writes


def test_rank_0_waits_until_those_on_their_way_have_heard_that_it_failed(
    two: tuple[Rendezvous, Rendezvous], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two
    first.env = DistributedEnv(0, 0, 2, 2, "submitit")
    refusing = threading.Thread(target=lambda: first.refuse(RibError("there is no last.ckpt")))
    refusing.start()
    refusing.join(0.1)
    assert refusing.is_alive()
    with pytest.raises(RibError, match="rank 0 of 2 failed"):
        second.receive()
    refusing.join(5)
    assert not refusing.is_alive()


SITE = """
import os, sys, time
if os.environ.get("RANK", os.environ.get("SLURM_PROCID")) == "{rank}":
    class Lacking:
        def find_spec(self, name, path=None, target=None):
            if name == "{module}":
                open({file!r}, "w").write(str(time.time()))
                raise ImportError("this machine lacks a library")
    sys.meta_path.insert(0, Lacking())
"""


@pytest.mark.slow
@pytest.mark.parametrize("started_by", ["rib", "torchrun", "sweep", "slurm", "slurm, rank 0 composes"])
def test_the_job_is_over_ten_seconds_after_a_rank_failed(started_by: str, tmp_path: Path) -> None:
    site, failed = tmp_path / "site", tmp_path / "failed"
    site.mkdir()
    started_by, composes, _ = started_by.partition(", rank 0 composes")
    rank, module = (0, "rib.config.unused") if composes else (1, "rib.engine.callbacks.monitors")
    (site / "sitecustomize.py").write_text(SITE.format(file=str(failed), rank=rank, module=module))
    path = f"{site}:{Path(__file__).parents[2]}"
    environ = {**os.environ, "PYTHONPATH": path}
    more = {
        "sweep": ["-m", "seed=1", "hydra.sweep.dir=sweep"],
        "slurm": ["-m", "seed=1", "hydra.sweep.dir=sweep", "launch=slurm"],
    }.get(started_by, ["hydra.run.dir=run"])
    if started_by == "slurm":
        environ["PATH"] = f"{install(tmp_path / 'slurm')}:{environ['PATH']}"
    start = [sys.executable, "-m", "rib.commands"]
    if started_by == "torchrun":
        run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        start = [*run, "-m", "rib.commands"]
    done = subprocess.run(
        [*start, "train", *TINY, "trainer=ddp_cpu", *more], cwd=tmp_path, env=environ, text=True,
        timeout=500, capture_output=True, check=False,
    )  # fmt: skip
    ended = time.time()
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert composes or "rank 1 of 2 failed: " in said, said
    assert "this machine lacks a library" in said
    # submitit looks at its jobs now and then, and rank 0 waits for those who have yet to import what it did
    bound_s = 10 + 10 * (started_by == "slurm") + 10 * bool(composes)
    assert ended - float(failed.read_text()) < bound_s
