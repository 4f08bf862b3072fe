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
from patients.views.claims import (
    add_claim,
    add_part,
    change_claim,
    change_part,
    claim,
    claim_state,
    claims,
    end_part,
    revenue,
    revenue_file,
    snooze_claim,
)
from patients.views.commands import add_command, command_act, edit_command
from patients.views.create import create, receipt
from patients.views.data_integration import (
    change_incoming_file,
    data_integration,
    incoming_file,
    reject_file,
    restore_file,
    upload_files,
)
from patients.views.documents import (
    document_file,
    documents,
    edit_document,
    file_document,
    remove_document,
    restore_document,
)
from patients.views.linking import choose_patient, link_file, unlink_file
from patients.views.new_appointment import new_appointment
from patients.views.note_reviews import ask_review
from patients.views.notes import (
    addendum,
    edit_note,
    new_note,
    note,
    note_in_error,
    notes,
    sign_note,
    start_note,
)
from patients.views.panels import panel
from patients.views.printing import (
    print_appointments,
    print_chart,
    print_document,
    print_profile,
    print_result,
    print_results,
    print_schedule,
    print_statement,
    print_statements,
    print_visit,
)
from patients.views.profile import (
    add_row,
    change_row,
    demographics,
    eligibility,
    profile,
    rows,
)
from patients.views.refills import record_refill, refill
from patients.views.request_access import request_access
from patients.views.results import result_file, results
from patients.views.review import hand_over, review, undo_review
from patients.views.roster import roster
from patients.views.schedule import schedule
from patients.views.search import search

__all__ = [
    "access_requests",
    "add_claim",
    "add_command",
    "add_part",
    "add_row",
    "addendum",
    "appointment",
    "appointment_status",
    "appointments",
    "ask_review",
    "book",
    "change_claim",
    "change_incoming_file",
    "change_part",
    "change_row",
    "chart",
    "choose_patient",
    "claim",
    "claim_state",
    "claims",
    "command_act",
    "create",
    "data_integration",
    "demographics",
    "document_file",
    "documents",
    "edit_command",
    "edit_document",
    "edit_note",
    "eligibility",
    "end_part",
    "file_document",
    "hand_over",
    "incoming_file",
    "link_file",
    "new_appointment",
    "new_note",
    "note",
    "note_in_error",
    "notes",
    "panel",
    "print_appointments",
    "print_chart",
    "print_document",
    "print_profile",
    "print_result",
    "print_results",
    "print_schedule",
    "print_statement",
    "print_statements",
    "print_visit",
    "profile",
    "receipt",
    "record_refill",
    "refill",
    "reject_file",
    "remove_document",
    "request_access",
    "reschedule",
    "restore_document",
    "restore_file",
    "result_file",
    "results",
    "revenue",
    "revenue_file",
    "review",
    "roster",
    "rows",
    "schedule",
    "search",
    "sign_note",
    "snooze_claim",
    "start_note",
    "undo_review",
    "unlink_file",
    "upload_files",
]
