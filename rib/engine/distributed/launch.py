"""Launch the processes of one job and end them, whatever happens in between."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rib.engine.distributed.environment import (
    WORKER,
    DistributedEnv,
    check_started_processes,
    distributed_env,
    num_processes_of_trainer,
)
from rib.engine.settings import TrainSettings
from rib.io.errors import RibError

if TYPE_CHECKING:
    from rib.engine.distributed.rendezvous import Rendezvous

SECONDS_TO_END = 20.0
"""After rank 0 is done, how long the others may take before they are stopped."""


@contextmanager
def launch_processes(config: TrainSettings) -> Iterator[Rendezvous | None]:
    """Have the processes that the trainer asks for, each told these settings; None where one is enough.

    Args:
        config: The settings, resolved and plain.

    Raises:
        RibError: What was started outside does not fit, or another rank failed; its line is told.
    """
    env = distributed_env()
    num_local, num_nodes = num_processes_of_trainer(config.trainer)
    check_started_processes(env, num_local, num_nodes)
    if num_local * num_nodes == 1:
        yield None
        return
    if env.num_ranks == 1:
        with _started(num_local, Path(config.run_dir)) as (rendezvous, children):
            rendezvous.gone = lambda: _gone(children, Path(config.run_dir))
            rendezvous.broadcast(config.plain())
            with _told(rendezvous, children):
                _wait_until_there(children, rendezvous)
                yield rendezvous
        return
    from rib.engine.distributed.rendezvous import outside_rendezvous

    rendezvous = outside_rendezvous()
    rendezvous.broadcast(config.plain())
    with _told(rendezvous, {}):
        yield rendezvous


@contextmanager
def _started(
    num_ranks: int, run_dir: Path
) -> Iterator[tuple[Rendezvous, dict[int, subprocess.Popen[bytes]]]]:
    """Processes of our own; what they print goes into rank<number>.txt in the run folder."""
    from rib.engine.distributed.rendezvous import own_rendezvous

    rendezvous, environment = own_rendezvous(num_ranks)
    children: dict[int, subprocess.Popen[bytes]] = {}
    try:
        for rank in range(1, num_ranks):
            its = {WORKER: str(os.getpid()), "RANK": str(rank), "LOCAL_RANK": str(rank), **environment}
            with (run_dir / f"rank{rank}.txt").open("ab") as output:
                children[rank] = subprocess.Popen(
                    [sys.executable, "-m", "rib.engine.worker"],
                    env={**os.environ, **its},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,  # Ctrl-C is for rank 0, which stops them
                )
        yield rendezvous, children
        rendezvous.broadcast(None)
        _ended(children, SECONDS_TO_END)
    finally:
        for child in children.values():
            child.terminate()
        if not _ended(children, 5.0):
            for child in children.values():
                child.kill()
                child.wait()


@contextmanager
def _told(rendezvous: Rendezvous, children: dict[int, subprocess.Popen[bytes]]) -> Iterator[None]:
    """Raise the error of the rank that failed first in the place of the broken connection."""
    try:
        yield
    except Exception as error:
        if isinstance(error, RibError):
            raise
        deadline = time.monotonic() + 5.0
        while not (reports := rendezvous.reports()) and time.monotonic() < deadline:
            if gone := rendezvous.gone():
                reports = rendezvous.reports() or dict(gone)
                break
            time.sleep(0.1)
        if not reports:
            raise
        rank, text = min(reports.items())
        raise RibError(f"rank {rank} of {rendezvous.env.num_ranks} failed: {text}") from error


def _wait_until_there(children: dict[int, subprocess.Popen[bytes]], rendezvous: Rendezvous) -> None:
    """Wait for every process to have read its settings, and notice one that ends before it has."""
    keys = [f"there{rendezvous.job}/{rank}" for rank in children]
    while not rendezvous.store.check(keys):
        for child in children.values():
            if child.poll() is not None:
                rendezvous.check()
        time.sleep(0.05)


def _gone(children: dict[int, subprocess.Popen[bytes]], run_dir: Path) -> dict[int, str]:
    """The ranks whose processes have ended, with their exit codes and the last that they said."""
    told = {}
    for rank, child in children.items():
        if (code := child.poll()) is not None:
            said = (run_dir / f"rank{rank}.txt").read_text(encoding="utf-8", errors="replace").split("\n")
            last = next((line.strip() for line in reversed(said) if line.strip()), "it said nothing")
            told[rank] = f"its process ended with {code} ({last[:300]})"
    return told


def _ended(children: dict[int, subprocess.Popen[bytes]], seconds: float) -> bool:
    """Wait for all to end; says whether they did."""
    deadline = time.monotonic() + seconds
    while any(child.poll() is None for child in children.values()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def env_of_rendezvous(rendezvous: Rendezvous | None) -> DistributedEnv:
    """Derive this process's ranks: alone without a rendezvous."""
    return rendezvous.env if rendezvous else DistributedEnv()
