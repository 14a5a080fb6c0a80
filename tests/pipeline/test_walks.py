"""How often a clip is decoded and how often the interpolator runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from counted_source import Counted
from small_clips import picture, write_masks
from torch.nn.modules.module import register_module_forward_hook

from rib.background.ifnet.net import IFNet
from rib.benchmark.run import run_benchmark
from rib.config.compose import compose
from rib.io.errors import RibError
from rib.io.weights.model_packages import weight_file
from rib.pipeline.chain import Chain
from rib.pipeline.interpolate import interpolate_clip
from rib.pipeline.open_clip import open_input_clip
from rib.video import open_frame_source, subclip


@pytest.fixture
def warp(tmp_path: Path, settings: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """`render=warp` over flow, with poses and mattes from files."""
    files = ("mask=files", f"mask.path={write_masks(tmp_path / 'masks')}")
    return settings(tmp_path, "rate=2", "render=warp", "background=flow", *files)


@pytest.mark.slow
def test_a_clip_that_fits_into_memory_is_decoded_once(warp: dict[str, Any]) -> None:
    source = Counted([picture(i) for i in range(9)], fps=10)
    source.fingerprint()
    hashed = source.decoded
    interpolate_clip(warp, source)
    assert source.decoded - hashed <= hashed + 9  # hashing frames in memory is a walk of its own


def test_the_look_for_repeated_pictures_decodes_nothing_twice() -> None:
    source = Counted([picture(i // 2) for i in range(40)], fps=10)
    clip, fps = open_input_clip(compose("interpolate", "input=x", "output=y", "rate=2"), source)
    assert (len(clip), fps) == (20, 10)
    assert len(list(clip)) == len(list(clip)) == 20
    assert source.decoded == 40


@pytest.mark.slow
def test_the_holdouts_are_judged_in_the_walk_that_makes_the_frames(warp: dict[str, Any]) -> None:
    source = Counted([picture(i) for i in range(9)], fps=10)
    chain = Chain.from_config(warp)
    analysis = chain.analyse(source, source.fps * 2)
    source.decoded = 0
    assert len(list(chain.frames(source, analysis))) == 17
    assert source.decoded == 9


LOOKS = 3
"""At one person in one keyframe: to find them; closely, as they are and mirrored, for poses and mattes."""


class Demo(Counted):
    """A part of the demo's clip, each frame of which counts as decoded whenever it is asked for."""

    def fingerprint(self) -> str:
        return "the demo's walk"


@pytest.fixture
def walk() -> Demo:
    """Seventeen small frames of the demo's clip."""
    try:
        video = open_frame_source(weight_file("sports2d", "Sports2D/Demo/demo.mp4"))
    except RibError as error:
        pytest.skip(f"the demo's clip is not installed: {error}")
    return Demo(list(subclip(video, 72, 17, (600, 490, 768, 480), (256, 160))), fps=video.fps)


@pytest.fixture
def moments() -> Iterator[list[int]]:
    """How many moments the interpolator made in each call."""
    made: list[int] = []

    def count(module: torch.nn.Module, given: Any, result: Any) -> None:
        if isinstance(module, IFNet):
            made.append(len(given[0]))

    hook = register_module_forward_hook(count)
    yield made
    hook.remove()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A word for each picture that one of mediapipe's networks saw."""
    solution_base = pytest.importorskip("mediapipe.python.solution_base")
    seen: list[str] = []
    process = solution_base.SolutionBase.process

    def counted(graph: Any, given: Any) -> Any:
        if given["image"].any():  # a graph opens with a blank one
            seen.append("landmarks" if "roi" in given else "detector")
        return process(graph, given)

    monkeypatch.setattr(solution_base.SolutionBase, "process", counted)
    return seen


@pytest.mark.slow
def test_a_large_clip_is_walked_three_times_at_first_and_once_when_all_is_kept(
    tmp_path: Path, walk: Demo, moments: list[int], looks: list[str]
) -> None:
    given = ("input=x", "output=y", "rate=2", "device=cpu", f"cache.dir={tmp_path}")
    for walks, most_looks in ((3, LOOKS * 17), (1, 0)):
        walk.decoded = 0
        moments.clear()
        looks.clear()
        chain = Chain.from_config(compose("interpolate", *given))
        analysis = chain.analyse(walk, walk.fps * 2)
        assert len(list(chain.frames(walk, analysis))) == 33
        assert analysis.keyframe_poses.present.all()
        assert walk.decoded == walks * 17
        assert looks.count("landmarks") <= most_looks
        assert sum(moments) == 16 + 5  # and the hold-outs


@pytest.mark.slow
def test_mattes_are_the_same_bytes_whether_the_poses_were_kept_from_earlier(
    tmp_path: Path, walk: Demo, looks: list[str]
) -> None:
    clip = Demo(list(walk)[:5], fps=walk.fps)
    made = []
    for most_looks in (LOOKS * 5, 2 * 5):
        looks.clear()
        chain = Chain.from_config(
            compose("interpolate", "input=x", "output=y", "rate=2", "device=cpu", f"cache.dir={tmp_path}")
        )
        (folder,) = (chain.analyse(clip, clip.fps * 2).mattes or {}).values()
        made.append({path.name: path.read_bytes() for path in folder.glob("*.png")})
        assert looks.count("landmarks") <= most_looks
        shutil.rmtree(folder)
    assert made[0] == made[1]
    assert len(made[0]) == 5


@pytest.mark.slow
def test_the_benchmark_runs_an_interpolator_once_for_all_methods(
    tmp_path: Path, walk: Demo, moments: list[int]
) -> None:
    runs = {}
    for methods in ("[rife]", "[rife,rib]"):
        moments.clear()
        walk.decoded = 0
        where = (f"output={tmp_path / methods}", f"cache.dir={tmp_path / 'cache'}")
        run_benchmark(compose("benchmark", "input=x", "stride=4", f"methods={methods}", *where), walk)
        runs[methods] = sum(moments)
        assert walk.decoded == 17
    assert runs["[rife]"] == 12
    assert runs["[rife,rib]"] <= 12 + 3  # and the hold-outs
