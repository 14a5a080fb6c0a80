"""Settings that go by another name than in the last release: understood for one release, with one line."""

from __future__ import annotations

import re
import sys
from typing import Any

import yaml

from rib.config.paths import conf_dir
from rib.io.errors import RibError
from rib.io.renamed import ADDED

KEYS = {
    "task.module.average": "task.module.ema_decay",
    "task.module.final_share": "task.module.min_lr_ratio",
    "task.module.opponents": "task.module.discriminators",
    "task.module.opponent_optimizer": "task.module.discriminator_optimizer",
    "render.fitting.average": "render.fitting.ema_decay",
    "task.data.drawings": "task.data.samples",
    "task.data.least_gate": "task.data.min_gate",
    "data.prepare.most_gaps": "data.prepare.max_intervals",
    "data.prepare.most_moments": "data.prepare.max_moments",
    "data.prepare.chain.render.puppet": "data.prepare.chain.render.skinning",
    "render.puppet": "render.skinning",
    "net.most": "net.max_channels",
    **{
        f"task.module.discriminators.{one}.net.most": f"task.module.discriminators.{one}.net.max_channels"
        for one in ("frame", "face", "hands")
    },
    "net.drawing": "net.renderer",
    "net.labels": "net.conditioning",
    "render.net.labels": "render.net.conditioning",
    "task.module.labels": "task.module.conditioning",
    **{
        f"task.module.discriminators.{one}.labelled": f"task.module.discriminators.{one}.conditional"
        for one in ("frame", "face", "hands")
    },
    **{
        f"{above}pose.{before}": f"{above}pose.{today}"
        for above in ("", "data.prepare.chain.", "data.prepare.stages.")
        for before, today in (
            ("fill_gap_s", "max_missing_s"),
            ("tracker.max_gap_s", "tracker.max_missing_s"),
        )
    },
    "tracker.max_gap_s": "tracker.max_missing_s",
    "rehearsals": "holdouts",
    "render.trust.rehearsal_weight": "render.trust.holdout_weight",
    "data.prepare.chain.rehearsals": "data.prepare.chain.holdouts",
    "monitor": "optimize.metric",
    "task.monitor": "task.optimize.metric",
}
"""Dotted names of before, and of today; what lies below a name goes with it."""

BESIDE: dict[str, dict[str, Any]] = {
    "monitor": {"mode": "min", "select": "last", "also": {}},
    "task.monitor": {"mode": "min"},
}
"""What the last release did not say beside a setting whose name of today stands with others."""

OPTIONS = {"data=drawings": "data=refiner", "task=renderer_drawn": "task=refiner"}
"""`group=option` of before, and of today."""

GONE = {
    "cuts.histogram_distance": "cuts.residual= and cuts.contrast= find cuts today",
    "cuts.picture_difference": "cuts.residual= and cuts.contrast= find cuts today",
    "pose.tracker.min_overlap": "everybody is linked by pose.tracker.evidence today",
    "pose.tracker.joint_width": "everybody is linked by pose.tracker.evidence today",
    "pose.tracker.appearance_weight": "pose.tracker.evidence.appearance_gain= weighs looks today",
    "pose.tracker.rejoin_ratio": "pose.tracker.rejoin_likeness= finds people again today",
    "hydra.sweeper.direction": "optimize.mode= says whether the least or the greatest is best",
}
"""Dotted names of before that nothing reads today, and what does their work."""

_OVERRIDE = re.compile(r"(?P<mark>\+\+|\+|~)?(?P<key>[^=]+)(?P<value>=.*)?", re.DOTALL)


def current_override(argument: str) -> str:
    """Translate `key=value` of the last release to today's names; another argument comes back as it is.

    A translation is told in one line on stderr.

    Raises:
        RibError: Nothing reads that setting today.
    """
    match = _OVERRIDE.fullmatch(argument)
    if match is None or argument.startswith("-"):
        return argument
    if argument in OPTIONS:
        return _told(argument, OPTIONS[argument])
    if match["key"] in GONE:
        raise RibError(f"{match['key']} is no setting any more", GONE[match["key"]])
    for old, new in KEYS.items():
        if match["key"] == old or match["key"].startswith(f"{old}."):
            key = new + match["key"].removeprefix(old)
            return _told(argument, f"{match['mark'] or ''}{key}{match['value'] or ''}")
    return argument


def current_settings(settings: dict[Any, Any]) -> None:
    """Give frozen settings of the last release today's names, in place."""
    for old, new in KEYS.items():
        before, name = _holder(settings, old), old.rpartition(".")[2]
        if before is None or name not in before:
            continue
        if (parent := new.rpartition(".")[0]) and (above := _holder(settings, parent)) is not None:
            above.setdefault(parent.rpartition(".")[2], {})
        if (after := _holder(settings, new)) is not None:
            after.setdefault(new.rpartition(".")[2], before.pop(name))
            for beside, value in BESIDE.get(old, {}).items():
                after.setdefault(beside, value)


def add_new_settings(settings: dict[str, Any]) -> None:
    """Give frozen settings of the last release, by today's names, what their recipes lack, in place."""
    for recipe in [value for value in settings.values() if isinstance(value, dict)]:
        for name, leaf in ADDED.get(str(recipe.get("_target_")), {}).items():
            if name not in recipe:
                recipe[name] = yaml.safe_load((conf_dir() / f"{leaf}.yaml").read_text(encoding="utf-8"))
        add_new_settings(recipe)


def drop_gone_settings(settings: dict[Any, Any]) -> dict[str, Any]:
    """Take what nothing reads today out of frozen settings, in place.

    Returns:
        The values by their dotted names.
    """
    gone = {}
    for key in GONE:
        holder, name = _holder(settings, key), key.rpartition(".")[2]
        if holder is not None and name in holder:
            gone[key] = holder.pop(name)
    return gone


def _holder(settings: Any, key: str) -> dict[Any, Any] | None:
    """The dict that a dotted key stands in, where there is one."""
    for name in key.split(".")[:-1]:
        settings = settings.get(name) if isinstance(settings, dict) else None
    return settings if isinstance(settings, dict) else None


def _told(old: str, new: str) -> str:
    print(f"rib: {old} is now called {new}; the old name will go with the next release", file=sys.stderr)
    return new
