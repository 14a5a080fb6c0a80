"""Hide frames of a clip, predict them with several methods, score the predictions against the truth."""
