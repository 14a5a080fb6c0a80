"""Loggers: metrics.csv, Weights & Biases."""
