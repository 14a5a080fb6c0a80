"""Refining the rendered person with a net: its input, its dataset, its fit to one clip."""
