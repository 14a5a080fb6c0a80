"""Run `rib` on inputs of strangers, and hold what it answers against the one law.

The law: exit code 0 or 1; with 1 exactly one line on stderr, with 0 none (a line an epoch of training aside);
no traceback; no hang; nothing half-made where it works. `Campaign` runs many cases and tells every kind of
fault at its end, not the first.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import forked
from hypothesis import HealthCheck, Phase, settings

THOROUGH = bool(os.environ.get("RIB_THOROUGH"))
RUNS = int(os.environ.get("RIB_CASES", 1000 if THOROUGH else 100))
"""Cases a kind in forks of this process; `make thorough` sets RIB_THOROUGH."""
PROCESSES = 20 if THOROUGH else 3
"""How many of them are run as a process of their own too; each costs seconds of imports."""
LEFTOVER = re.compile(r"\.part(\.|$)|^\.(?!rib-).*-[a-z0-9_]{8}$")
PYTHONS = re.compile(
    r"codec can't|int_max_str|recursion depth|NoneType|has no attribute|not subscriptable|<class '|"
    r"unexpected keyword|positional argument|unhashable"
)
"""Words of a programmer's, which tell a user nothing."""
LONGEST_LINE = 1500

FUZZ = settings(
    max_examples=RUNS, derandomize=True, database=None, deadline=None,
    phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck),
)  # fmt: skip
"""The same cases every time; a case that fails is told as it is, since its file is what one looks at."""


PROGRESS = re.compile(r"(run \d+, )?epoch \d+( of \d+)?, step \d+: ")
"""The line an epoch of a training whose stderr is no terminal."""


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
        lines = [line for line in self.err.strip().splitlines() if not PROGRESS.match(line)]
        if self.code == forked.HUNG:
            return f"hangs: {lines[-1] if lines else ''}"
        if "Traceback" in self.err or self.code not in (0, 1):
            return f"exit {self.code}: {lines[-1] if lines else ''}"
        if self.code == 1 and len(lines) != 1:
            return f"exit 1 with {len(lines)} lines: {' / '.join(lines[:3])}"
        if named := re.search(r"\w+(Error|Exception|Warning)\b", self.err):
            return f"exit {self.code}, but the line is a program's ({named[0]}): {lines[0]}"
        if self.code == 1 and (named := PYTHONS.search(self.err)):
            return f"exit 1, but the line holds Python's words ({named[0]}): {lines[0]}"
        if self.code == 1 and len(lines[0]) > LONGEST_LINE:
            return f"exit 1 with a line of {len(lines[0])} characters"
        if self.code == 0 and lines:
            return f"exit 0, but says on stderr: {lines[0]}"
        return ""


def call(*arguments: str, folder: Path) -> Outcome:
    """Run `rib` in a fork of this process, in a folder, as its console script does."""
    return Outcome(arguments, *forked.run(arguments, folder))


def start(*arguments: str, folder: Path) -> Outcome:
    """Run `rib` as a process of its own, in a folder."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rib.commands", *arguments], cwd=folder, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    try:
        out, err = process.communicate(timeout=forked.IDLE_S)
        return Outcome(arguments, process.returncode, out, err)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return Outcome(arguments, forked.HUNG, *process.communicate())


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
        self._every = -(-RUNS // processes) if processes else 0
        self._count = 0
        self._again: list[tuple[int, Callable[[Path], list[str]], str]] = []
        self._begun_s = _processor_s()

    def whole(self, prepare: Callable[[Path], list[str]]) -> None:
        """What is going to be spoiled, as it was before: it ends well, and what it imports stays imported."""
        folder = self.root / "whole"
        folder.mkdir(parents=True)
        words = prepare(folder)
        outcome = Outcome(tuple(words), *forked.import_what_it_imports(words, folder))
        assert (outcome.code, outcome.fault) == (0, ""), f"{folder}: {outcome}"
        shutil.rmtree(folder)

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
            self._again.append((number, prepare, result))

    def close(self) -> None:
        """Run the processes, say how many cases there were, and fail if one broke the law."""
        with ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(self._case, self.root / f"process{number}", prepare, result, start)
                    for number, prepare, result in self._again]  # fmt: skip
            for job in jobs:
                job.result()
        told = ", ".join(f"{count} x exit {code}" for code, count in sorted(self.codes.items()))
        spent = f"{_processor_s() - self._begun_s:.0f} s of a processor"
        print(f"fuzz {self.kind}: {self._count} cases, {len(jobs)} processes: {told}; {spent}")
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


def _processor_s() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
