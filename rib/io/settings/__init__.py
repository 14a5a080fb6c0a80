"""Typed settings: records of plain values, their ranges, and those that are paths."""
