from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).with_name("two_processes.py")
ROOT = SCRIPT.parents[2]


def quiet_port() -> str:
    """A free port below those that the system hands out, which other tests' processes ask for meanwhile."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            return str(port)


@pytest.mark.slow
def test_two_processes_train_as_one_does_on_both_halves(tmp_path: Path) -> None:
    for processes in (1, 2):
        done = subprocess.run(
            [sys.executable, str(SCRIPT), str(tmp_path), str(processes)],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MASTER_PORT": quiet_port()},
        )
        assert done.returncode == 0, done.stderr
    alone, first, second = (
        torch.load(tmp_path / f"{name}.pt", weights_only=True) for name in ("1_0", "2_0", "2_1")
    )
    for name, tensor in alone.items():
        assert torch.equal(first[name], second[name]), name
        torch.testing.assert_close(first[name], tensor, atol=1e-5, rtol=1e-4)
