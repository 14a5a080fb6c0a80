"""Settings that were typed and that nothing of what was chosen reads: refused, as they change nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rib.config.paths import config_file, config_group_options, config_groups
from rib.io.errors import RibError

PASSED_ON = {
    "interpolate": ("poses",),
    "benchmark": ("poses",),
    "upsample": ("poses",),
    "prepare": ("device", "batch_mpx"),
}
"""Settings of a root that are read by those options alone whose files name them: `${poses}`."""

Settings = Mapping[str, Any]
Rule = tuple[tuple[str, ...], Callable[[Settings], bool], str, str]
"""Settings, when nothing reads them, why that is, and what to type."""


def _without(word: str) -> Callable[[Settings], bool]:
    def rule(settings: Settings) -> bool:
        from rib.pipeline.stages import ORDER, check_stage_wiring

        return word not in check_stage_wiring({stage: settings[stage] for stage in ORDER}).wanted

    return rule


def _poses_come_with_motion(settings: Settings) -> bool:
    from rib.pipeline.stages import ORDER, check_stage_wiring

    return check_stage_wiring({stage: settings[stage] for stage in ORDER}).pose_from_motion


def _goes_into_folder(settings: Settings) -> bool:
    from rib.video.writing.containers import is_video_output

    return settings["output"] is not None and not is_video_output(settings["output"])


RULES: dict[str, tuple[Rule, ...]] = {
    "interpolate": (
        (
            ("video.crf", "video.pixel_format"),
            lambda s: s["video"]["codec"] is None,
            "no video is written",
            "name an encoder: video.codec=libx264",
        ),
        (
            ("pose.max_people", "pose.min_visibility", "pose.tracker"),
            _poses_come_with_motion,
            "motion=files brings the poses",
            "leave it out",
        ),
        (
            ("sidecar",),
            _goes_into_folder,
            "output= is a folder, which holds everything",
            "name a video: output=NAME.mp4",
        ),
        (("mask",), _without("masks"), "what was chosen draws no person", "choose another render="),
        (
            ("plate", "neighbours"),
            _without("plate"),
            "what was chosen draws no person",
            "choose another render=",
        ),
        (("holdouts",), _without("holdouts"), "nothing is judged by them", "choose another render="),
        (
            ("render.fitting", "render.crops", "render.seed"),
            lambda s: s["render"].get("fit") == 0,
            "nothing is fitted",
            "type render.fit=300, or leave it out",
        ),
    ),
    "upsample": (
        (
            ("linear",),
            lambda s: s["layout"] != "reference",
            "only the poses of motion= are written",
            "type layout=reference",
        ),
    ),
    "evaluate": ((("show",), lambda s: not s["skeletons"], "no skeletons are shown", "type skeletons=true"),),
    "evaluate_humanslomo": (
        (("codec", "crf"), lambda s: not s["videos"], "no video is written", "type videos=true"),
    ),
}


def refuse_unused_settings(verb: str, typed: Iterable[str], settings: Settings, unresolved: Any) -> None:
    """Refuse what was typed and has no effect.

    Args:
        verb: Name of the root config.
        typed: The arguments as they were given, `key=value`.
        settings: The composed settings, plain and checked.
        unresolved: The same with the references between them still in place.

    Raises:
        RibError: The first of them.
    """
    given = dict(argument.lstrip("+").partition("=")[::2] for argument in typed if "=" in argument)
    for name in PASSED_ON.get(verb, ()):
        if given.get(name) not in (None, "null") and not _refers(unresolved, name):
            readers = _readers(name, settings)
            remedy = f"type {' or '.join(readers)}, or leave it out" if readers else "leave it out"
            raise RibError(f"{name}={given[name]} was given, but nothing of what was chosen reads it", remedy)
    for names, unused, why, remedy in RULES.get(verb, ()):
        typed_here = [key for key in given if any(key == n or key.startswith(f"{n}.") for n in names)]
        if typed_here and unused(settings):
            raise RibError(f"{typed_here[0]} was given, but {why}", remedy)


def _refers(node: Any, name: str) -> bool:
    """Whether anything inside refers to a root's setting."""
    if isinstance(node, Mapping):
        return any(_refers(value, name) for value in node.values())
    if isinstance(node, list):
        return any(_refers(value, name) for value in node)
    return isinstance(node, str) and f"${{{name}}}" in node


def _readers(name: str, settings: Settings) -> list[str]:
    """The options whose files read a root's setting, such as pose=files."""
    return [
        f"{group}={option}"
        for group in config_groups()
        if group in settings and group != "data"  # another collection is no remedy
        for option in config_group_options(group)
        if (file := config_file(f"{group}/{option}")) and f"${{{name}}}" in file.read_text(encoding="utf-8")
    ]
