"""A process beside rank 0: it is told what to train, and reads no command line."""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback

from rib.engine.place import FOLLOWER, place_of
from rib.io.workers import die_with_parent


def follow() -> int:
    """Train what rank 0 says until it says that nothing is left; returns the exit code."""
    if FOLLOWER in os.environ:
        die_with_parent(int(os.environ[FOLLOWER]))
    signal.signal(
        signal.SIGUSR2, signal.SIG_IGN
    )  # a cluster signals every process; the run listens by itself
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("rib").setLevel(logging.INFO)
    from rib.engine.fit import train
    from rib.engine.meeting import outside_meeting
    from rib.io.errors import RibError

    meeting, code = outside_meeting(), 0
    try:
        while (settings := meeting.hear()) is not None:
            try:
                train(settings, meeting)
            except Exception as error:
                code = 1 if isinstance(error, RibError) else 2
                traceback.print_exc()
                meeting.report(error)
    except RuntimeError as error:  # the store went away with rank 0
        print(f"rib: rank 0 is gone ({str(error).partition(chr(10))[0]})", file=sys.stderr)
        return 1
    return 0 if meeting.place.started_by == "torchrun" else code


def follows() -> bool:
    """Whether this process was started beside a rank 0 that reads the command line for it."""
    return not place_of().reads_settings


if __name__ == "__main__":
    sys.exit(follow())
