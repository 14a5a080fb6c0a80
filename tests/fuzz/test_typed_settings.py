"""Values of all kinds for every setting of every verb, typed as a user types them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from harness import FUZZ, Campaign
from hypothesis import given
from hypothesis import strategies as st

from rib.config.compose import compose
from rib.config.paths import config_group_options, config_groups

CLIP = (
    "input=pictures", "input_fps=10", "rate=2", "pose=files", "poses=poses", "motion=linear",
    "background=blend", "render=none", "video=frames", "report=false", "device=cpu", "output=out",
    "cache.dir=cache",
)  # fmt: skip
NOWHERE = ("input=missing.mp4", "output=out", "device=cpu", "cache.dir=cache")
TINY = (
    "experiment=motion_smoke", "net=motion_tiny", "net.width=8", "net.num_heads=1", "trainer.max_steps=2",
    "task.data.batches_per_epoch=2", "task.data.validation_batches=1", "task.data.windows.tokens=20",
    "task.data.windows.keyframes=[5,6]", "task.module.checks=[clean_r4]", "trainer.enable_progress_bar=false",
    "trainer.log_every_n_steps=1",
    "~task.data.checks.clean_r8", "~task.data.checks.clean_r16", "~task.data.checks.noisy_r4",
    "~task.data.checks.noisy_r8", "~task.data.checks.noisy_r16",
)  # fmt: skip
BASES: tuple[tuple[str, ...], ...] = (
    ("interpolate", *CLIP),
    ("interpolate", *CLIP),
    ("interpolate", *NOWHERE, "rate=2"),
    ("interpolate", *NOWHERE, "rate=2", "render=gan", "motion=cubic", "background=flow"),
    ("interpolate", *NOWHERE, "fps=60", "render=reference", "render.ckpt=missing.ckpt"),
    ("upsample", "input=poses", "rate=2", "motion=linear", "device=cpu", "output=out", "input_fps=10"),
    ("upsample", "input=poses", "rate=2", "layout=reference", "motion=cubic", "device=cpu", "output=out"),
    ("benchmark", *NOWHERE),
    ("benchmark_speed", *NOWHERE),
    ("prepare", "data=mocap", "data.prepare.folder=missing", "data.prepare.output=out"),
    ("prepare", "data=amass", "data.prepare.folder=missing", "data.prepare.body_models=none"),
    ("prepare", "data=humanslomo", "data.prepare.videos=missing", "data.prepare.output=out"),
    ("prepare", "data=refiner", "data.prepare.videos=missing", "data.prepare.output=out"),
    ("train", *TINY),
    ("train", "task.data.folder=missing.h5"),
    ("train", "experiment=renderer_reference", "task.data.store=missing.h5"),
    ("train", "experiment=renderer_base", "task.data.samples=missing.h5"),
    ("evaluate", "folder=missing.h5", "output=out", "device=cpu"),
    ("evaluate_humanslomo", "ckpt=missing.ckpt", "store=missing.h5", "output=out", "device=cpu"),
    ("demo",),
    ("download",),
    ("check",),
)
"""Verbs with what makes a run cheap, or end at an input that is not there once all settings are checked."""
NO_VALUES = {"demo", "check"}
"""Verbs that would run for long if a value suited: they are only given what none of their settings takes."""
PLACES = ("output", "run_dir", "dir", "dirpath", "save_dir", "default_root_dir", "folder", "name", "cache")
"""Settings that say where something is written; other tests are about these."""
WRONG = st.sampled_from(
    [
        "nope",
        "[a,b]",
        "{a:1}",
        "[]",
        "{}",
        "null",
        "[[1]]",
        "'a b'",
        "???",
        "${nope}",
        "${oc.env:HOME}",
        "é",
        "'",
    ]
)
NUMBERS = st.one_of(
    st.integers(-3, 9),
    st.sampled_from([10**9, 10**20, -(10**30), 2**31, 2**63]),
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(-1, 2),
).map(str)
WORDS = st.sampled_from(
    ["true", "false", "auto", "cpu", "cuda", "cuda:7", "cuda:x", "mps", "rib", "x", "1e999", "0x10", "1_0",
     "-", "", "[1,2]", "[1,2,3,4]", "[-1,nan]", "[0.5,0.1]", "9" * 5000, "[" * 300, "a=b", "~", "-inf", "1/0"]
)  # fmt: skip


@cache
def keys_of(base: tuple[str, ...]) -> tuple[str, ...]:
    """Every setting of a verb, and its groups."""
    verb, *words = base
    settings = compose(verb, *words).plain()
    leaves = [key for key in _leaves(settings) if key.rpartition(".")[2] not in PLACES]
    # each of several clips has a line of its own, and who wants to hear much hears it
    leaves = [key for key in leaves if key != "more_inputs" and (key != "verbose" or verb in NO_VALUES)]
    if verb in NO_VALUES:  # which takes an empty list
        leaves = [key for key in leaves if key != "plugins"]
    return tuple(leaves + [group for group in config_groups() if group in settings])


def _leaves(node: Mapping[str, Any], place: str = "") -> Iterator[str]:
    for name, value in node.items():
        yield f"{place}{name}"
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{place}{name}.")


@st.composite
def typed(draw: st.DrawFn) -> list[str]:
    base = draw(st.sampled_from(BASES))
    verb, *words = base
    for _ in range(draw(st.integers(1, 2))):
        key = draw(st.sampled_from(keys_of(base)))
        kinds = [WRONG] if verb in NO_VALUES else [WRONG, NUMBERS, NUMBERS, WORDS]
        if key in config_groups() and verb not in NO_VALUES:
            kinds.append(st.sampled_from(config_group_options(key)))
        if key == "input":  # a second one would be another clip
            words = [word for word in words if not word.startswith("input=")]
        words.append(f"{key}={draw(st.one_of(kinds))}")
    if verb == "evaluate_humanslomo":
        return ["evaluate", "data=humanslomo", *words]
    if verb == "benchmark_speed":
        return ["benchmark", "speed=true", *words]
    return [verb, *words]


def write_inputs(folder: Path) -> None:
    for name in ("pictures", "poses"):
        (folder / name).mkdir()
    rng = np.random.default_rng(0)
    for number in range(3):
        cv2.imwrite(str(folder / f"pictures/{number}.png"), rng.integers(0, 255, (32, 48, 3), np.uint8))
        body = np.concatenate([rng.uniform(4, 28, (25, 2)), np.full((25, 1), 0.9)], axis=1).round(2)
        person = {"pose_keypoints_2d": body.ravel().tolist()}
        (folder / f"poses/{number}_keypoints.json").write_text(
            json.dumps({"version": 1.3, "people": [person]})
        )


@pytest.mark.slow
def test_any_value_of_any_setting_is_taken_or_refused_in_one_line(tmp_path: Path) -> None:
    makes = Campaign("settings of interpolate and upsample", tmp_path / "makes")
    others = Campaign("settings of the others", tmp_path / "others", result="")

    @FUZZ
    @given(typed())
    def attack(words: list[str]) -> None:
        def prepare(folder: Path) -> list[str]:
            write_inputs(folder)
            return words

        (makes if words[0] in ("interpolate", "upsample") else others).run(prepare)

    for base in {base for base in BASES if not any("missing" in word for word in base)}:
        if base[0] not in (*NO_VALUES, "benchmark", "download"):
            others.whole(lambda folder, base=base: (write_inputs(folder), list(base))[1])
    attack()
    others.faults |= makes.faults
    makes.faults = {}
    for campaign in (makes, others):
        campaign.close()
