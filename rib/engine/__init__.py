"""Running a fit: trainer, run folder, checkpoints, loggers; it knows Lightning, and no stage by name."""
