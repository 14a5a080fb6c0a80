from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rib.config.app import run_verb
from rib.config.exit_codes import exit_code
from rib.io.errors import RibError


def rib(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rib.commands", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=cwd,
    )


def raising(error: BaseException) -> int:
    def call() -> None:
        raise error

    return exit_code(call)


def test_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(lambda: None) == 0
    assert raising(RibError("a was given", "type b")) == 1
    assert capsys.readouterr().err == "rib: a was given; type b\n"
    assert raising(ZeroDivisionError()) == 2
    assert "Traceback" in capsys.readouterr().err
    assert raising(KeyboardInterrupt()) == 130
    assert raising(SystemExit(3)) == 3
    assert raising(SystemExit()) == 0


@pytest.mark.parametrize("mode", [[], ["-m"]])
@pytest.mark.slow
def test_a_bug_of_ours_inside_a_task_is_2_and_a_mistake_1(
    mode: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def task(_: object) -> None:
        raise error

    monkeypatch.chdir(tmp_path)
    error: Exception = ZeroDivisionError("ours")
    assert exit_code(lambda: run_verb("check", task, mode)) == 2
    assert "Traceback" in capfd.readouterr().err
    error = RibError("theirs")
    assert exit_code(lambda: run_verb("check", task, mode)) == 1
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("streams", ["2>&-", ">&-", "<&- >&- 2>&-", ">/dev/full", "2>/dev/full"])
@pytest.mark.parametrize("arguments", ["interpolate --help", "interpolate input=nothing rate=2", "--version"])
def test_no_stream_to_write_to_gives_no_traceback(streams: str, arguments: str, tmp_path: Path) -> None:
    line = f"{sys.executable} -m rib.commands {arguments} {streams}"
    done = subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )
    assert done.returncode == int("nothing" in arguments or streams == ">/dev/full")
    assert "Traceback" not in done.stderr + done.stdout
    assert len(done.stderr.splitlines()) <= 1


MISTAKES = {
    "interpolate input=x rat=4": "there is no setting 'rat'; did you mean 'rate'?",
    "interpolate input=x rate=fast": "rate=fast: expected a number; give one, or leave it out",
    "interpolate input=x overwrite=maybe": "overwrite=maybe: expected true or false; type overwrite=false",
    "interpolate input=x video.crf=good": "video.crf=good: expected a whole number; type video.crf=15",
    "interpolate input=x cuts=3": "cuts=3: it has settings of its own; type one of: cuts.residual=...",
    "interpolate input=x background=[]": "background was not given; choose one of: blend, flow, folder, rife",
    "interpolate input=x output=/": "output=/ is the root of the disk; name a place below it",
    "interpolate input=x background=rief": "background=rief: there is no such option; did you mean 'rife'?",
    "interpolate input=x video.crff=3": "there is no setting 'video.crff'; did you mean 'video.crf'?",
    "interpolate rate=4": "input was not given: a video, an animated WebP, PNG or GIF, a folder of pictures",
    "train": "task.data.folder was not given: a store of `rib prepare data=mocap`, or synthetic",
    "prepare data=amass": "data.prepare.folder was not given: <folder>/<database>/<subject>/*_poses.npz",
    "export": "ckpt was not given: a .ckpt or .safetensors of `rib train`",
    "evaluate": "there is no motion capture at data/mocap.h5; make a store of a collection",
    "interpolate input=x rate": "rate was given without a value",
    "interpolate --fast": "there is no option --fast",
    "interpolat": "there is no command 'interpolat'; did you mean 'interpolate'?",
}


@pytest.mark.parametrize("line", MISTAKES)
@pytest.mark.slow
def test_a_mistake_on_the_command_line_is_one_clear_line(line: str, tmp_path: Path) -> None:
    done = rib(*line.split(), cwd=tmp_path)
    assert done.returncode == 1
    assert MISTAKES[line] in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""
    runs = {"runs"} if line == "train" else set()  # Hydra makes a run's folder before it asks for anything
    assert {path.name for path in tmp_path.iterdir()} == runs


def test_help_tells_every_setting_and_choice() -> None:
    done = rib("interpolate", "--help")
    assert done.returncode == 0
    assert "rate: null" in done.stdout
    assert "background=blend|flow|folder|rife  # rife" in done.stdout
    assert "hydra" not in done.stdout.replace("--cfg", "")


@pytest.mark.slow
def test_help_typos_and_inspect_import_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['rib', *sys.argv[1:]]\n"
        "from rib.commands.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'cv2', 'av', 'pytorch_lightning', 'wandb', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    for arguments in (
        ["interpolate", "--help"], ["interpolate", "input=x", "rat=4"], ["--help"], ["inspect", "nothing"],
    ):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip().endswith("[]"), arguments


@pytest.mark.slow
def test_a_typo_answers_at_once() -> None:
    rib("interpolate", "input=x", "rat=4")  # bytecode is written
    start = _children_s()
    rib("interpolate", "input=x", "rat=4")
    assert _children_s() - start < 2.0  # 0.5 s on an idle machine; computing time, since this one may be busy


def _children_s() -> float:
    """Computing time of the processes that this one started and saw end."""
    return os.times().children_user + os.times().children_system


@pytest.mark.slow
def test_a_path_with_spaces_and_brackets_needs_no_quotes(tmp_path: Path) -> None:
    clip = tmp_path / "my clip (1), take=2.mp4"
    clip.write_text("not a video")
    done = rib("interpolate", f"input={clip}", "rate=2", f"output={tmp_path / 'out'}")
    assert done.returncode == 1
    assert clip.name in done.stderr
    assert "could not read 'input" not in done.stderr


def test_an_error_about_a_novel_is_told_by_its_beginning_and_its_remedy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise RibError("x" * 100_000, "type less")

    assert exit_code(fail) == 1
    line = capsys.readouterr().err
    assert len(line) < 1200
    assert line.startswith("rib: xxx")
    assert line.endswith("; type less\n")
