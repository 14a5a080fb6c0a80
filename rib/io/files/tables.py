"""Tables as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from rib.io.files.whole import write_file_whole


def rows_as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """A head with the columns' names and a line for each row; what a row lacks is empty.

    Args:
        columns: In order.
        rows: By column.
    """
    text = io.StringIO()
    _write(text, columns, rows)
    return text.getvalue()


def write_rows_whole(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write what `rows_as_csv` gives, a row at a time; the file appears whole.

    Args:
        path: The file.
        columns: In order.
        rows: By column.
    """
    with write_file_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        _write(file, columns, rows)


def _write(text: IO[str], columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
