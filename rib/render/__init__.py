"""Renderers: the person in the poses between two keyframes."""
