"""`rib interpolate`: the main job."""

from __future__ import annotations

import sys
from typing import Any

from rib.config.app import exit_code, run


def task(config: dict[str, Any]) -> None:
    """Run the chain and say where its result lies."""
    from rib.pipeline.interpolate import interpolate

    summary = interpolate(config)
    given, result = summary["input"], summary["output"]
    print(
        f"{result['frames']} frames at {result['fps']:g} a second, {result['made']} of them made, "
        f"in {result['place']}"
    )
    if given["fps_assumed"]:
        print(f"the pictures were taken as {given['fps']:g} frames a second; input_fps= says otherwise")
    for lost in summary["not_kept"]:
        print(f"not kept: {lost}")
    for fallback in summary["fallbacks"]:
        print(f"{fallback['start_s']:.2f}-{fallback['end_s']:.2f} s: {fallback['why']}")


def command(arguments: list[str], root: str | None = None) -> None:
    """Entry point for `rib interpolate`; `root` takes the place of its own root config."""
    run("interpolate", task, arguments, root)


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
