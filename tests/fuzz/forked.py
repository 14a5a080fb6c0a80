"""Run `rib` in a fork of this process: nothing is imported anew, what hangs or crashes is only the fork."""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import os
import pickle
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from module_lists import import_module_list, write_module_list

HANG_S, IDLE_S = 10, 60
"""Processor seconds of a case, and wall seconds on a machine that others use too."""
MEMORY_GB = 6
"""Beyond this allocations fail: no input of a few kilobytes needs more."""
HUNG = 124
QUIET = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)


_COMPOSED: dict[Any, bytes] = {}
"""What Hydra composed of words that a fork has typed before, for later forks: it is half of a case's time."""


class HangError(BaseException):
    """A case ran for too long; no `except Exception` holds it."""


def run(arguments: Sequence[str], folder: Path, modules: Path | None = None) -> tuple[int, str, str]:
    """Run `rib <arguments>` in a folder.

    Args:
        arguments: What is typed after `rib`.
        folder: Where.
        modules: Written: the names of all modules that were imported at its end.

    Returns:
        The exit code (minus the number of the signal that ended it, or `HUNG`), stdout and stderr; in that
        also warnings, and the line of Python that had called what hung or crashed.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            _be_the_command(list(arguments), folder, (out.fileno(), err.fileno()), modules)
        code = _ended(child)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    return HUNG if code in (-signal.SIGKILL, -signal.SIGVTALRM) else code, texts[0], texts[1]


def import_what_it_imports(arguments: Sequence[str], folder: Path) -> tuple[int, str, str]:
    """Run `rib` as `run` does, and import here what it did, so that later forks have it."""
    from rib.config.schema import register_config_roots

    register_config_roots()
    with tempfile.NamedTemporaryFile("r") as names:
        ended = run(arguments, folder, Path(names.name))
        import_module_list(Path(names.name))
        composed = Path(f"{names.name}.composed")
        if composed.exists():
            _COMPOSED.update(pickle.loads(composed.read_bytes()))
            composed.unlink()
    return ended


def _ended(child: int) -> int:
    """Wait for a fork, and kill it with all that it started when it takes too long."""
    until = time.monotonic() + IDLE_S
    while not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        if time.monotonic() > until:
            break
        time.sleep(0.005)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _be_the_command(
    arguments: list[str], folder: Path, streams: tuple[int, int], modules: Path | None
) -> NoReturn:
    code = 2
    try:
        os.setsid()
        for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), *streams)):
            os.dup2(file, number)
        sys.stdin, sys.stdout, sys.stderr = (
            open(number, mode, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
            for number, mode in enumerate("rww")
        )
        os.chdir(folder)
        gc.disable()  # cases are short, and looking through all that is imported is half of a short one
        _limit()
        with warnings.catch_warnings():
            warnings.resetwarnings()
            for quiet in QUIET:
                warnings.simplefilter("ignore", quiet)
            warnings.showwarning = _show
            _compose_once(record=modules is not None)
            code = _exit_code(arguments)
        if modules is not None:
            write_module_list(modules)
            Path(f"{modules}.composed").write_bytes(pickle.dumps(_COMPOSED))
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(code)


def _exit_code(arguments: list[str]) -> int:
    from hydra._internal.hydra import Hydra
    from hydra.types import RunMode

    from rib.commands.__main__ import main

    # Hydra composes everything a first time to learn this: half the time of a case, and no case is a sweep
    Hydra.get_mode = lambda *_, **__: RunMode.RUN
    sys.argv = ["rib", *arguments]
    try:
        main()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except HangError as hang:
        print(hang, file=sys.stderr)
        return HUNG
    return 0


def _compose_once(record: bool) -> None:
    """Let Hydra give again what it composed of the same words, in this folder."""
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from omegaconf import open_dict, read_write

    compose = ConfigLoaderImpl.load_configuration

    def load(loader: Any, config_name: str | None, overrides: list[str], run_mode: Any, **more: Any) -> Any:
        key = (config_name, tuple(overrides), run_mode)
        if key not in _COMPOSED:
            config = compose(loader, config_name, overrides, run_mode, **more)
            if record:
                _COMPOSED[key] = pickle.dumps(config)
            return config
        config = pickle.loads(_COMPOSED[key])
        with read_write(config.hydra), open_dict(config.hydra):
            config.hydra.runtime.cwd = str(Path.cwd())
        return config

    ConfigLoaderImpl.load_configuration = load


def _show(message: Warning | str, category: type[Warning], *_: Any) -> None:
    print(f"{category.__name__}: {message}", file=sys.stderr)


def _limit() -> None:
    """End this process after `HANG_S`: by an exception, or by a signal where a library does not come back."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise HangError(f"at {frame.f_code.co_filename}:{frame.f_lineno}" if frame else "")

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_GB * 10**9,) * 2)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, HANG_S)
    faulthandler.enable(2)
    signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
    faulthandler.register(signal.SIGVTALRM, 2, all_threads=False, chain=True)
    signal.setitimer(signal.ITIMER_VIRTUAL, HANG_S + 2)
