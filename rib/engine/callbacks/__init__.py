"""Callbacks of a fit: monitors, profiles, preemption."""
