"""What the shells complete: the words, how fast they come, and what bash, zsh and fish make of them."""

from __future__ import annotations

import os
import pty
import re
import resource
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rib.config.completion.answer import answer_completion
from rib.config.completion.index import build_completion_index
from rib.config.completion.shells import SCRIPTS, completion_script, install_completion
from rib.config.completion.words import CompletionIndex, completion_words, read_completion_index
from rib.config.search import settle_config_search
from rib.io.errors import RibError


@pytest.fixture(scope="module")
def index() -> CompletionIndex:
    settle_config_search([])
    return build_completion_index(["train", "export"])


def test_commands_options_choices_and_settings_are_known(index: CompletionIndex) -> None:
    assert {"train ", "export ", "--version ", "--install-completion "} <= set(
        completion_words(["tr"], index)
    )
    offered = set(completion_words(["train", ""], index))
    assert {"seed=", "trainer=gpu ", "net=motion_tiny ", "--config-dir ", "--multirun "} <= offered
    assert "trainer.max_epochs=" not in offered
    assert "trainer.max_epochs=" in completion_words(["train", "trainer.ma"], index)
    assert completion_words(["train", "net=da"], index) == [f"net={n} " for n in index["groups"]["net"]]
    assert completion_words(["export", "format="], index) == [
        "format=safetensors ",
        "format=onnx ",
        "format=torch_export ",
    ]
    assert "overwrite=true " in completion_words(["export", "overwrite="], index)
    assert completion_words(["train", "seed=1"], index) == []
    assert completion_words(["nothing", ""], index) == []


def test_overrides_of_hydra_keep_their_signs(index: CompletionIndex) -> None:
    assert "~net=" not in completion_words(["train", "net"], index)
    assert "++seed=" in completion_words(["train", "++se"], index)
    assert "+debug=fast " in completion_words(["train", "+debug=fa"], index)


def test_the_settings_of_a_chosen_option_are_offered(index: CompletionIndex) -> None:
    assert "trainer.strategy=" in completion_words(["train", "trainer=ddp", "trainer.s"], index)
    assert "trainer.max_epochs=" in completion_words(
        ["train", "trainer=ddp", "trainer.m"], index
    )  # cpu's, which it follows
    assert "trainer.strategy=" not in completion_words(["train", "trainer.s"], index)


def test_commands_without_settings_have_words_too(index: CompletionIndex) -> None:
    assert completion_words(["configs", ""], index) == ["ls ", "show ", "cp "]
    assert "net/motion_tiny " in completion_words(["configs", "show", ""], index)
    assert completion_words(["--install-completion", ""], index) == ["bash ", "zsh ", "fish "]


def test_installing_twice_adds_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".bashrc").write_text("alias l=ls")  # no end of line
    for shell in SCRIPTS:
        first, again = install_completion(shell), install_completion(shell)
        assert first[0].read_text() == completion_script(shell)
        assert again == first[:1]
    assert (tmp_path / ".bashrc").read_text().splitlines()[0] == "alias l=ls"
    assert (tmp_path / ".bashrc").read_text().count("\n") == 2
    with pytest.raises(RibError, match="no shell that rib completes in"):
        install_completion("csh")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's home with the index made, and `rib` on the PATH."""
    home = tmp_path_factory.mktemp("home")
    (home / "bin").mkdir()
    runner = home / "bin" / "rib"
    runner.write_text(f'#!/bin/sh\nexec {sys.executable} -m rib.commands "$@"\n')
    runner.chmod(0o755)
    for shell in ("bash", "zsh", "fish"):
        subprocess.run(
            [runner, "--install-completion", shell],
            env=environ(home),
            check=True,
            capture_output=True,
            timeout=120,
        )
    return home


def environ(home: Path) -> dict[str, str]:
    root = str(Path(__file__).resolve().parents[2])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ZDOTDIR"))}
    return {
        **kept, "HOME": str(home), "PATH": f"{home / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": root,
        "TERM": "xterm", "PS1": "> ",
    }  # fmt: skip


@pytest.mark.slow
def test_an_answer_costs_less_than_three_tenths_of_a_second(home: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    runs = 5
    for _ in range(runs):
        done = subprocess.run(
            [home / "bin" / "rib", "--complete", "interpolate", "back"],
            env=environ(home), check=True, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "background=flow " in done.stdout
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    assert seconds / runs < 0.3  # of processor time: the machine may be busy with other things


@pytest.mark.slow
def test_nothing_heavy_is_imported_for_an_answer(home: Path) -> None:
    code = (
        "import sys; sys.argv[1:] = ['--complete', 'train', 'net=']\n"
        "import rib.commands.__main__ as m; m.main()\n"
        "print(*({'torch', 'hydra', 'omegaconf', 'numpy', 'yaml'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environ(home),
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "net=motion_base" in done.stdout
    assert done.stdout.splitlines()[-1] == ""


@pytest.mark.slow
def test_an_index_of_before_a_change_is_not_used(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "rib"
    cache.mkdir()
    shutil.copy(home / ".cache" / "rib" / "completion.json", cache)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert read_completion_index() is not None
    file = cache / "completion.json"
    file.write_text(file.read_text().replace('"stamp": "', '"stamp": "older '))
    assert read_completion_index() is None
    assert "interpolate " in answer_completion(["int"])
    assert read_completion_index() is not None
    own = tmp_path / "my" / "net"
    own.mkdir(parents=True)
    (own / "mine.yaml").write_text("width: 1\n")
    assert "net=mine " in answer_completion(["train", "--config-dir", str(tmp_path / "my"), "net="])
    settle_config_search([])


COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
STARTS = {
    "bash": ["bash", "--noprofile", "-i"],
    "zsh": ["zsh", "-d", "-i"],
    "fish": ["fish", "-i"],
}


def typed_into(shell: str, home: Path, keys: str, until: str, seconds: float = 60) -> str:
    """What an interactive shell shows after some keys, once it shows what is waited for."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(home)
        os.execvpe(STARTS[shell][0], STARTS[shell], environ(home))
    shown, deadline, sent = "", time.monotonic() + seconds, False
    try:
        while until not in shown and time.monotonic() < deadline:
            if select.select([terminal], [], [], 1.0)[0]:
                shown = COLOURS.sub("", shown + os.read(terminal, 65536).decode(errors="replace"))
            elif not sent:  # a second without a word: the prompt stands there
                os.write(terminal, keys.encode())
                sent = True
    except OSError:  # the shell has gone
        pass
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)
    return shown


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_real_shell_completes_commands_settings_and_values(shell: str, home: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    # a command, a group's option, a setting's word: each is finished by <Tab>
    for keys, until in (
        ("rib interpol\t", "rib interpolate "),
        ("rib export ckpt=x format=safet\t", "format=safetensors "),
        ("rib interpolate background=fl\t", "background=flow "),
    ):
        assert until in typed_into(shell, home, keys, until), (shell, keys)


@pytest.mark.slow
def test_fish_asks_for_the_same_words(home: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    done = subprocess.run(
        ["fish", "-c", "complete -C 'rib export format='"],
        env=environ(home), check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "format=onnx" in done.stdout
