"""Names of a result's papers, the files beside its video."""

from __future__ import annotations

CONFIG = "config.yaml"
SUMMARY = "summary.json"
INTERVALS = "intervals.csv"
REPORT = "report.html"
