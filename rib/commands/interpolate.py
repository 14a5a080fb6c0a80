"""`rib interpolate`: the main job."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

from rib.config.app import run_verb
from rib.config.exit_codes import exit_code
from rib.io.errors import RibError
from rib.pipeline.settings import InterpolateSettings


def task(config: InterpolateSettings) -> None:
    """Make the result of every clip and say where it lies.

    Raises:
        RibError: The only clip could not be made, or some of several; the others are there then.
    """
    from rib.pipeline.progress import speaking_as_asked

    with speaking_as_asked(config.quiet, config.verbose):
        _make(config, (lambda line: None) if config.quiet else print)


def _make(config: InterpolateSettings, tell: Callable[[str], None]) -> None:
    from rib.pipeline.batch import input_clips, interpolate_clips
    from rib.pipeline.interpolate import interpolate_clip
    from rib.pipeline.outputs.summary import summary_in_words

    clips = input_clips(config)
    if len(clips) == 1:
        tell("\n".join(summary_in_words(interpolate_clip(replace(config, input=clips[0], more_inputs=[])))))
        return
    failed = 0
    for outcome in interpolate_clips(config, clips):
        if outcome.error is not None:
            failed += 1
            print(f"rib: {outcome.input}: {outcome.error}", file=sys.stderr)
        elif outcome.summary is None:
            tell(f"{outcome.input}: done before, in {outcome.place}")
        else:
            tell("\n".join(summary_in_words(outcome.summary)))
    if failed:
        raise RibError(f"{failed} of {len(clips)} clips could not be made", "the lines above say why")


def command(arguments: list[str], root: str | None = None) -> None:
    """Entry point for `rib interpolate`; `root` takes the place of its own root config."""
    run_verb("interpolate", task, arguments, root)


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
