"""Render-In-Between: video of moving people at a higher frame rate, guided by their motion."""

__version__ = "0.1.0"
