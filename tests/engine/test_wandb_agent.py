"""W&B's own agent of a sweep, with a stand-in for the server that gives it its runs."""

from __future__ import annotations

import json
import multiprocessing
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_runs import TINY

DOCUMENTED = Path(__file__).parents[2] / "docs" / "training.md"


def documented_sweep() -> dict[str, Any]:
    """The sweep.yaml that docs/training.md shows."""
    (text,) = re.findall(r"```yaml\n(.*?)```", DOCUMENTED.read_text(encoding="utf-8"), re.DOTALL)
    found: dict[str, Any] = yaml.safe_load(text)
    return found


class Server:
    """Gives one run, and then nothing more."""

    def __init__(self, sweep: dict[str, Any], settings: dict[str, Any]) -> None:
        self.config = yaml.safe_dump(sweep)
        values = {name: {"value": value} for name, value in settings.items()}
        self.commands = [{"type": "run", "run_id": "agents01", "program": "rib", "args": values}]

    def sweep(self, *arguments: Any) -> dict[str, str]:
        return {"config": self.config}

    def register_agent(self, *arguments: Any, **options: Any) -> dict[str, str]:
        return {"id": "agent"}

    def agent_heartbeat(self, *arguments: Any) -> list[dict[str, Any]]:
        given, self.commands = self.commands, []
        return given


@pytest.mark.slow
def test_an_agent_passes_its_settings_on_and_the_run_is_the_agents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wandb import wandb_agent

    sweep = documented_sweep()
    assert sweep["command"][:2] == ["rib", "train"]
    # rib of this environment, without a server to upload to
    words = [word for word in sweep["command"][2:] if "offline" not in word]
    here = ["trainer.max_epochs=1", "hydra.run.dir=run"]
    sweep["command"] = [sys.executable, "-m", "rib.commands", "train", *words, *TINY, *here]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep1")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.setenv("WANDB_MODE", "offline")
    for name in ("WANDB_RUN_ID", "WANDB_SWEEP_PARAM_PATH"):
        monkeypatch.setenv(name, "")
    server = Server(sweep, dict.fromkeys(sweep["parameters"], 0.0012))
    monkeypatch.setattr("wandb.apis.InternalApi", lambda: server)
    monkeypatch.setattr(wandb_agent.Agent, "POLL_INTERVAL", 0.05)
    wandb_agent.Agent(server, multiprocessing.Queue(), sweep_id="sweep1", count=1).run()
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["task"]["module"]["optimizer"]["lr"] == 0.0012
    assert json.loads((tmp_path / "run" / "run.json").read_text())["id"] == "agents01"
    assert [path.name[-8:] for path in (tmp_path / "run").rglob("offline-run-*")] == ["agents01"]
