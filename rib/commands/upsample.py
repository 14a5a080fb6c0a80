"""`rib upsample`: poses alone at a higher frame rate."""

from __future__ import annotations

import sys

from rib.config.app import run_verb
from rib.config.exit_codes import exit_code
from rib.pipeline.settings import UpsampleSettings


def task(config: UpsampleSettings) -> None:
    """Up-sample every clip and say where its poses lie."""
    from rib.pipeline.upsample import ASSUMED_FPS, upsample_poses

    if config.input_fps is None:
        print(f"the keypoints were taken as {ASSUMED_FPS:g} a second; input_fps= says otherwise")
    for clip in upsample_poses(config):
        places = " and ".join(map(str, clip.folders))
        if clip.poses is None:
            print(f"{clip.name}: done before, in {places}")
            continue
        print(f"{clip.name}: {clip.given} poses in, {len(clip.poses)} out in {places}")
        for note in clip.notes:
            print(f"  {note}")


def command(arguments: list[str]) -> None:
    """Entry point for `rib upsample`."""
    run_verb("upsample", task, arguments)


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
