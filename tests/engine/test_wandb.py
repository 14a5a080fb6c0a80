from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_runs import TINY

from rib.commands.train import command
from rib.engine.fit import fit_in_processes
from rib.engine.loggers.wandb_logger import WandbRun, wandb_server_answers
from rib.io.errors import RibError

Settings = Callable[..., dict[str, Any]]


def test_a_server_answers_or_is_not_waited_for() -> None:
    class Refuses(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(403)

        def log_message(self, *arguments: Any) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Refuses) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert wandb_server_answers(f"http://127.0.0.1:{server.server_port}", 5)
    with socket.socket() as silent:  # takes the connection and says nothing
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        start = time.monotonic()
        assert not wandb_server_answers(f"http://127.0.0.1:{silent.getsockname()[1]}", 0.2)
        assert time.monotonic() - start < 2


@pytest.mark.slow
def test_online_without_a_key_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "")
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(RibError, match="there is no key; type `wandb login`"):
        WandbRun("rib", "run", str(tmp_path), offline=False, group=None, checkpoints=True, patience_s=1)


@pytest.mark.slow
def test_a_run_with_a_key_and_no_network_goes_on_offline(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """W&B itself would wait for its server for a minute and a half."""
    monkeypatch.setenv("WANDB_API_KEY", "0123456789" * 4)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        options = ("logger=wandb", "logger.wandb.offline=false", "logger.wandb.patience_s=0.5")
        fit_in_processes(settings("run", *options, "trainer.max_epochs=1", "callbacks=skeletons",
                     "callbacks.skeletons.check=clean_r4"))  # fmt: skip
    (log,) = (tmp_path / "run").rglob("*.wandb")
    files = {path.name for path in (log.parent / "files").rglob("*")}
    assert {"config.json", "git.json", "git.diff"} <= files
    assert {path.suffix for path in (log.parent / "files" / "media").rglob("*") if path.is_file()} == {
        ".mp4", ".png",
    }  # fmt: skip


@pytest.mark.slow
def test_every_trial_has_a_run_of_its_own_and_a_failed_one_is_ended_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an end W&B writes the second trial into the run of the first."""
    import wandb

    codes = []
    finish = wandb.finish
    monkeypatch.setattr("wandb.finish", lambda exit_code=None: (codes.append(exit_code), finish(exit_code)))
    monkeypatch.chdir(tmp_path)
    arguments = ("task.module.warmup_steps=1", "logger=wandb", "trainer.max_epochs=1", "hydra.sweep.dir=s")
    with pytest.raises(RibError, match="1 of 2 runs did not finish"):
        command(["-m", "task.module.optimizer.lr=1e30,1e-3", *TINY, *arguments])
    logs = [list((tmp_path / "s" / number).rglob("*.wandb")) for number in "01"]
    assert [len(found) for found in logs] == [1, 1]
    assert codes == [1, 0]
    assert wandb.run is None
