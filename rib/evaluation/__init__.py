"""Score the checkpoints of renderers on clips that they never saw."""
