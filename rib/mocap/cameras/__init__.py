"""Virtual cameras that project motion capture."""
