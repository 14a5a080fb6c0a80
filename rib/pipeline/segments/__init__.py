"""Segments of a result: made one by one, kept until the last is there, then joined without encoding again."""
