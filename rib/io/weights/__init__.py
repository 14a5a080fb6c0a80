"""Weights of nets in files, and the pinned packages that carry the trained ones."""
