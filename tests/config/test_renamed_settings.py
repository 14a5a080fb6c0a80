from pathlib import Path
from typing import Any

import pytest

from rib.config.compose import compose
from rib.config.renamed import GONE, KEYS, OPTIONS, current_override, current_settings
from rib.io.errors import RibError


def test_a_name_of_before_still_works_and_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    config = compose("train", "experiment=motion_smoke", "task.module.average=0.5")
    assert config.task.module["ema_decay"] == 0.5
    assert "task.module.ema_decay=0.5" in capsys.readouterr().err


def test_names_of_today_and_other_arguments_stay(capsys: pytest.CaptureFixture[str]) -> None:
    for argument in (
        "task.module.ema_decay=1",
        "-m",
        "task.module.averages=1",
        "x=task.module.average",
        "=",
        "",
    ):
        assert current_override(argument) == argument
    assert not capsys.readouterr().err


def test_what_is_added_or_removed_keeps_its_mark() -> None:
    assert current_override("++task.module.average=1") == "++task.module.ema_decay=1"
    assert current_override("~task.module.average") == "~task.module.ema_decay"


def test_no_name_of_today_is_translated_again() -> None:
    assert not set(KEYS) & set(KEYS.values())
    assert not set(OPTIONS) & set(OPTIONS.values())


def test_hold_outs_and_missing_spans_answer_to_their_former_names() -> None:
    given = "rehearsals.per_shot=9", "render.trust.rehearsal_weight=0.5", "pose.tracker.max_gap_s=3"
    config = compose("interpolate", "input=x", *given)
    assert config.holdouts.per_shot == config.pose["tracker"]["max_missing_s"] ** 2 == 9
    assert config.render["trust"]["holdout_weight"] == 0.5


@pytest.mark.slow
def test_the_refiner_answers_to_the_names_of_before() -> None:
    config = compose("prepare", "data=drawings", "data.prepare.videos=x", "data.prepare.most_gaps=3")
    assert config.data.prepare["max_intervals"] == 3
    config = compose("train", "experiment=renderer_base", "task=renderer_drawn", "task.data.drawings=x")
    assert Path(config.task.data["samples"]).name == "x"
    config = compose("train", "experiment=renderer_smoke", "task.module.discriminators.frame.labelled=false")
    assert not config.task.module["discriminators"]["frame"]["conditional"]
    config = compose("interpolate", "input=x", "render=gan", "render.puppet.step_px=4")
    assert config.render["skinning"]["step_px"] == config.render["net"]["renderer"]["skinning"]["step_px"] * 2


def test_a_run_folder_of_before_says_what_it_was_judged_by() -> None:
    frozen: dict[Any, Any] = {"monitor": "val/x", "task": {"monitor": "val/x"}, "name": "a"}
    current_settings(frozen)
    judged = {"metric": "val/x", "mode": "min", "select": "last", "also": {}}
    assert frozen == {
        "name": "a", "optimize": judged, "task": {"optimize": {"metric": "val/x", "mode": "min"}},
    }  # fmt: skip


def test_numbers_of_channels_answer_to_their_former_name() -> None:
    config = compose("train", "experiment=renderer_smoke", "net.most=8")
    assert config.net["max_channels"] == 8


def test_a_setting_that_is_gone_says_what_does_its_work() -> None:
    for key, today in GONE.items():
        with pytest.raises(RibError, match=f"{key} is no setting any more") as told:
            current_override(f"{key}=0.3")
        assert today in str(told.value)
