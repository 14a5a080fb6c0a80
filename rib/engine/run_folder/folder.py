"""Files of a run folder besides its config: versions, the state of the code, the log."""

from __future__ import annotations

import itertools
import json
import logging
import platform
import shlex
import sys
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import rib
from rib.engine.run_folder.code_state import write_code_state
from rib.engine.run_folder.identity import identify_run
from rib.io.files.whole import write_errors_in_one_line, write_text_whole


def claim_run_folder(folder: Path) -> Path:
    """Make a folder that no other run has, however many begin in the same second.

    Args:
        folder: The one wanted.

    Returns:
        It, or the first of `<folder>_2`, `<folder>_3`, ... that was not there.

    Raises:
        OSError: It cannot be made.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        claimed = folder if number == 1 else folder.with_name(f"{folder.name}_{number}")
        with suppress(FileExistsError):
            claimed.mkdir()
            break
    return claimed


def open_run_folder(folder: Path, config: dict[str, Any]) -> None:
    """Write config.json, start.json, run.json, versions.json and the state of the code; log into log.txt.

    Args:
        folder: The run's folder, made if needed.
        config: The settings, resolved.

    Raises:
        RibError: The folder cannot be written to.
    """
    with write_errors_in_one_line(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_text_whole(folder / "config.json", json.dumps(config, indent=2, default=str) + "\n")
    start = {
        "folder": str(Path.cwd()),
        "command": sys.argv,
        "repeat": f"rib repeat {shlex.quote(str(folder))}",
    }
    write_text_whole(folder / "start.json", json.dumps(start, indent=2) + "\n")
    identify_run(folder, config.get("run"))
    versions = {d.metadata["Name"]: d.version for d in distributions() if d.metadata["Name"]}
    facts = {"python": platform.python_version(), "platform": platform.platform(), "rib": rib.__version__}
    write_text_whole(
        folder / "versions.json",
        json.dumps({**facts, "packages": dict(sorted(versions.items()))}, indent=2) + "\n",
    )
    write_code_state(folder, config.get("plugins", ()))
    _log_into(folder / "log.txt")


class _LogFile(logging.FileHandler):
    """A log that says nothing on the terminal where its disk is full: what counts is written otherwise."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        pass


def _log_into(path: Path) -> None:
    """Send our own and Lightning's messages to a file; the terminal keeps the progress bar."""
    handler = _LogFile(path, delay=True, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in ("rib", "pytorch_lightning", "lightning"):
        logger = logging.getLogger(name)
        for old in [h for h in logger.handlers if isinstance(h, logging.FileHandler)]:
            logger.removeHandler(old)
            old.close()
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
