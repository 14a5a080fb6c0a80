"""Nets that work out the poses in between, and their files."""
