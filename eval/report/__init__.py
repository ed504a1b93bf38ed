"""A finished run's parts → Markdown, CSV, JUnit XML and one offline HTML page; the same for two runs side by side."""

from eval.report.writing import write_comparison, write_report

__all__ = ["write_comparison", "write_report"]
