"""The report of a run: one HTML file with its data, results, figures and examples, and how to run it again."""

from vsenumba.reports.report import check_report_name, write_report

__all__ = ["check_report_name", "write_report"]
