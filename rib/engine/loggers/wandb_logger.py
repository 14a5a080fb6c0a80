"""Weights & Biases that no run waits for: offline unless asked, or where the server does not answer."""

from __future__ import annotations

import json
import logging
import os
import threading
import urllib.error
import urllib.request
from argparse import Namespace
from pathlib import Path
from typing import Annotated, Any

from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from rib.engine.run_folder.identity import read_run_identity
from rib.io.errors import RibError
from rib.io.settings.ranges import Range

log = logging.getLogger(__name__)
SAVED = ("config.json", "versions.json", "git.json", "git.diff", "project.json", "project.diff")
"""What a run folder says about its run (rib.engine.run_folder.folder)."""


class WandbRun(WandbLogger):
    """One run of W&B for one run of ours, with its resolved config, the commit and what was not committed.

    Args:
        project: W&B's project.
        name: The run's name there.
        folder: The run folder.
        offline: Write into the run folder only; `wandb sync` uploads it later.
        group: Runs of one name stand together; null takes the sweep's folder, for runs of a sweep.
        checkpoints: Upload the best checkpoints and the last as artifacts, when online.
        patience_s: How long to wait for the server at the start, and at the end for what is not uploaded yet.
        entity: The user or team there; null takes the key's own.
        job_type: What kind of run it is, to filter by.

    The run's id, tags and notes are those of the run folder (run.json): a run that goes on in its folder is
    the same run there.

    Raises:
        RibError: Online was asked for and there is no key.
    """

    def __init__(
        self, project: str, name: str, folder: str, offline: bool, group: str | None, checkpoints: bool,
        patience_s: Annotated[float, Range(0, 86400)], entity: str | None = None, job_type: str | None = None,
    ) -> None:  # fmt: skip
        self.folder = Path(folder)
        known = read_run_identity(self.folder)
        online = not offline and self._can_be_online(patience_s)
        group = group or (known.group if known else None)
        if group is None and self.folder.name.isdigit():
            group = self.folder.parent.name
        told: dict[str, Any] = {}
        if known:
            told = {"tags": list(known.tags) or None, "notes": known.notes, "id": known.id}
        super().__init__(
            project=project, name=name, save_dir=folder, group=group, log_model=online and checkpoints,
            mode="online" if online else "offline", settings=_settings(patience_s), entity=entity,
            job_type=job_type, **told,
        )  # fmt: skip

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace) -> None:
        """The whole resolved config, flat, with the commits; the module's own settings are among them."""
        run = self.experiment
        for file in (self.folder / name for name in SAVED):
            if file.is_file():
                run.save(str(file), base_path=str(self.folder), policy="now")
        run.config.update(_facts(self.folder) or params, allow_val_change=True)

    @rank_zero_only
    def log_score(self, value: float, step: int) -> None:
        """Log what a sweep of W&B judges the run by, as `score`."""
        self.experiment.log({"score": value, "trainer/global_step": step})

    @staticmethod
    def _can_be_online(patience_s: float) -> bool:
        import wandb

        if not wandb.api.api_key:
            raise RibError(
                "logger.wandb.offline=false, but there is no key",
                "type `wandb login`, or leave it offline and `wandb sync` later",
            )
        server = os.environ.get("WANDB_BASE_URL") or str(wandb.setup().settings.base_url)
        if wandb_server_answers(server, patience_s):
            return True
        log.warning("%s does not answer: this run is logged offline; `wandb sync` uploads it later", server)
        return False


def _facts(folder: Path) -> dict[str, Any]:
    """The settings of a run folder at the top, and the commits of rib and of the user's project."""
    found: dict[str, Any] = {}
    for name in ("config", "git", "project"):
        if (file := folder / f"{name}.json").is_file():
            content = json.loads(file.read_text(encoding="utf-8"))
            found |= content if name == "config" else {name: content}
    return found


def wandb_server_answers(url: str, patience_s: float) -> bool:
    """Whether a server answers at all in time; looking its name up counts.

    Args:
        url: http or https; proxies of the environment are used.
        patience_s: Seconds to wait.
    """
    heard = threading.Event()

    def ask() -> None:
        try:
            urllib.request.urlopen(url, timeout=patience_s).close()  # the user's own server
        except urllib.error.HTTPError:
            pass  # a refusal is an answer
        except (OSError, ValueError):
            return
        heard.set()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(patience_s)
    return heard.is_set()


def _settings(patience_s: float) -> Any:
    import wandb

    fields: dict[str, Any] = {
        "init_timeout": patience_s,
        "finish_timeout": patience_s,
        "finish_timeout_raises": False,
    }
    known = getattr(wandb.Settings, "model_fields", {})
    return wandb.Settings(**{key: value for key, value in fields.items() if key in known})
