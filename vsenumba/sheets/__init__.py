"""Sheets of pictures with the tags that a model suggests for them, as an image or as one HTML file."""

from vsenumba.sheets.contact import contact_sheet, save_contact_sheet
from vsenumba.sheets.html import check_html_ending, html_sheet, save_html_sheet
from vsenumba.sheets.suggested import Suggested

__all__ = ["Suggested", "check_html_ending", "contact_sheet", "html_sheet", "save_contact_sheet", "save_html_sheet"]
