"""Searches before the first step: a learning rate by a range test, and the largest batch that fits."""

from rib.engine.finders.before_fit import find_before_fit, with_findings_kept

__all__ = ["find_before_fit", "with_findings_kept"]
