"""Train a motion net on motion capture."""
