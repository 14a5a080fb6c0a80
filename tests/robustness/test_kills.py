"""Killed at random moments, and repeated: the result is that of a run that nobody disturbed."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runs import Kill, kills, leftovers, run
from small_commands import COMMANDS, Command, write_inputs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc"),
]
CASES = [(name, kill) for name in COMMANDS for kill in kills(name)]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def undisturbed(
    inputs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Command], tuple[Any, float]]:
    """What a command makes, and in how many seconds, by its name."""
    known: dict[str, tuple[Any, float]] = {}

    def of(command: Command) -> tuple[Any, float]:
        if command.name not in known:
            seconds = 0.0
            for time in range(2):
                folder = tmp_path_factory.mktemp(f"{command.name}{time}") / "work"
                folder.mkdir()
                ended = run(folder, command.arguments)
                assert (ended.code, ended.err, ended.orphans) == (0, "", []), ended
                seconds = max(seconds, ended.seconds)
            known[command.name] = command.result(folder), seconds
            assert known[command.name][0]
        return known[command.name]

    return of


@pytest.mark.parametrize(("name", "kill"), CASES, ids=[f"{name}-{kill}" for name, kill in CASES])
def test_a_killed_run_is_as_if_it_had_never_been(
    name: str, kill: Kill, inputs: Path, undisturbed: Callable[[Command], tuple[Any, float]], tmp_path: Path
) -> None:
    command = COMMANDS[name](inputs)
    wanted, seconds = undisturbed(command)
    folder = tmp_path / "work"
    for stranger in command.strangers:
        (folder / stranger).parent.mkdir(parents=True, exist_ok=True)
        (folder / stranger).write_text("somebody else's")
    ended = run(folder, command.arguments, (kill.moment * seconds, kill.signal))
    assert ended.orphans == []
    check_neighbours(command, folder)
    # Python itself ends on a signal once the command is over and its result whole
    over = ended.code == -kill.signal != -signal.SIGKILL and command.result(folder) == wanted
    if ended.code != 0 and not over:
        check_ended(command, kill, ended.code, ended.err, tmp_path, wanted)
        again = run(folder, command.arguments)
        assert again.code == 0 or (again.code == 1 and "overwrite" in again.err), again
        assert again.orphans == []
    assert command.result(folder) == wanted
    assert leftovers(tmp_path) == []
    check_neighbours(command, folder)


def check_ended(command: Command, kill: Kill, code: int, err: str, around: Path, wanted: Any) -> None:
    """What a run says and leaves when it is told to end: nothing, or the result that was whole already."""
    if kill.signal == signal.SIGKILL:
        assert code == -signal.SIGKILL
        return
    assert code == 128 + kill.signal
    assert err in ("", "stopped\n") if command.name == "train" else err == "stopped\n"
    assert leftovers(around) == []
    if command.name != "train":
        assert command.result(around / "work") in ({}, wanted)


def check_neighbours(command: Command, folder: Path) -> None:
    for stranger in command.strangers:
        assert (folder / stranger).read_text() == "somebody else's"
