"""Signals that end a process, and processes that work for this one."""
