"""Hydra's and OmegaConf's errors as one line: what was given, what was expected, what to type."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import (
    ConfigKeyError,
    InterpolationResolutionError,
    MissingMandatoryValue,
    OmegaConfBaseException,
    ValidationError,
)

from rib.config.overrides.missing import comment_of_missing_setting
from rib.config.overrides.recipe_arguments import recipe_parameters
from rib.config.paths import config_group_options
from rib.config.renamed import KEYS
from rib.io.errors import RibError
from rib.io.recipe import did_you_mean

ConfigError = (HydraException, OmegaConfBaseException)
"""What Hydra and OmegaConf raise for a user's mistake."""


def explain_hydra_error(error: BaseException) -> RibError:
    """The same mistake in our words.

    Args:
        error: One of `ConfigError`, with the cause that Hydra chained to it.
    """
    if isinstance(error, MissingConfigException):
        return _missing_option(error)
    if isinstance(error, OverrideParseException):
        reason = _first_line(str(error.message)).removeprefix(f"Error parsing override '{error.override}'")
        if "Exception: " in reason:  # the parser's own words
            reason = "it holds a character that has to be quoted"
        return RibError(
            f"could not read {error.override!r} ({reason.strip() or 'no key=value'})",
            "settings are written key=value; quote a value with spaces or brackets: \"key='a value'\"",
        )
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    if isinstance(cause, ConfigKeyError | AttributeError) and isinstance(cause, OmegaConfBaseException):
        return _unknown_key(cause)
    if isinstance(cause, MissingMandatoryValue):
        return _missing_setting(str(cause.full_key))
    if isinstance(cause, ValidationError):
        return _wrong_kind(cause)
    if isinstance(mistake := cause.__context__, RibError):  # raised by a resolver of ours
        return mistake
    if isinstance(cause, InterpolationResolutionError):
        return RibError(f"{cause.full_key} refers to something else: {_first_line(str(cause))}")
    text = " ".join(str(error).split())
    if (lacking := _DELETED.fullmatch(text)) is not None:
        return RibError(f"there is no setting {lacking[1]!r}")
    return RibError(text)


_DELETED = re.compile(r"Could not delete from config\. '(.*)' does not exist\.")


PLUGINS = {
    "joblib": ("hydra-joblib-launcher", "sweep"),
    "submitit_local": ("hydra-submitit-launcher", "slurm"),
    "submitit_slurm": ("hydra-submitit-launcher", "slurm"),
    "ray": ("hydra-ray-launcher", "ray"),
}
"""Hydra's launchers that are packages of their own, and the extra that brings them."""


class MissingPluginError(RibError):
    """A config names a launcher whose package is not installed."""


def _missing_option(error: MissingConfigException) -> RibError:
    group, _, option = (error.missing_cfg_file or "").rpartition("/")
    if group == "hydra/launcher" and option in PLUGINS:
        package, extra = PLUGINS[option]
        return MissingPluginError(
            f"the launcher {option} is in the package {package}, which is not installed",
            f"type: pip install 'render-in-between[{extra}]'",
        )
    choices = error.options or config_group_options(
        group
    )  # Hydra names none for an option inside a list: methods=[...]
    if not choices:
        return RibError(f"there is no config named {error.missing_cfg_file!r}")
    return RibError(f"{group}={option}: there is no such option", did_you_mean(option, list(choices)))


def _missing_setting(key: str) -> RibError:
    comment, options = comment_of_missing_setting(key), config_group_options(key)
    told = f"{key} was not given{f': {comment}' if comment else ''}"
    return RibError(told, f"choose one of: {', '.join(options)}" if options else f"type {key}=...")


def _wrong_kind(cause: ValidationError) -> RibError:
    """A value of another type than the setting's; OmegaConf says so in the words of Python's classes."""
    key, given, said = str(cause.full_key), cause.value, _first_line(str(cause))
    if given is None:
        return RibError(f"{key}=null: null is no value of it", "leave it out, or give a value")
    before = _value_before(cause)
    if isinstance(before, dict):
        inner = ", ".join(f"{key}.{name}=..." for name in before)
        return RibError(f"{key}={given}: it has settings of its own", f"type one of: {inner}")
    told = next((f"expected {kind}" for words, kind in _KINDS.items() if words in said), said)
    shown = str(before).lower() if isinstance(before, bool) else before
    return RibError(
        f"{key}={given}: {told}", "give one, or leave it out" if before is None else f"type {key}={shown}"
    )


def _value_before(cause: ValidationError) -> Any:
    """What the setting was before it was given that value; None where it has no value of its own."""
    parent = cause.parent_node
    if not isinstance(parent, DictConfig):
        return None
    plain = OmegaConf.to_container(parent, resolve=False)
    before = plain.get(cause.key) if isinstance(plain, dict) else None
    return None if isinstance(before, str) and before.startswith(("???", "${")) else before


_KINDS = {
    "could not be converted to Float": "a number",
    "could not be converted to Integer": "a whole number",
    "is not a valid bool": "true or false",
    "is not a ListConfig": "a list such as [a,b]",
    "to string": "text",
}
"""OmegaConf's words for what a setting is, and ours."""


def _unknown_key(cause: OmegaConfBaseException) -> RibError:
    key = str(cause.full_key)
    parent = cause.parent_node
    names = [str(name) for name in parent] if isinstance(parent, DictConfig) else []
    prefix = key.rpartition(".")[0]
    if key in KEYS:
        return RibError(f"there is no setting {key!r} any more", f"it is called {KEYS[key]} today")
    if isinstance(parent, DictConfig) and isinstance(target := parent.get("_target_"), str):
        with suppress(RibError):
            taken = recipe_parameters(target)
            if key.rpartition(".")[2] in taken:
                return RibError(f"{key!r} is no setting of conf/, but {target} takes it", f"type +{key}=...")
            names = list(dict.fromkeys([*names, *taken]))
    choices = [f"{prefix}.{name}" if prefix else name for name in names if name != "_target_"]
    return RibError(f"there is no setting {key!r}", did_you_mean(key, choices) if choices else "")


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else ""
