from __future__ import annotations

import pytest

from rib.io.errors import RibError
from rib.io.recipe import build_recipe, check_recipe


def test_a_recipe_is_built_with_its_arguments_and_those_of_the_builder() -> None:
    linear = build_recipe({"_target_": "torch.nn.Linear", "in_features": 3, "bias": False}, out_features=2)
    assert linear.weight.shape == (2, 3)
    assert linear.bias is None


def test_a_misspelt_argument_is_told_with_the_right_one() -> None:
    with pytest.raises(RibError, match=r"torch\.optim\.AdamW takes no 'lrr'.*did you mean 'lr'"):
        check_recipe({"_target_": "torch.optim.AdamW", "lrr": 1e-3})


def test_a_lacking_argument_is_told_when_building() -> None:
    with pytest.raises(RibError, match="needs 'out_features'"):
        build_recipe({"_target_": "torch.nn.Linear", "in_features": 3})


@pytest.mark.parametrize("target", ["os.system", "subprocess.run", "builtins.eval", "torchx.nn.Linear"])
def test_nothing_outside_the_allowed_packages_is_built(target: str) -> None:
    with pytest.raises(RibError, match="outside the allowed packages"):
        build_recipe({"_target_": target})


@pytest.mark.parametrize("target", ["rib.io.errors.Nothing", "rib.nothing.Here", "rib.__version__", "torch"])
def test_a_target_that_is_no_class_is_refused(target: str) -> None:
    with pytest.raises(RibError):
        build_recipe({"_target_": target})


def test_the_wrong_type_of_a_plain_value_is_told() -> None:
    with pytest.raises(RibError, match="in_features=three: expected a whole number"):
        check_recipe({"_target_": "torch.nn.Linear", "in_features": "three", "out_features": 1})
    check_recipe({"_target_": "torch.nn.Dropout", "p": 1})  # an int is a float


def test_a_number_in_the_place_of_a_recipe_is_told() -> None:
    with pytest.raises(RibError, match=r"a recipe is 0\.5, but settings with a _target_ are expected"):
        build_recipe(0.5)  # type: ignore[arg-type]
