"""Sweeps: an Optuna study that goes on after a kill, and the table of a sweep's results."""
