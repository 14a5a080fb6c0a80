"""Tests see the house through its doors: no private member, and nothing of our own replaced."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent
OF_PYTHON = {"os._exit", "atexit._run_exitfuncs"}
"""The only way to end a forked process."""

REPLACED = {
    "benchmark/test_benchmark_run.py": 2,
    "commands/test_demo.py": 1,
    "config/test_repeat.py": 1,
    "datasets/test_prepare_clips.py": 2,
    "engine/test_fit.py": 1,
    "engine/test_preemption.py": 1,
    "engine/test_renderer_fit.py": 1,
    "engine/test_sweeps.py": 1,
    "evaluation/test_evaluation_of_clips.py": 4,
    "io/test_hdf5_trial.py": 2,
    "io/test_models.py": 1,
    "motion/test_motion_training.py": 2,
    "pipeline/test_batch.py": 1,
    "pipeline/test_prepare_refiner.py": 2,
    "pipeline/test_report.py": 2,
    "render/test_net_reference.py": 1,
    "render/test_reference_stage.py": 1,
    "render/test_renderer_losses.py": 1,
    "render/test_renderer_module.py": 2,
    "render/test_video_logging.py": 1,
}
"""How many names of our own a file still replaces; to be lowered with each that goes, never to be raised."""


@cache
def trees() -> list[tuple[str, ast.Module]]:
    """Every file of the tests by its name, parsed."""
    paths = sorted(TESTS.rglob("*.py"))
    return [
        (path.relative_to(TESTS).as_posix(), ast.parse(path.read_text(encoding="utf-8"))) for path in paths
    ]


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def own_names(tree: ast.Module) -> set[str]:
    """What a file itself defines or sets."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def private_names(tree: ast.Module) -> Iterator[str]:
    """Private members of others that a file reads, imports or names in a string."""
    own = own_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own:
            yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rib"):
            yield from (f"{node.module}.{alias.name}" for alias in node.names if is_private(alias.name))
        elif isinstance(node, ast.Call) and _called(node) in ("getattr", "setattr"):
            words = [one.value for one in node.args[:2] if isinstance(one, ast.Constant)]
            yield from (w for w in words if isinstance(w, str) and is_private(w.rpartition(".")[2]))


def replaced_names(tree: ast.Module) -> Iterator[str]:
    """Names of the package for which a file puts something else, by `monkeypatch.setattr` and its kin."""
    ours = {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if (getattr(node, "module", None) or alias.name).partition(".")[0] == "rib"
    }
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and _called(node) in ("setattr", "patch") and node.args):
            continue
        where = node.args[0]
        if isinstance(where, ast.Constant):
            if isinstance(where.value, str) and where.value.startswith("rib."):
                yield where.value
        elif ast.unparse(where).partition(".")[0] in ours and "importlib" not in ast.unparse(where):
            name = node.args[1].value if isinstance(node.args[1], ast.Constant) else "?"
            yield f"{ast.unparse(where)}.{name}"


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def test_no_test_reaches_into_private_members() -> None:
    found = {
        f"{file}: {name}" for file, tree in trees() for name in private_names(tree) if name not in OF_PYTHON
    }
    assert not found, "\n".join(sorted(found))


def test_no_more_of_our_own_is_replaced_than_before() -> None:
    for file, tree in trees():
        found = sorted(set(replaced_names(tree)))
        assert len(found) <= REPLACED.get(file, 0), f"{file} replaces {', '.join(found)}"
