"""The patients' pages."""

from django.urls import URLPattern, path

from patients import panels, views
from patients.views.chart_sections import CHART_SECTIONS
from patients.views.claims import PARTS, Part
from patients.views.profile import SECTIONS, Section

PROFILE = "patient/<str:key>/profile/"
CHART = "patient/<str:key>/chart/"
NOTES = "patient/<str:key>/notes/"
NOTE = f"{NOTES}<str:note>/"
COMMAND = f"{NOTE}commands/<slug:kind>/<str:command>/"
CLAIM = "patient/<str:key>/claims/<str:claim>/"
WORK = "patient/<str:key>/work/<slug:kind>/<str:row>/"


def _pages_of(section: Section, page: str) -> list[URLPattern]:
    """The rows of a section of a page, a new one, and one that is there."""
    address, about = f"{page}{section.slug}/", {"section": section}
    name = section.slug
    return [
        path(address, views.rows, about, name=name),
        path(f"{address}new/", views.add_row, about, name=f"{name}-add"),
        path(f"{address}<str:row>/", views.change_row, about, name=f"{name}-change"),
    ]


PRINT = "patient/<str:key>/print/"
PRINTS = [
    path(f"{PRINT}chart/", views.print_chart, name="print-chart"),
    path(f"{PRINT}profile/", views.print_profile, name="print-profile"),
    path(f"{PRINT}appointments/", views.print_appointments, name="print-appointments"),
    path(f"{PRINT}results/<slug:kind>/", views.print_results, name="print-results"),
    path(
        f"{PRINT}documents/<str:document>/", views.print_document, name="print-document"
    ),
    path(f"{PRINT}visits/<str:note>/", views.print_visit, name="print-visit"),
    path(f"{PRINT}statement/", views.print_statement, name="print-statement"),
    path("schedule/print/", views.print_schedule, name="print-schedule"),
]


def _forms_of(part: Part) -> list[URLPattern]:
    """The forms of a claim's parts: a new one, one that is there, ending one."""
    address, about = f"{CLAIM}{part.related}/", {"part": part}
    name = f"claim-{part.code}"
    change = path(f"{address}<str:row>/", views.change_part, about, f"{name}-change")
    return [
        path(f"{address}new/", views.add_part, about, f"{name}-add"),
        *([change] if part.changeable else []),
        path(f"{address}<str:row>/end/", views.end_part, about, f"{name}-end"),
    ]


INBOX = "data-integration/"

app_name = "patients"
urlpatterns = [
    path("patients/", views.roster, name="list"),
    path("patients/search/", views.search, name="search"),
    path("patients/new/", views.create, name="create"),
    path("patients/access/", views.access_requests, name="access-requests"),
    path("patients/access/ask/", views.request_access, name="request-access"),
    path("patients/new/receipt/", views.receipt, name="receipt"),
    path("patient/<str:key>/", views.chart, name="chart"),
    path("patient/<str:key>/results/<slug:kind>/", views.results, name="results"),
    path(
        "patient/<str:key>/results/<slug:kind>/<str:row>/file/",
        views.result_file,
        name="result-file",
    ),
    path(PROFILE, views.profile, name="profile"),
    path(f"{PROFILE}demographics/", views.demographics, name="demographics"),
    *(page for section in SECTIONS for page in _pages_of(section, PROFILE)),
    *(page for section in CHART_SECTIONS for page in _pages_of(section, CHART)),
    path(NOTES, views.notes, name="notes"),
    path(f"{NOTES}new/", views.new_note, name="new-note"),
    path(NOTE, views.note, name="note"),
    path(f"{NOTE}change/", views.edit_note, name="edit-note"),
    path(f"{NOTE}sign/", views.sign_note, name="sign-note"),
    path(f"{NOTE}in-error/", views.note_in_error, name="note-in-error"),
    path(f"{NOTE}addendum/", views.addendum, name="addendum"),
    path(
        f"{NOTE}commands/<slug:kind>/",
        views.add_command,
        name="add-command",
    ),
    path(COMMAND, views.edit_command, name="edit-command"),
    *(
        path(f"{COMMAND}{act}/", views.command_act, {"act": act}, name=f"{act}-command")
        for act in ("commit", "remove", "error")
    ),
    path(
        f"{PROFILE}coverages/<str:row>/eligibility/",
        views.eligibility,
        name="coverages-eligibility",
    ),
    *(
        path(
            f"panels/{kind.code}/",
            views.panel,
            {"kind": kind},
            name=kind.url_name.removeprefix("patients:"),
        )
        for kind in panels.KINDS
    ),
    path(f"{WORK}review/", views.review, name="review"),
    path(f"{WORK}review/undo/", views.undo_review, name="undo-review"),
    path(f"{WORK}hand-over/", views.hand_over, name="hand-over"),
    path("patient/<str:key>/refills/<str:row>/", views.refill, name="refill"),
    path("revenue/", views.revenue, name="revenue"),
    path("revenue/file/", views.revenue_file, name="revenue-file"),
    path("patient/<str:key>/claims/", views.claims, name="claims"),
    path("patient/<str:key>/claims/new/", views.add_claim, name="add-claim"),
    path(
        "patient/<str:key>/claims/new/<str:note>/", views.add_claim, name="claim-note"
    ),
    path(CLAIM, views.claim, name="claim"),
    path(f"{CLAIM}change/", views.change_claim, name="change-claim"),
    path(f"{CLAIM}state/", views.claim_state, name="claim-state"),
    *(form for part in PARTS for form in _forms_of(part)),
    path("schedule/", views.schedule, name="schedule"),
    path("schedule/new/", views.new_appointment, name="new-appointment"),
    path("patient/<str:key>/appointments/", views.appointments, name="appointments"),
    path("patient/<str:key>/appointments/new/", views.book, name="book"),
    path(
        "patient/<str:key>/appointments/<str:appointment>/",
        views.appointment,
        name="appointment",
    ),
    path(
        "patient/<str:key>/appointments/<str:appointment>/change/",
        views.reschedule,
        name="reschedule",
    ),
    path(
        "patient/<str:key>/appointments/<str:appointment>/status/",
        views.appointment_status,
        name="appointment-status",
    ),
    path(
        "patient/<str:key>/appointments/<str:appointment>/note/",
        views.start_note,
        name="start-note",
    ),
    path("patient/<str:key>/documents/", views.documents, name="documents"),
    path("patient/<str:key>/documents/new/", views.file_document, name="file-document"),
    path(
        "patient/<str:key>/documents/<str:document>/file/",
        views.document_file,
        name="document-file",
    ),
    path(
        "patient/<str:key>/documents/<str:document>/change/",
        views.edit_document,
        name="edit-document",
    ),
    path(
        "patient/<str:key>/documents/<str:document>/remove/",
        views.remove_document,
        name="remove-document",
    ),
    path(
        "patient/<str:key>/documents/<str:document>/restore/",
        views.restore_document,
        name="restore-document",
    ),
    *PRINTS,
    path(INBOX, views.data_integration, name="data-integration"),
    path(f"{INBOX}upload/", views.upload_files, name="upload-files"),
    path(f"{INBOX}<str:file>/file/", views.incoming_file, name="incoming-file"),
    path(
        f"{INBOX}<str:file>/change/",
        views.change_incoming_file,
        name="change-incoming-file",
    ),
    path(f"{INBOX}<str:file>/reject/", views.reject_file, name="reject-file"),
    path(f"{INBOX}<str:file>/restore/", views.restore_file, name="restore-file"),
    path(f"{INBOX}<str:file>/link/", views.choose_patient, name="choose-patient"),
    path(f"{INBOX}<str:file>/link/<str:key>/", views.link_file, name="link-file"),
    path(f"{INBOX}<str:file>/unlink/<str:key>/", views.unlink_file, name="unlink-file"),
]
