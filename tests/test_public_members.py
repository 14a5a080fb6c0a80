"""Tests see the house through its doors: no private member, and nothing of our own replaced."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
OF_PYTHON = {"os._exit", "atexit._run_exitfuncs"}
"""The only way to end a forked process."""

REPLACED = {
    # what starts a command's work, so that a study of settings need not do the work
    "config/test_repeat.py": ["rib.commands.interpolate.task"],
    # the program that reads strangers' files: no file that crashes HDF5 as it is installed is known
    "io/test_hdf5_trial.py": ["rib.io.hdf5.trial.PROBE"],
    # the pinned hashes of packages of 100 MB
    "io/test_models.py": ["models.pinned_weight_hashes"],
    # the published net's size: 400 MB of weights
    "render/test_net_reference.py": ["rib.render.nets.published.RECIPE"],
}
"""Names of our own that a file still replaces, and why; one that goes is taken out here, none comes in."""
FORMS = ("setattr", "delattr", "setitem", "patch", "object", "dict", "multiple")
"""Calls that put something else in the place of a name: monkeypatch's, unittest.mock's, Python's own."""


@cache
def trees() -> list[tuple[str, ast.Module]]:
    """Every file of the tests by its name, parsed."""
    paths = sorted(TESTS.rglob("*.py"))
    return [
        (path.relative_to(TESTS).as_posix(), ast.parse(path.read_text(encoding="utf-8"))) for path in paths
    ]


@cache
def nodes_of(tree: ast.Module) -> list[ast.AST]:
    return list(ast.walk(tree))


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def own_names(tree: ast.Module) -> set[str]:
    """What a file itself defines or sets."""
    names = set()
    for node in nodes_of(tree):
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
    for node in nodes_of(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own:
            yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rib"):
            yield from (f"{node.module}.{alias.name}" for alias in node.names if is_private(alias.name))
        elif isinstance(node, ast.Call) and _called(node) in ("getattr", "setattr"):
            words = [one.value for one in node.args[:2] if isinstance(one, ast.Constant)]
            yield from (w for w in words if isinstance(w, str) and is_private(w.rpartition(".")[2]))


def replaced_names(tree: ast.Module) -> Iterator[str]:
    """Names of the package for which a file puts something else, by a call of `FORMS`, by `=` or by `del`."""
    ours = names_of_ours(tree)
    for node in nodes_of(tree):
        if isinstance(node, ast.Call) and node.args and _called(node) in FORMS:
            yield from _replaced_by_call(node, ours)
        targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else []
        targets += [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else []
        for target in targets:
            if isinstance(target, ast.Attribute | ast.Subscript) and is_ours(target.value, ours):
                yield ast.unparse(target)


def names_of_ours(tree: ast.Module) -> set[str]:
    """What a file calls modules, classes and constants of the package, which all of its users share."""
    found: set[str] = set()
    for node in nodes_of(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "rib":
            for alias in node.names:
                found.add(alias.asname or alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "rib":
                    found.add(alias.asname or "rib")
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            words = [one.value for one in node.value.args[:1] if isinstance(one, ast.Constant)]
            if _called(node.value) == "import_module" and str(*words).partition(".")[0] == "rib":
                found |= {one.id for one in node.targets if isinstance(one, ast.Name)}
    return found


def is_ours(node: ast.expr, ours: set[str]) -> bool:
    """Whether an expression is a dotted name of the package's, or begins as one."""
    return ast.unparse(node).partition(".")[0].partition("[")[0] in ours


def _replaced_by_call(node: ast.Call, ours: set[str]) -> Iterator[str]:
    where = node.args[0]
    if isinstance(where, ast.Constant):
        if isinstance(where.value, str) and where.value.startswith("rib."):
            yield where.value
    elif is_ours(where, ours) and "importlib" not in ast.unparse(where):
        name = node.args[1] if len(node.args) > 1 else None
        yield f"{ast.unparse(where)}.{name.value if isinstance(name, ast.Constant) else '?'}"


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def test_no_test_reaches_into_private_members() -> None:
    found = {
        f"{file}: {name}" for file, tree in trees() for name in private_names(tree) if name not in OF_PYTHON
    }
    assert not found, "\n".join(sorted(found))


def test_nothing_of_our_own_is_replaced_but_what_is_listed_with_its_reason() -> None:
    found = {file: names for file, tree in trees() if (names := sorted(set(replaced_names(tree))))}
    assert found == REPLACED


@pytest.mark.parametrize(
    "line",
    [
        "monkeypatch.setattr('rib.io.cache.LIST', 1)", "monkeypatch.setattr(cache, 'LIST', 1)",
        "mock.patch.object(Cache, 'get')", "mock.patch('rib.io.cache.LIST')", "cache.LIST = 1",
        "monkeypatch.setitem(rib.io.cache.KINDS, 'a', 1)", "Cache.get = None", "del Cache.get",
        "monkeypatch.delattr(Cache, 'get')", "setattr(Cache, name, None)", "rib.io.cache.LIST += 1",
        "module.LIST = 1", "rib.io.cache.KINDS['a'] = 1", "LIST['a'] = 1",
        "mock.patch.dict(rib.io.cache.KINDS, a=1)",
    ],
)  # fmt: skip
def test_every_way_to_replace_something_is_seen(line: str) -> None:
    imports = "import rib.io.cache\nfrom rib.io import cache\nfrom rib.io.cache import LIST, Cache\n"
    by_name = "module = importlib.import_module('rib.io.cache')\n"
    assert len(list(replaced_names(ast.parse(imports + by_name + line)))) == 1


@pytest.mark.parametrize("line", ["made = Cache(1)\nmade.limit = 2", "settings['a'] = 1", "numpy.x = 1"])
def test_what_is_a_tests_own_may_be_changed(line: str) -> None:
    assert not list(replaced_names(ast.parse(f"from rib.io.cache import Cache\n{line}")))
