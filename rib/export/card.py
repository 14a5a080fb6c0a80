"""A model's card: what it is, what goes in and out, where it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import rib
from rib.engine.checkpoints import KEY, read_checkpoint
from rib.engine.loggers.csv_logger import read_metrics
from rib.engine.run_folder.data_fingerprint import describe_data_fingerprint
from rib.export.model import SHIPPED, ExportedModel

UNSTATED = "not stated"
UNMEASURED = "not measured: no onnxruntime"


def export_card(model: ExportedModel, name: str, licence: str | None, differs: float | None) -> str:
    """A model's card, in Markdown.

    Args:
        model: What was exported.
        name: The file's name.
        licence: What the user states, or None.
        differs: See `rib.export.formats.export_difference`; None where nothing could read the file.
    """
    facts = origin_of_exported_model(model)
    num_parameters = sum(parameter.numel() for parameter in model.net.parameters())
    checked = f"{differs:.1e} of the largest output" if differs is not None else UNMEASURED
    rows = {
        "file": f"`{name}`, {num_parameters / 1e6:.2f} M parameters",
        "net": f"`{json.dumps(model.recipe)}`",
        "data": facts.get("data", UNSTATED),
        "licence": licence or facts.get("licence", f"{UNSTATED}; `licence=` of `rib export` states it"),
        "command": f"`{facts['command']}`" if "command" in facts else UNSTATED,
        "commit": facts.get("commit", UNSTATED),
        "metrics": facts.get("metrics", UNSTATED),
        "steps": facts.get("steps", UNSTATED),
        "written by": f"rib {rib.__version__}",
        "differs from torch by": checked,
    }
    return "\n".join(
        [
            *(f"# A {model.kind} net of rib", "", *_table("", "", rows)),
            *("", "## Inputs", "", *_table("name", "shape, unit", model.core.INPUTS)),
            *("", "## Outputs", "", *_table("name", "shape, unit", model.core.OUTPUTS)),
            *(*_own_card(model), ""),
        ]
    )


def origin_of_exported_model(model: ExportedModel) -> dict[str, str]:
    """Data, licence, command, commit, metrics and steps of a model, as far as its file and its run tell."""
    if model.path.suffix == ".safetensors":
        return {k: str(v) for k, v in model.header.items() if k not in ("recipe", "facts", "format")}
    content = read_checkpoint(model.path)
    known = content.get(KEY)
    told = describe_data_fingerprint(known.get("fingerprint")) if isinstance(known, Mapping) else ""
    steps = content.get("global_step")
    facts = {"data": told, "steps": str(steps) if isinstance(steps, int) else ""}
    facts |= _run(model.path.absolute().parent.parent, steps if isinstance(steps, int) else None)
    return {key: value for key, value in facts.items() if value}


def _run(folder: Path, steps: int | None) -> dict[str, str]:
    """What the run folder that a checkpoint lies in tells."""
    start, code = _json(folder / "start.json"), _json(folder / "git.json")
    command = start.get("command")
    words = command if isinstance(command, list) else []
    return {
        "command": " ".join(["rib", *map(str, words[1:])]) if words else "",
        "commit": str(code.get("commit", "")),
        "metrics": _metrics(folder / "metrics.csv", steps),
    }


def _metrics(path: Path, steps: int | None) -> str:
    """The last numbers of validation that were logged up to a step."""
    if not path.is_file():
        return ""
    last = {
        name: [value for step, value in rows if steps is None or step <= steps][-1:]
        for name, rows in read_metrics(path).items()
        if name.startswith(("val/", "test/"))
    }
    return ", ".join(f"{name} {value[0]:.4g}" for name, value in sorted(last.items()) if value)


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _table(left: str, right: str, rows: Mapping[str, str]) -> Iterator[str]:
    yield f"| {left} | {right} |"
    yield "|---|---|"
    for name, text in rows.items():
        shown = " ".join(str(text).split()).replace("|", "\\|")
        yield f"| {name} | {shown} |"


def _own_card(model: ExportedModel) -> list[str]:
    """The card that weights that come with rib have already, below the one that is made here."""
    if model.path not in [find() for find in SHIPPED.values()]:
        return []
    text = model.path.with_name("card.md").read_text(encoding="utf-8")
    return ["", "---", "", *(f"#{line}" if line.startswith("#") else line for line in text.splitlines())]
