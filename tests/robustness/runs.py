"""Commands as processes of their own, forked from this one so that nothing is imported anew, and killed."""

from __future__ import annotations

import atexit
import contextlib
import os
import random
import re
import resource
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from module_lists import import_module_list, write_module_list

KILLS = 30 if os.environ.get("RIB_THOROUGH") else 3
"""How often each command is killed; `make thorough` sets the variable."""
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
HELD = {signal.SIGTERM, signal.SIGINT}
"""Blocked but for the time that the command itself runs, so that every exit code is its own."""
LEFTOVER = re.compile(r".*\.(part|lock|making)(\..*)?|\.old.*|rib-.*")


_IMPORTED: set[str] = set()


@dataclass(frozen=True)
class Kill:
    """One kill: its number, the signal, and when, as a share of the time that an undisturbed run takes."""

    number: int
    signal: signal.Signals
    moment: float

    def __str__(self) -> str:
        return f"{self.number}-{self.signal.name}-{self.moment:.3f}"


def kills(command: str) -> list[Kill]:
    """Seeded by the command's name."""
    draw = random.Random(f"kills of {command}")
    return [Kill(n, SIGNALS[n % len(SIGNALS)], draw.uniform(0.0, 1.0)) for n in range(KILLS)]


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        code: Its exit code, or minus the number of the signal that ended it.
        err: Its stderr.
        seconds: How long it took.
        orphans: The processes of its session that still live 10 s later.
    """

    code: int
    err: str
    seconds: float
    orphans: list[str]


def run(
    folder: Path,
    arguments: Sequence[str],
    kill: tuple[float, signal.Signals] | None = None,
    largest_file: int | None = None,
) -> Ended:
    """Run `rib <arguments>` in a folder of its own, and send it a signal after so many seconds.

    `largest_file` is a limit in bytes, which a write meets as it meets a full disk. What the first
    undisturbed run of a verb imports stays imported here.
    """
    modules = folder.parent / "log" / "modules.txt"
    first = kill is None and largest_file is None and arguments[0] not in _IMPORTED
    for name in ("tmp", "log"):
        (folder.parent / name).mkdir(exist_ok=True)
    err = folder.parent / "log" / "stderr.txt"
    begun = time.monotonic()
    signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
    err.write_text("")  # a child that is killed at once has not opened it
    child = os.fork()
    if child == 0:
        _be_the_command(folder, arguments, err, largest_file, modules if first else None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
    if kill is not None:
        _wait(child, begun + kill[0])
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, kill[1])
    _, status = os.waitpid(child, 0)
    seconds = time.monotonic() - begun
    if first:
        _IMPORTED.add(arguments[0])
        import_module_list(modules)
    return Ended(os.waitstatus_to_exitcode(status), err.read_text(), seconds, _left_running(child))


def _wait(child: int, until: float) -> None:
    """Until the moment has come or the process has ended, without reaping it."""
    while time.monotonic() < until:
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return
        time.sleep(0.002)


def _be_the_command(
    folder: Path, arguments: Sequence[str], err: Path, largest_file: int | None, modules: Path | None
) -> None:
    code = 2
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
        os.setsid()
        os.chdir(folder)
        os.environ["TMPDIR"] = str(folder.parent / "tmp")
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for number, path in ((0, os.devnull), (1, os.devnull), (2, str(err))):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666), number)
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, m) for n, m in ((0, "r"), (1, "w"), (2, "w")))
        from hydra._internal.hydra import Hydra
        from hydra.types import RunMode

        from rib.commands.__main__ import dispatch_verb
        from rib.config.exit_codes import exit_code

        # Hydra composes everything a first time to learn this, and no case is a sweep
        Hydra.get_mode = lambda *_, **__: RunMode.RUN

        def call() -> None:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
            try:
                dispatch_verb(list(arguments))
            finally:
                signal.pthread_sigmask(signal.SIG_BLOCK, HELD)

        code = exit_code(call)
        if modules is not None:
            write_module_list(modules)
        atexit._run_exitfuncs()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _left_running(session: int, seconds: float = 10.0) -> list[str]:
    deadline = time.monotonic() + seconds
    while (found := list(_running(session))) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def _running(session: int) -> Iterator[str]:
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit():
                state, _, _, its = (process / "stat").read_text().rpartition(")")[2].split()[:4]
                if int(its) == session and state != "Z":
                    yield (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()


def leftovers(folder: Path) -> list[str]:
    """What is only there while something is made."""
    return [str(path) for path in folder.rglob("*") if LEFTOVER.fullmatch(path.name)]


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its path, with its content."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
