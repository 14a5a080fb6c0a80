"""Settings as people type them: groups set to null, the Trainer's arguments, dicts in the place of others."""

from __future__ import annotations

import pytest

from rib.config.compose import compose
from rib.io.errors import RibError
from rib.io.recipe import build_recipe

RUN = ("train", "experiment=motion_smoke")


def test_a_group_that_can_be_done_without_may_be_null() -> None:
    config = compose(*RUN, "logger=null", "callbacks=null", "debug=fast", "debug=null")
    assert (config.logger, config.callbacks) == (None, None)
    assert "limit_train_batches" not in config.trainer
    for group in ("trainer", "task", "net"):
        with pytest.raises(RibError, match=f"{group}=null names no option, but one is needed"):
            compose(*RUN, f"{group}=null")


def test_any_argument_of_the_trainer_is_a_setting_and_a_misspelt_one_is_told() -> None:
    config = compose(*RUN, "trainer.limit_train_batches=2", "trainer.max_steps=3")
    assert (config.trainer["limit_train_batches"], config.trainer["max_steps"]) == (2, 3)
    with pytest.raises(RibError, match=r"'trainer.limit_trian_batches'; did you mean 'limit_train_batches'"):
        compose(*RUN, "trainer.limit_trian_batches=2")
    with pytest.raises(RibError, match=r"trainer.limit_train_batches=-2: expected"):
        compose(*RUN, "trainer.limit_train_batches=-2")


def test_an_argument_that_a_constructor_takes_is_told_with_its_plus() -> None:
    with pytest.raises(RibError, match=r"torch.optim.AdamW takes it; type \+task.module.optimizer.amsgrad="):
        compose(*RUN, "task.module.optimizer.amsgrad=true")
    with pytest.raises(RibError, match=r"did you mean 'task.module.optimizer.fused'"):
        compose(*RUN, "task.module.optimizer.fusd=true")


def test_a_recipe_takes_the_place_of_another_whole() -> None:
    typed = "task.module.optimizer={_target_: torch.optim.SGD, lr: 0.1}"
    assert compose(*RUN, typed).task.module["optimizer"] == {"_target_": "torch.optim.SGD", "lr": 0.1}
    with pytest.raises(RibError, match=r"no setting 'task\.module\.optimizzer'; did you mean"):
        compose(*RUN, typed.replace("optimizer", "optimizzer"))


def test_a_stage_that_is_typed_takes_the_place_of_the_one_that_was_chosen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run, linear = ("interpolate", "input=x", "rate=2"), "motion={_target_: rib.motion.splines.LinearMotion"
    rest = "hold_s: 0, half_life_s: 1, max_absence_s: 1, min_confidence: 0"
    typed = f"{linear}, {rest}, outliers: null}}"
    assert compose(*run, typed).motion == {
        "_target_": "rib.motion.splines.LinearMotion", "hold_s": 0, "half_life_s": 1, "max_absence_s": 1,
        "min_confidence": 0, "outliers": None,
    }  # fmt: skip
    assert compose(*run, typed, "motion.hold_s=0.5").motion["hold_s"] == 0.5
    assert not capsys.readouterr().err
    with pytest.raises(RibError, match=r"no setting 'moton'; did you mean 'motion'"):
        compose(*run, typed.replace("motion=", "moton="))


@pytest.mark.slow
def test_what_a_dict_leaves_as_it_was_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        weights = compose(*RUN, "task.module.weights={position: 7}").task.module["weights"]
    assert (weights["position"], weights["bone"]) == (7, 0.1)
    assert (
        capsys.readouterr().err.count("leaves keyframe, velocity, acceleration, bone, confidence as b") == 1
    )
    compose(*RUN, "optimize.also={}", "task.module.optimizer.betas=[0.9,0.99]")
    assert not capsys.readouterr().err


@pytest.mark.slow
def test_an_empty_dict_empties_what_it_names_and_what_is_typed_after_it_stands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert compose("evaluate", "noise={}").noise == {}
    assert compose("evaluate", "noise={}", "+noise.mine=2").noise == {"mine": 2}
    assert compose(*RUN, "task.module.weights={}").task.module["weights"] == {}
    assert not capsys.readouterr().err


@pytest.mark.parametrize(("verb", "stage"), [("interpolate", "render"), ("upsample", "motion")])
def test_a_stage_that_is_emptied_is_refused(verb: str, stage: str) -> None:
    with pytest.raises(
        RibError, match=rf"{stage}=.*: expected a dict with the _target_ of a class; type {stage}="
    ):
        compose(verb, "input=x", "rate=2", f"{stage}={{}}")


def test_a_list_of_what_are_no_names_chooses_nothing() -> None:
    for value in ("[1,2]", "[[1]]", "[mediapipe,null]"):
        with pytest.raises(RibError, match=r"pose=.* names no option, but one is needed; choose one of"):
            compose("interpolate", "input=x", f"pose={value}")


@pytest.mark.parametrize("typed", ["plugins=[null]", "more_inputs=null", "video.pictures=null"])
def test_null_where_a_value_is_needed_is_told_in_our_words(typed: str) -> None:
    with pytest.raises(RibError, match=r"=null: null is no value of it|names no option|expected"):
        compose("interpolate", "input=x", "rate=2", typed)


def test_changes_of_a_check_that_are_no_settings_are_refused_before_any_work() -> None:
    config = compose("train", "experiment=motion_smoke", "task.data.checks.clean_r4.windows=5")
    with pytest.raises(RibError, match=r"checks\.clean_r4\.windows=5 has no settings"):
        build_recipe(config.task["data"])
