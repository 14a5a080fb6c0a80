"""Nets that render people, their discriminators, and their files."""
