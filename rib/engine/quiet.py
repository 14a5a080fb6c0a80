"""Warnings of Lightning that say nothing to a user of rib."""

from __future__ import annotations

import logging
import os
import warnings


def quiet_lightning() -> None:
    """Keep Lightning's advertisements and our own deliberate choices out of the terminal."""
    for name in ("pytorch_lightning.utilities.rank_zero", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in (
        ".*in eval mode at the start of training.*",  # the EMA
        ".*LeafSpec.*",
        ".*does not have many workers.*",
        ".*smaller than the logging interval.*",  # short runs, to try things out
        ".*ModelCheckpoint with manual optimization.*",  # the weights after a step are wanted
        ".*exists and is not empty.*",  # a resumed run goes on in its folder
        "The dirpath has changed from.*",  # one resumed in another folder keeps its own best from there on
        ".*your dataloader is not resumable.*",  # our samplers go on where the checkpoint stopped
    ):
        warnings.filterwarnings("ignore", message=message)
    os.environ.setdefault("WANDB_SILENT", "true")
