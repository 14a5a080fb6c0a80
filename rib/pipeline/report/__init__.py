"""report.html: one file that shows the result beside the input, and what ran."""

from rib.pipeline.report.page import write_report_html
from rib.pipeline.report.preview import ReportPreview, ReportPreviewWriter, num_preview_frames
from rib.pipeline.report.stills import alone_stretches, report_stills

__all__ = [
    "ReportPreview",
    "ReportPreviewWriter",
    "alone_stretches",
    "num_preview_frames",
    "report_stills",
    "write_report_html",
]
