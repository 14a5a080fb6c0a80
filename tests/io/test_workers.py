"""Workers end with the process that they work for, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rib.io.errors import RibError
from rib.io.processes.workers import worker_pool

pytestmark = pytest.mark.slow

SCRIPT = """
import os, sys, time
from pathlib import Path
from rib.config.exit_codes import exit_code
from rib.io.processes.workers import worker_pool

def work(folder):
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(600)

def call():
    with worker_pool(2) as pool:
        for job in [pool.submit(work, sys.argv[1]) for _ in range(4)]:
            job.result()

if __name__ == "__main__":
    sys.exit(exit_code(call))
"""


LAUNCHED = """
import os, sys, time
from pathlib import Path
from joblib import Parallel, delayed
from rib.io.processes.workers import end_with_starter

def work(folder):
    end_with_starter()
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(600)

if __name__ == "__main__":
    Parallel(n_jobs=2)(delayed(work)(sys.argv[1]) for _ in range(2))
"""


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def wait_for(what, seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not what() and time.monotonic() < deadline:
        time.sleep(0.02)
    return what()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def started(content: str, folder: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """A script, and its two workers once they work."""
    script, marks = folder / "script.py", folder / "started"
    script.write_text(content)
    marks.mkdir()
    process = subprocess.Popen(
        [sys.executable, str(script), str(marks)], stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert wait_for(lambda: len(list(marks.iterdir())) == 2)
    return process, [int(path.name) for path in marks.iterdir()]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_worker_outlives_its_process(number: signal.Signals, tmp_path: Path) -> None:
    if not Path("/proc").is_dir():
        pytest.skip("processes are looked up in /proc, which is not here")
    process, workers = started(SCRIPT, tmp_path)
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert wait_for(lambda: not any(map(alive, workers)), 10)
    if number == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
    else:
        assert (process.returncode, err) == (128 + number, "stopped\n")


def test_no_worker_of_a_launcher_outlives_its_process(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux's kernel ends a process with the one that started it")
    pytest.importorskip("joblib")
    process, workers = started(LAUNCHED, tmp_path)
    process.kill()
    process.communicate(timeout=20)
    assert wait_for(lambda: not any(map(alive, workers)), 10)


def test_a_worker_that_is_killed_is_told_in_one_line() -> None:
    with pytest.raises(RibError, match="a worker process was killed"), worker_pool(1) as pool:
        pool.submit(killed).result()
