"""report.html: one file that shows the result beside the input, and what ran."""

from rib.pipeline.report.page import write_report

__all__ = ["write_report"]
