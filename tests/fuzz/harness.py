"""Run `rib` on inputs of strangers, and hold what it answers against the one law.

The law: exit code 0 or 1; with 1 exactly one line on stderr, with 0 none; no traceback; no hang; nothing
half-made where it works. `Campaign` runs many cases and tells every kind of fault at its end, not the first.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from hypothesis import HealthCheck, Phase, settings

THOROUGH = bool(os.environ.get("RIB_THOROUGH"))
RUNS = 1000 if THOROUGH else 100
"""Cases a kind in this process; `make thorough` sets RIB_THOROUGH."""
PROCESSES = 20 if THOROUGH else 5
"""How many of them are run as a process of their own too; each costs seconds of imports."""
HANG_S, IDLE_S = 10, 60
"""Processor seconds of a case, and wall seconds on a machine that others use too."""
MEMORY_GB = 6
"""Beyond this allocations fail: no input of a few kilobytes needs more."""
LEFTOVER = re.compile(r"\.part(\.|$)|^\.(?!rib-).*-[a-z0-9_]{8}$")

FUZZ = settings(
    max_examples=RUNS, derandomize=True, database=None, deadline=None,
    phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck),
)  # fmt: skip
"""The same cases every time; a case that fails is told as it is, since its file is what one looks at."""


class HangError(BaseException):
    """A case ran for too long; no `except Exception` holds it."""


@dataclass(frozen=True)
class Outcome:
    """What a run of `rib` gave.

    Attributes:
        arguments: What was typed after `rib`.
        code: The exit code; 124 where it hung.
        out: Text on stdout.
        err: Text on stderr, warnings among it.
    """

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def fault(self) -> str:
        """What breaks the law, or ""."""
        lines = self.err.strip().splitlines()
        if self.code == 124:
            return f"hangs: {lines[-1] if lines else ''}"
        if "Traceback" in self.err or self.code not in (0, 1):
            return f"exit {self.code}: {lines[-1] if lines else ''}"
        if self.code == 1 and len(lines) != 1:
            return f"exit 1 with {len(lines)} lines: {' / '.join(lines[:3])}"
        if named := re.search(r"\w+(Error|Exception|Warning)\b", self.err):
            return f"exit {self.code}, but the line is a program's ({named[0]}): {lines[0]}"
        if self.code == 0 and lines:
            return f"exit 0, but says on stderr: {lines[0]}"
        return ""


def call(*arguments: str, folder: Path) -> Outcome:
    """Run `rib` in this process, in a folder, as its console script does."""
    from rib.commands.__main__ import main

    code = 0
    with _inside(folder, list(arguments)), _output() as told, _limits():
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        except HangError as hang:
            code = 124
            print(hang, file=sys.stderr)
    out, err = told()
    return Outcome(arguments, code, out, err)


def start(*arguments: str, folder: Path) -> Outcome:
    """Run `rib` as a process of its own, in a folder."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rib.commands", *arguments], cwd=folder, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    try:
        out, err = process.communicate(timeout=IDLE_S)
        return Outcome(arguments, process.returncode, out, err)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return Outcome(arguments, 124, *process.communicate())


def leftovers(folder: Path, result: str, code: int) -> str:
    """What a run left behind that it must not: temporary files, or a result though it failed; or ""."""
    for path in folder.rglob("*"):
        if LEFTOVER.search(path.name):
            return f"leaves {path.name}"
    if result and (folder / result).exists() != (code == 0):
        return f"exit {code}, but {result} {'exists' if code else 'does not exist'}"
    return ""


class Campaign:
    """Many cases of one kind.

    Args:
        kind: What is attacked, for the report.
        root: A folder for the cases; each has its own inside, which is gone when it has passed.
        result: What a case that ends well has made, and one that fails has not, below the case's folder;
            "" where that differs.
        processes: How many of the cases are run as processes besides.
    """

    def __init__(self, kind: str, root: Path, result: str = "out", processes: int = PROCESSES) -> None:
        self.kind, self.root, self.result = kind, root, result
        self.codes: Counter[int] = Counter()
        self.faults: dict[str, tuple[int, str]] = {}
        self._every = max(1, RUNS // processes) if processes else 0
        self._count = 0
        self._pool = ThreadPoolExecutor(2)
        self._jobs: list[Future[None]] = []

    def run(self, prepare: Callable[[Path], list[str]], result: str | None = None) -> None:
        """One case.

        Args:
            prepare: Writes the input into the folder it is given and says what to type.
            result: Another one than the campaign's; "" for none, where a failed run keeps its folder.
        """
        number, self._count = self._count, self._count + 1
        result = self.result if result is None else result
        self._case(self.root / f"{number}", prepare, result, call)
        if self._every and number % self._every == 0:
            folder = self.root / f"process{number}"
            self._jobs.append(self._pool.submit(self._case, folder, prepare, result, start))

    def close(self) -> None:
        """Wait for the processes, say how many cases there were, and fail if one broke the law."""
        for job in self._jobs:
            job.result()
        self._pool.shutdown()
        told = ", ".join(f"{count} x exit {code}" for code, count in sorted(self.codes.items()))
        print(f"fuzz {self.kind}: {self._count} cases, {len(self._jobs)} processes: {told}")
        assert not self.faults, "\n".join(
            [f"{self.kind}: {sum(n for n, _ in self.faults.values())} faults of {len(self.faults)} kinds"]
            + [f"  {n} x {fault}\n      {example}" for fault, (n, example) in self.faults.items()]
        )

    def _case(
        self, folder: Path, prepare: Callable[[Path], list[str]], result: str, run: Callable[..., Outcome]
    ) -> None:
        folder.mkdir(parents=True)
        outcome = run(*prepare(folder), folder=folder)
        self.codes[outcome.code] += 1
        fault = outcome.fault or leftovers(folder, result, outcome.code)
        if not fault:
            shutil.rmtree(folder)
            return
        kind = re.sub(r"\d+|/\S+|'[^']*'", "#", fault)[:160]
        count, _ = self.faults.get(kind, (0, ""))
        self.faults[kind] = count + 1, f"{folder}: {fault[:300]}"


@contextlib.contextmanager
def _inside(folder: Path, arguments: list[str]) -> Iterator[None]:
    before, argv = Path.cwd(), sys.argv
    os.chdir(folder)
    sys.argv = ["rib", *arguments]
    try:
        yield
    finally:
        os.chdir(before)
        sys.argv = argv


@contextlib.contextmanager
def _output() -> Iterator[Callable[[], tuple[str, str]]]:
    """Both streams, down to the file descriptors (libraries write there), and warnings beside them."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with _redirected(1, out), _redirected(2, err), warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("default")
            for quiet in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
                warnings.simplefilter("ignore", quiet)
            yield lambda: texts
        texts = tuple(_text(file) for file in (out, err))
        texts = texts[0], texts[1] + "".join(f"{w.category.__name__}: {w.message}\n" for w in warned)


@contextlib.contextmanager
def _redirected(descriptor: int, file: Any) -> Iterator[None]:
    name = {1: "stdout", 2: "stderr"}[descriptor]
    stream, saved = getattr(sys, name), os.dup(descriptor)
    stream.flush()
    os.dup2(file.fileno(), descriptor)
    setattr(sys, name, os.fdopen(os.dup(file.fileno()), "w", encoding="utf-8", errors="replace"))
    try:
        yield
    finally:
        getattr(sys, name).close()
        setattr(sys, name, stream)
        os.dup2(saved, descriptor)
        os.close(saved)


def _text(file: Any) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


@contextlib.contextmanager
def _limits() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        where = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else ""
        raise HangError(f"after {time.monotonic() - begin:.0f} s at {where}")

    begin = time.monotonic()
    before = [(which, signal.signal(which, stop)) for which in (signal.SIGALRM, signal.SIGPROF)]
    memory = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_used() + MEMORY_GB * 10**9, memory[1]))
    signal.setitimer(signal.ITIMER_REAL, IDLE_S)
    signal.setitimer(signal.ITIMER_PROF, HANG_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, memory)
        for which, handler in before:
            signal.signal(which, handler)


def _used() -> int:
    """Bytes of address space that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
