"""Rendezvous of a run's processes: rank 0 broadcasts its settings, and nobody else reads a command line.

Lightning starts the other ranks with the command line of the first. In a sweep each of them would then
choose hyper-parameters of its own, and gradients of different models would be averaged without a word. Here
the settings of one job, composed and resolved, go from rank 0 to all others through torch's key-value store;
the process group of that job is made in the same store and is gone when the job ends, whatever the
environment says.
"""

from __future__ import annotations

import functools
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import torch.distributed as dist
from lightning_fabric.plugins.environments import ClusterEnvironment, SLURMEnvironment

from rib.engine.distributed.environment import DistributedEnv, distributed_env
from rib.io.errors import RibError, error_in_one_line

LOOPBACK = "127.0.0.1"
FOR_EVER = timedelta(days=30)
PATIENCE = timedelta(minutes=10)
"""How long the processes wait for one another before the first step."""


class Rendezvous:
    """One process's view of the rendezvous.

    Args:
        store: Shared by all ranks.
        env: Which of them this is.
    """

    def __init__(self, store: dist.Store, env: DistributedEnv) -> None:
        self.store, self.env, self.job = store, env, 0
        self.gone: Callable[[], Mapping[int, str]] = dict
        """Ranks whose processes are known to have ended, and how; whoever started them says it."""

    def broadcast(self, settings: dict[str, Any] | None) -> None:
        """Give the next job's settings to the other ranks; None sends them home."""
        self.job += 1
        self.store.set(f"settings{self.job}", json.dumps(settings))

    def receive(self) -> dict[str, Any] | None:
        """The next job's settings, as rank 0 tells them; None where there are no more jobs."""
        self.job += 1
        key = f"settings{self.job}"
        self.store.wait([key], FOR_EVER)
        settings: dict[str, Any] | None = json.loads(self.store.get(key))
        if settings is None:
            self.store.add("left", 1)
        elif REFUSED in settings:
            self.store.add(f"heard{self.job}", 1)
            raise RibError(str(settings[REFUSED]))
        else:
            self.store.set(f"there{self.job}/{self.env.rank}", "1")
        return settings

    def refuse(self, error: BaseException) -> None:
        """Tell the other ranks that rank 0 failed before it had settings for them.

        Where this process hosts the store and is about to end, it waits a moment for those on their way.
        """
        self.broadcast({REFUSED: f"rank 0 of {self.env.num_ranks} failed: {error_in_one_line(error)}"})
        deadline = time.monotonic() + HEARD_WITHIN_S * (self.env.started_by == "submitit")
        while time.monotonic() < deadline and self._on_their_way():
            time.sleep(0.05)

    def _on_their_way(self) -> bool:
        """Whether a rank has neither heard of rank 0's failure nor failed itself."""
        heard = self.store.add(f"heard{self.job}", 0)
        return heard + len(self.reports()) < self.env.num_ranks - 1

    def check(self) -> None:
        """Stop where another rank failed, which will never join.

        Raises:
            RibError: It names the rank and says why.
        """
        if lost := {**self.gone(), **self.reports()}:
            rank, text = min(lost.items())
            told = text if text.startswith("rank ") else f"rank {rank} of {self.env.num_ranks} failed: {text}"
            raise RibError(told)

    def join(self, backend: str) -> None:
        """Make the process group of this job, once every rank is ready for it.

        Raises:
            RibError: Another rank failed before it was, or did not come.
        """
        self.store.set(f"ready{self.job}/{self.env.rank}", "1")
        keys = [f"ready{self.job}/{rank}" for rank in range(self.env.num_ranks)]
        deadline = time.monotonic() + JOINED_WITHIN.total_seconds()
        while not self.store.check(keys):
            self.check()
            if time.monotonic() > deadline:
                late = [rank for rank, key in enumerate(keys) if not self.store.check([key])]
                raise RibError(f"ranks {late} were not ready within {JOINED_WITHIN}")
            time.sleep(0.1)
        dist.init_process_group(
            backend,
            store=dist.PrefixStore(f"group{self.job}", self.store),
            rank=self.env.rank,
            world_size=self.env.num_ranks,
            timeout=JOINED_WITHIN,
        )

    def leave(self) -> None:
        """Take the process group apart, so that the next job of this process finds none."""
        if dist.is_initialized():
            dist.destroy_process_group()

    def report(self, error: BaseException, ahead: int = 0) -> None:
        """Tell the other ranks what went wrong here, or on the way to a job so many `ahead`."""
        self.store.set(f"failed{self.job + ahead}/{self.env.rank}", error_in_one_line(error))

    def reports(self) -> dict[int, str]:
        """Read the errors that other ranks reported in this job."""
        others = (rank for rank in range(self.env.num_ranks) if rank != self.env.rank)
        keys = {rank: f"failed{self.job}/{rank}" for rank in others}
        return {rank: self.store.get(key).decode() for rank, key in keys.items() if self.store.check([key])}

    def close(self) -> None:
        """Send the others home, and wait a moment for them: the store may end with this process."""
        self.broadcast(None)
        deadline = time.monotonic() + 60
        while self.store.add("left", 0) < self.env.num_ranks - 1 and time.monotonic() < deadline:
            time.sleep(0.1)


REFUSED = "rank 0 failed"
HEARD_WITHIN_S = 8.0
JOINED_WITHIN = timedelta(minutes=30)
"""How long the ranks wait for one that is slow, not for one that failed."""


class RendezvousClusterEnvironment(ClusterEnvironment):
    """Tells Lightning which process this is, so that it neither starts processes nor asks the environment.

    Args:
        env: Which process this is.
    """

    def __init__(self, env: DistributedEnv) -> None:
        super().__init__()
        self.env = env

    @property
    def creates_processes_externally(self) -> bool:
        """The processes are there already."""
        return True

    @property
    def main_address(self) -> str:
        """Not used: the process group exists when Lightning asks for it."""
        return LOOPBACK

    @property
    def main_port(self) -> int:
        """Not used."""
        return 0

    @staticmethod
    def detect() -> bool:
        """Never found by looking."""
        return False

    def world_size(self) -> int:
        """Number of processes."""
        return self.env.num_ranks

    def set_world_size(self, size: int) -> None:
        """Nothing: it is known."""

    def global_rank(self) -> int:
        """This process's number."""
        return self.env.rank

    def set_global_rank(self, rank: int) -> None:
        """Nothing: it is known."""

    def local_rank(self) -> int:
        """This process's number on its machine."""
        return self.env.local_rank

    def node_rank(self) -> int:
        """The machine's number."""
        return self.env.node


@functools.cache
def outside_rendezvous() -> Rendezvous:
    """The rendezvous of processes that torchrun, srun or submitit started; it lasts as long as the process.

    Raises:
        RibError: The port is in use, or rank 0 does not answer.
    """
    env = distributed_env()
    agent = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True" and env.started_by == "torchrun"
    store: dist.Store = _open(*_address(env), env, hosts=env.rank == 0 and not agent)
    # torchrun's store outlives the processes that it starts again
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    return Rendezvous(dist.PrefixStore(f"attempt{attempt}", store), env)


def own_rendezvous(num_ranks: int) -> tuple[Rendezvous, dict[str, str]]:
    """A rendezvous that this process hosts, and what the environment of the processes that join says.

    Raises:
        RibError: The port that MASTER_PORT names is in use.
    """
    env = DistributedEnv(0, 0, num_ranks, num_ranks, "rib")
    asked = int(os.environ.get("MASTER_PORT", "0"))
    store = _open(LOOPBACK, asked, env, hosts=True)
    numbers = {"WORLD_SIZE": str(num_ranks), "LOCAL_WORLD_SIZE": str(num_ranks)}
    shared = dist.PrefixStore("attempt0", store)
    return Rendezvous(shared, env), {"MASTER_ADDR": LOOPBACK, "MASTER_PORT": str(store.port), **numbers}


def _open(address: str, port: int, env: DistributedEnv, hosts: bool) -> dist.TCPStore:
    try:
        return dist.TCPStore(address, port, env.num_ranks, hosts, PATIENCE, wait_for_workers=False)
    except (dist.DistNetworkError, RuntimeError) as error:
        if hosts and "address already in use" in str(error).lower():
            raise RibError(f"port {port} is in use", "type MASTER_PORT=... before the command") from error
        first = str(error).strip().partition("\n")[0]
        raise RibError(f"rank {env.rank} cannot reach rank 0 at {address}:{port} ({first})") from error


def _address(env: DistributedEnv) -> tuple[str, int]:
    """Derive the address that rank 0 listens at from this rank's own environment."""
    environ = os.environ
    if env.started_by in ("rib", "torchrun"):
        return environ["MASTER_ADDR"], int(environ["MASTER_PORT"])
    if "SUBMITIT_LOCAL_JOB_ID" in environ:
        address, number = LOOPBACK, int(environ["SUBMITIT_LOCAL_JOB_ID"])
    else:
        nodes = environ.get("SLURM_NODELIST") or environ.get("SLURM_JOB_NODELIST") or LOOPBACK
        address = environ.get("MASTER_ADDR") or SLURMEnvironment.resolve_root_node_address(nodes)
        number = int(environ["SLURM_JOB_ID"])
    return address, int(environ.get("MASTER_PORT") or 15000 + number % 10000)


def dismiss_workers() -> None:
    """Rank 0 of processes that torchrun or srun started: nothing is left to train, the others may go."""
    env = distributed_env()
    if env.num_ranks > 1 and env.rank == 0 and env.started_by != "submitit":
        outside_rendezvous().close()


def report_early_rank_failure(error: BaseException) -> None:
    """Tell the other ranks of a job of submitit that this one failed on the way to its settings."""
    env = distributed_env()
    if env.started_by != "submitit" or env.num_ranks == 1:
        return
    with suppress(RuntimeError):  # the store is gone with rank 0
        if env.rank > 0:
            outside_rendezvous().report(error, ahead=1)
        elif outside_rendezvous().job == 0:  # else the others have heard of it in the run
            outside_rendezvous().refuse(error)
