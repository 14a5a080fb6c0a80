"""A run's identity: it stays the same however often the run is stopped and gone on with in its folder."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rib.io.files.whole import write_text_whole

NAME = "run.json"


@dataclass(frozen=True)
class RunIdentity:
    """Id and words that a run is known by.

    Attributes:
        id: Eight characters, also the id of its run in Weights & Biases.
        tags: Words to find it by.
        notes: Why it was made.
        group: Runs of one group stand together.
    """

    id: str
    tags: tuple[str, ...] = ()
    notes: str | None = None
    group: str | None = None


def identify_run(folder: Path, wanted: Mapping[str, Any] | None = None) -> RunIdentity:
    """Read the identity that a run folder has, or give it one.

    Args:
        folder: The run folder, which exists.
        wanted: The setting `run`; its id counts for a new run, the rest for one that goes on too. An agent
            of a sweep of Weights & Biases has chosen an id already.
    """
    asked = {key: value for key, value in (wanted or {}).items() if value}
    before = read_run_identity(folder)
    known = {} if before is None else {k: v for k, v in asdict(before).items() if v}
    agent = os.environ.get("WANDB_RUN_ID") if os.environ.get("WANDB_SWEEP_ID") else None
    found = {"id": agent or secrets.token_hex(4), **asked, **({"id": known["id"]} if known else {})}
    identity = RunIdentity(**{**known, **found, "tags": tuple(found.get("tags", known.get("tags", ())))})
    write_text_whole(folder / NAME, json.dumps(asdict(identity), indent=2) + "\n")
    return identity


def read_run_identity(folder: Path) -> RunIdentity | None:
    """What run.json says, or None where there is none that can be read."""
    try:
        content: Any = json.loads((folder / NAME).read_text(encoding="utf-8"))
        identity = RunIdentity(**{**content, "tags": tuple(content.get("tags") or ())})
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return identity if isinstance(identity.id, str) and identity.id else None
