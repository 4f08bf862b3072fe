"""The profile: the page that shows it, and the pages that change it."""

from patients.views.profile.demographics import demographics
from patients.views.profile.eligibility import eligibility
from patients.views.profile.page import profile
from patients.views.profile.rows import add_row, change_row, rows
from patients.views.profile.sections import SECTIONS, Section

__all__ = [
    "SECTIONS",
    "Section",
    "add_row",
    "change_row",
    "demographics",
    "eligibility",
    "profile",
    "rows",
]
