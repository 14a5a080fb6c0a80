"""Settings that were typed and that nothing of what was chosen reads: refused, as they change nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rib.config.annotations import hints_inside, marks_of
from rib.config.paths import config_file, config_group_options, config_groups
from rib.io.errors import RibError
from rib.io.settings.reads import PassedOn, ReadWith, TargetAlone
from rib.io.settings.records import Settings, annotations_of_settings
from rib.io.settings.values import text_of

Given = Mapping[str, Any]
Rule = tuple[tuple[str, ...], Callable[[Given], bool], str, str]
"""Settings, when nothing reads them, why that is, and what to type."""


def _without(word: str) -> Callable[[Given], bool]:
    def rule(settings: Given) -> bool:
        from rib.pipeline.stages import ORDER, check_stage_wiring

        return word not in check_stage_wiring({stage: settings[stage] for stage in ORDER}).wanted

    return rule


def _poses_come_with_motion(settings: Given) -> bool:
    from rib.pipeline.stages import ORDER, check_stage_wiring

    return check_stage_wiring({stage: settings[stage] for stage in ORDER}).pose_from_motion


def _mattes_share_pose_looks(settings: Given) -> bool:
    from rib.io.recipe import locate_recipe_target
    from rib.pipeline.stages import ORDER, check_stage_wiring, mattes_share_pose_looks

    pose, mask = (locate_recipe_target(settings[stage]["_target_"]) for stage in ("pose", "mask"))
    return mattes_share_pose_looks(pose, mask, check_stage_wiring({one: settings[one] for one in ORDER}))


def _goes_into_folder(settings: Given) -> bool:
    from rib.video.writing.containers import is_video_output

    return settings["output"] is not None and not is_video_output(settings["output"])


RULES: dict[str, tuple[Rule, ...]] = {
    "interpolate": (
        (("pose",), _poses_come_with_motion, "motion=files brings the poses", "leave it out"),
        (
            ("sidecar",),
            _goes_into_folder,
            "output= is a folder, which holds everything",
            "name a video: output=NAME.mp4",
        ),
        (
            ("report",),
            lambda s: s["report"] and not s["sidecar"] and not _goes_into_folder(s),
            "sidecar=false leaves it out",
            "leave one of them out",
        ),
        (
            ("sound",),
            lambda s: s["video"]["codec"] is None,
            "no video is written",
            "name an encoder: video.codec=libx264",
        ),
        (
            ("video.png_level",),
            lambda s: not s["video"]["pictures"] and s["layout"] != "reference",
            "no pictures are written",
            "type video.pictures=true",
        ),
        (("mask",), _without("masks"), "what was chosen draws no person", "choose another render="),
        (
            ("mask.window_px", "mask.zoom"),
            _mattes_share_pose_looks,
            "mattes are made of the masks that the pose stage sees",
            "type pose.window_px=, or choose another pose=",
        ),
        (
            ("mask.runtime",),
            _mattes_share_pose_looks,
            "mattes are made of the masks that the pose stage sees",
            "type pose.runtime=, or choose another pose=",
        ),
        (
            ("plate", "neighbours"),
            _without("plate"),
            "what was chosen draws no person",
            "choose another render=",
        ),
        (("holdouts",), _without("holdouts"), "nothing is judged by them", "choose another render="),
    ),
}
"""What is not read because of how the stages of a chain, or the parts of a result, stand to each other. What
depends on one setting beside it is marked where it is declared: `rib.io.settings.reads`."""


def refuse_unused_settings(
    verb: str, root: type[Settings], typed: Iterable[str], settings: Given, unresolved: Any
) -> None:
    """Refuse what was typed and has no effect.

    Args:
        verb: Name of the root config.
        root: Its record.
        typed: The arguments as they were given, `key=value`.
        settings: The composed settings, plain and checked.
        unresolved: The same with the references between them still in place.

    Raises:
        RibError: The first of them.
    """
    given = dict(argument.lstrip("+").partition("=")[::2] for argument in typed if "=" in argument)
    given = {key.rpartition("@")[2].replace("/", "."): value for key, value in given.items()}
    passed_on = {name for name, hint in annotations_of_settings(root).items() if marks_of(hint, PassedOn)}
    for name in sorted(passed_on & set(given)):
        if given[name] != "null" and not _refers(unresolved, name):
            readers = _readers(name, settings)
            remedy = f"type {' or '.join(readers)}, or leave it out" if readers else "leave it out"
            raise RibError(f"{name}={given[name]} was given, but nothing of what was chosen reads it", remedy)
    for names, unused, why, remedy in RULES.get(verb, ()):
        typed_here = [key for key in given if any(key == n or key.startswith(f"{n}.") for n in names)]
        if typed_here and unused(settings):
            raise RibError(f"{typed_here[0]} was given, but {why}", remedy)
    for key in given:
        _refuse_unread(key, settings, annotations_of_settings(root))


def _refuse_unread(key: str, settings: Given, hints: Mapping[str, Any]) -> None:
    """Refuse a setting that a mark on the way to it says is not read."""
    names = key.split(".")
    for depth, name in enumerate(names):
        place = "".join(f"{n}." for n in names[:depth])
        for mark in marks_of(hints.get(name), ReadWith):
            if not mark.is_read(settings):
                other, value = f"{place}{mark.other}", text_of(settings.get(mark.other))
                why = f"nothing reads it with {other}={value}"
                raise RibError(f"{key} was given, but {why}", f"type {other}={mark.example}, or leave it out")
        for alone in marks_of(hints.get(name), TargetAlone):
            if depth + 1 < len(names):
                raise RibError(f"{key} was given, but {alone.why}", "leave it out")
        inner = settings.get(name)
        if not isinstance(inner, Mapping):
            return
        settings, hints = inner, hints_inside(inner, hints.get(name))


def _refers(node: Any, name: str) -> bool:
    """Whether anything inside refers to a root's setting."""
    if isinstance(node, Mapping):
        return any(_refers(value, name) for value in node.values())
    if isinstance(node, list):
        return any(_refers(value, name) for value in node)
    return isinstance(node, str) and f"${{{name}}}" in node


def _readers(name: str, settings: Given) -> list[str]:
    """The options whose files read a root's setting, such as pose=files."""
    return [
        f"{group}={option}"
        for group in config_groups()
        if group in settings and group != "data"  # another collection is no remedy
        for option in config_group_options(group)
        if (file := config_file(f"{group}/{option}")) and f"${{{name}}}" in file.read_text(encoding="utf-8")
    ]
