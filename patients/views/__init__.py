"""The patients' pages, one file per screen."""

from patients.views.access_requests import access_requests
from patients.views.appointments import (
    appointment,
    appointment_status,
    appointments,
    book,
    reschedule,
)
from patients.views.chart import chart
from patients.views.create import create, receipt
from patients.views.documents import (
    document_file,
    documents,
    edit_document,
    file_document,
    remove_document,
    restore_document,
)
from patients.views.new_appointment import new_appointment
from patients.views.profile import profile
from patients.views.request_access import request_access
from patients.views.results import results
from patients.views.roster import roster
from patients.views.schedule import schedule
from patients.views.search import search

__all__ = [
    "access_requests",
    "appointment",
    "appointment_status",
    "appointments",
    "book",
    "chart",
    "create",
    "document_file",
    "documents",
    "edit_document",
    "file_document",
    "new_appointment",
    "profile",
    "receipt",
    "remove_document",
    "request_access",
    "reschedule",
    "restore_document",
    "results",
    "roster",
    "schedule",
    "search",
]
