"""Tracking: tracklets linked over a clip, identities, swaps of left and right."""
