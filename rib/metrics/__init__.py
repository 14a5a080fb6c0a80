"""Metrics of pictures and motions, by the definitions that every table of the project uses."""
