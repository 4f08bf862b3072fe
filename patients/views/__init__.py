"""The patients' pages, one file per screen."""

from patients.views.chart import chart
from patients.views.create import create, receipt
from patients.views.profile import profile
from patients.views.roster import roster
from patients.views.search import search

__all__ = ["chart", "create", "profile", "receipt", "roster", "search"]
