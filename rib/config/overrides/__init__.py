"""Overrides as they are typed: shorthand, paths taken literally, choices of groups, errors explained."""
