"""report.html: one file that shows the result beside the input, and what ran."""

from rib.pipeline.report.page import write_report
from rib.pipeline.report.preview import Preview, PreviewWriter

__all__ = ["Preview", "PreviewWriter", "write_report"]
