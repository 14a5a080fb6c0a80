"""Outputs of a run: where they go, frames into video and pictures, shares for the summary."""
