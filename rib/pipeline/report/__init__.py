"""report.html: one file that shows the result beside the input, and what ran."""

from rib.pipeline.report.page import write_report_html
from rib.pipeline.report.preview import ReportPreview, ReportPreviewWriter, num_preview_frames

__all__ = ["ReportPreview", "ReportPreviewWriter", "num_preview_frames", "write_report_html"]
