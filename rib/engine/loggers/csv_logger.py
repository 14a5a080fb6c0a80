"""metrics.csv: one row a number, appended as it comes, so that a killed run keeps what it logged."""

from __future__ import annotations

import csv
from argparse import Namespace
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from rib.io.files.whole import write_errors_in_one_line, write_file_whole


class CsvLogger(Logger):
    """Appends `step,epoch,name,value` rows to <folder>/metrics.csv; a resumed run goes on in the same file.

    Args:
        folder: The run folder.
    """

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.path = Path(folder) / "metrics.csv"

    @property
    def name(self) -> str:
        """The logger's name."""
        return "rows"

    @property
    def version(self) -> str:
        """The run folder's name."""
        return self.path.parent.name

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Append one row a metric."""
        epoch = metrics.get("epoch", "")
        told = [[step, epoch, name, value] for name, value in metrics.items() if name != "epoch"]
        with write_errors_in_one_line(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            header = [] if self.path.exists() else [["step", "epoch", "name", "value"]]
            with self.path.open("a", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([*header, *told])

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Nothing: the run folder holds the whole config."""


def drop_metrics_from_step(path: Path, step: int, validation_comes_again: bool = False) -> None:
    """Drop the rows of a step and of all after it: a run that goes on from before logs them again.

    Args:
        path: A metrics.csv, or where there will be one.
        step: How many steps the checkpoint has behind it; the first step is 0.
        validation_comes_again: Whether the run will validate the last of these steps (again).
    """
    first = {"val": step - validation_comes_again}
    if not path.is_file():
        return
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    kept = [r for r in rows if len(r) == len(header) and int(r[0]) < first.get(r[2].partition("/")[0], step)]
    if len(kept) == len(rows):
        return
    with write_file_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *kept])


def read_metrics(path: Path) -> dict[str, list[tuple[int, float]]]:
    """Read a metrics.csv: by name, (step, value) in the order logged."""
    found: dict[str, list[tuple[int, float]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["name"], []).append((int(row["step"]), float(row["value"])))
    return found
