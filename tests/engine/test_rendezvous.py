from __future__ import annotations

import socket

import pytest
import torch.distributed as dist

from rib.engine.distributed.environment import DistributedEnv
from rib.engine.distributed.rendezvous import Rendezvous, own_rendezvous
from rib.io.errors import RibError


@pytest.fixture
def two() -> tuple[Rendezvous, Rendezvous]:
    """Rank 0 and rank 1, each with its own view of one store."""
    first, environ = own_rendezvous(2)
    store = dist.TCPStore("127.0.0.1", int(environ["MASTER_PORT"]), 2, False, wait_for_workers=False)
    return first, Rendezvous(dist.PrefixStore("attempt0", store), DistributedEnv(1, 1, 2, 2, "rib"))


def test_each_job_is_told_as_it_is_and_the_last_word_sends_home(two: tuple[Rendezvous, Rendezvous]) -> None:
    first, second = two
    jobs = [{"lr": 0.1, "betas": [0.9, None]}, {"lr": 1e-30, "name": "ü"}]
    for job in jobs:
        first.broadcast(job)
    first.broadcast(None)
    assert [second.receive(), second.receive(), second.receive()] == [*jobs, None]


def test_what_went_wrong_elsewhere_is_heard_of_in_the_job_where_it_happened(
    two: tuple[Rendezvous, Rendezvous],
) -> None:
    first, second = two
    first.broadcast({})
    second.receive()
    second.report(RibError("the loss is nan"))
    assert first.reports() == {1: "the loss is nan"}
    first.broadcast({})
    assert first.reports() == {}


def test_a_port_in_use_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("MASTER_PORT", str(taken.getsockname()[1]))
        with pytest.raises(RibError, match=r"port \d+ is in use; type MASTER_PORT=\.\.\.") as error:
            own_rendezvous(2)
    assert "\n" not in str(error.value)
