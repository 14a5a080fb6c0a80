"""`rib inspect`: a result told in words."""

from __future__ import annotations

import sys
from pathlib import Path

from rib.config.exit_codes import exit_code
from rib.io.errors import RibError

USAGE = """usage: rib inspect RESULT

RESULT is the folder or the video that `rib interpolate` wrote. Told are its frames, the people in it, what
was not kept, where the interpolator stands alone and why, and where the time went.

  rib inspect out/
  rib inspect dance_96fps.mp4
"""


def command(arguments: list[str]) -> None:
    """Entry point for `rib inspect`."""
    if {"-h", "--help"} & set(arguments):
        print(USAGE, end="")
        return
    if len(arguments) != 1:
        raise RibError(f"rib inspect was given {len(arguments)} results", "type: rib inspect RESULT")
    from rib.pipeline.outputs.inspection import result_in_words

    for line in result_in_words(Path(arguments[0]).expanduser()):
        print(line)


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
