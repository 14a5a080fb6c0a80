"""The refiner dataset: hidden frames of videos, rendered from their keyframes, beside the truth."""
