"""A worker process beside rank 0: it receives the settings to train with, and reads no command line."""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback

from rib.engine.distributed.environment import WORKER, distributed_env
from rib.engine.settings import TrainSettings
from rib.io.processes.workers import die_with_parent

log = logging.getLogger(__name__)


def run_training_worker() -> int:
    """Train with every settings that rank 0 broadcasts, until none are left; returns the exit code."""
    if WORKER in os.environ:
        die_with_parent(int(os.environ[WORKER]))
    for number in (signal.SIGUSR1, signal.SIGUSR2):  # a cluster signals every process; the run listens itself
        signal.signal(number, signal.SIG_IGN)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("rib").setLevel(logging.INFO)
    from rib.engine.distributed.rendezvous import outside_rendezvous
    from rib.io.errors import RibError

    rendezvous, code = outside_rendezvous(), 0
    try:
        while True:
            try:
                settings = rendezvous.receive()
            except RibError as refusal:  # rank 0 says so itself
                log.info("%s", refusal)
                continue
            if settings is None:
                break
            try:
                from rib.engine.fit import train_in_this_process

                train_in_this_process(TrainSettings.of(settings), rendezvous)
            except Exception as error:
                code = 1 if isinstance(error, RibError) else 2
                traceback.print_exc()
                rendezvous.report(error)
    except RuntimeError as error:  # the store went away with rank 0
        print(f"rib: rank 0 is gone ({str(error).partition(chr(10))[0]})", file=sys.stderr)
        return 1
    return 0 if rendezvous.env.started_by == "torchrun" else code


def is_training_worker() -> bool:
    """Whether this process was started beside a rank 0 that reads the command line for it."""
    return not distributed_env().reads_settings


if __name__ == "__main__":
    sys.exit(run_training_worker())
