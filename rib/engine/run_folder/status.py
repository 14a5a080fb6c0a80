"""status.json of a run folder: how far the run came, for sweeps that go on and jobs that start again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rib.io.files.whole import write_text_whole

NAME = "status.json"
RUNNING, FINISHED, FAILED, STOPPED, PREEMPTED = "running", "finished", "failed", "stopped", "preempted"
PRUNED = "pruned"
DONE = (FINISHED, PRUNED)
"""States of a run that nothing is left to do for."""


@dataclass(frozen=True)
class RunStatus:
    """Progress of a run.

    Attributes:
        state: "running" (or killed while it was), "finished", "pruned" by a sweep, "failed", "stopped" by
            Ctrl-C or a signal, or "preempted": the cluster took the machine away and will give it back.
        score: `optimize.metric` at the validation that counts, where the run is done and logged it.
        error: Why it failed.
        seconds: How long it took, since it was last started.
        overrides: What a sweep set for this run, `key=value`.
        pid: The process that leads the run, which saves and leaves on SIGUSR2.
        step: Optimizer steps behind the validation that counts.
        metrics: Every number logged at that validation, by its name.
    """

    state: str
    score: float | None = None
    error: str | None = None
    seconds: float | None = None
    overrides: tuple[str, ...] = ()
    pid: int | None = None
    step: int | None = None
    metrics: dict[str, float] = field(default_factory=dict)


def write_run_status(folder: Path, status: RunStatus) -> None:
    """Write status.json, whole or not at all."""
    write_text_whole(folder / NAME, json.dumps(asdict(status), indent=2) + "\n")


def read_run_status(folder: Path) -> RunStatus | None:
    """Read status.json; None where there is none that can be read."""
    try:
        content: Any = json.loads((folder / NAME).read_text(encoding="utf-8"))
        if not isinstance(content, Mapping):
            return None
        return RunStatus(**{**content, "overrides": tuple(content.get("overrides", ()))})
    except (OSError, ValueError, TypeError):
        return None
