"""The screens of the app and the model permissions that open each.

Views, navigation, explanations and docs/permissions.md all read this table, so a screen
opens by exactly what its row says.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from patients import access
from patients.models import PatientGroup
from staffing.groups import (
    ADMINISTER,
    APPOINTMENT_STATUS,
    FIND,
    INCOMING_FILES,
    PRINT,
    VIEW_CLINICAL,
    VIEW_PATIENT,
    VIEW_REVENUE,
    WRITE_CLINICAL,
    WRITE_REPORTS,
    WRITE_REVENUE,
)


@dataclass(frozen=True)
class Area:
    """A screen: the permissions it asks for, and whether it shows one patient.

    A screen about one patient asks for the patient to be within reach as well; another
    lists what is within reach, and `beyond` tells what it shows besides. `deed` is what
    people do there, to stand behind "may". `url_name` is its first page, `more` are those
    that the navigation's link stands for, too.
    """

    code: str
    title: Any
    meaning: Any
    deed: Any
    permissions: tuple[str, ...]
    about_patient: bool
    url_name: str
    in_navigation: bool = False
    more: tuple[str, ...] = ()
    beyond: Any = ""


_OF_VISITS = _("every visit, of other patients in short")

_WRITE_TASKS = (
    FIND,
    "tasks.view_task",
    "tasks.view_taskcomment",
    "tasks.add_task",
    "tasks.change_task",
    "tasks.add_taskcomment",
)

AREAS = (
    Area(
        "find",
        _("Patients"),
        _("the search bar, the list of patients, and requests for access to others"),
        _("find patients by name"),
        (FIND,),
        False,
        "patients:list",
        in_navigation=True,
        beyond=_("others in short, by “See all patients”"),
    ),
    Area(
        "schedule",
        _("Schedule"),
        _("the schedule of the clinic, day by day"),
        _("look at the schedule"),
        (FIND,),
        False,
        "patients:schedule",
        in_navigation=True,
        beyond=_OF_VISITS,
    ),
    Area(
        "revenue",
        _("Revenue"),
        _("the claims of all patients within reach, by state, and their file"),
        _("work through claims by their state"),
        (FIND, "patients.view_claim"),
        False,
        "patients:revenue",
        in_navigation=True,
    ),
    Area(
        "tasks",
        _("Tasks"),
        _("tasks: one's own, those of one's teams, and all others within reach"),
        _("see tasks"),
        (FIND, "tasks.view_task", "tasks.view_taskcomment"),
        False,
        "tasks:list",
        in_navigation=True,
        more=(
            "tasks:create",
            "tasks:detail",
            "tasks:edit",
            "tasks:hand-over",
            "tasks:bulk",
            "tasks:campaigns",
            "tasks:new-campaign",
            "tasks:campaign",
            "tasks:campaign-end",
        ),
    ),
    Area(
        "write_tasks",
        _("New task"),
        _("making, changing, taking, handing over and ending tasks, and comments"),
        _("make and change tasks"),
        _WRITE_TASKS,
        False,
        "tasks:create",
    ),
    Area(
        "campaigns",
        _("Campaigns"),
        _("campaigns: a task for each patient within reach of a patient group"),
        _("run campaigns"),
        (
            *_WRITE_TASKS,
            "tasks.view_campaign",
            "tasks.add_campaign",
            "tasks.change_campaign",
        ),
        False,
        "tasks:campaigns",
    ),
    Area(
        "create",
        _("New patient"),
        _("the form for a new patient"),
        _("create patients"),
        (FIND, "patients.add_patient"),
        False,
        "patients:create",
        in_navigation=True,
        beyond=_("whether there is such a patient already"),
    ),
    Area(
        "chart",
        _("Chart"),
        _("a patient's clinical chart"),
        _("open the chart of this patient"),
        (VIEW_PATIENT, *VIEW_CLINICAL),
        True,
        "patients:chart",
    ),
    Area(
        "panels",
        _("Panels"),
        _("the panels: new labs, new imaging, other documents and refill requests"),
        _("work with the panels"),
        (VIEW_PATIENT, *VIEW_CLINICAL),
        False,
        "patients:labs",
        in_navigation=True,
        more=("patients:imaging", "patients:other-documents", "patients:refills"),
    ),
    Area(
        "review",
        _("Review"),
        _("reviewing results, answering refill requests and handing them over"),
        _("review the results of this patient"),
        (
            VIEW_PATIENT,
            *VIEW_CLINICAL,
            "patients.change_labreport",
            "patients.change_imagingreport",
            "patients.change_clinicaldocument",
            "patients.change_refillrequest",
        ),
        True,
        "patients:review",
    ),
    Area(
        "write_chart",
        _("Chart, writing"),
        _(
            "writing into a patient's chart: notes, conditions, medications and the like"
        ),
        _("write into the chart of this patient"),
        (VIEW_PATIENT, *VIEW_CLINICAL, *WRITE_CLINICAL),
        True,
        "patients:new-note",
    ),
    Area(
        "profile",
        _("Profile"),
        _("a patient's profile: demographics, addresses, coverages, consents"),
        _("open the profile of this patient"),
        (VIEW_PATIENT,),
        True,
        "patients:profile",
    ),
    Area(
        "edit-profile",
        _("Profile, changing"),
        _("changing a patient's profile: demographics, coverages, consents, care team"),
        _("change the profile of this patient"),
        (VIEW_PATIENT, "patients.change_patient"),
        True,
        "patients:demographics",
    ),
    Area(
        "appointments",
        _("Appointments"),
        _("a patient's appointments"),
        _("see the appointments of this patient"),
        (FIND,),
        True,
        "patients:appointments",
    ),
    Area(
        "documents",
        _("Documents"),
        _("a patient's administrative documents"),
        _("read the administrative documents of this patient"),
        (FIND, "patients.view_administrativedocument"),
        True,
        "patients:documents",
    ),
    Area(
        "write_documents",
        _("File document"),
        _("filing, editing and removing administrative documents"),
        _("file, edit and remove administrative documents of this patient"),
        (
            FIND,
            "patients.view_administrativedocument",
            "patients.add_administrativedocument",
            "patients.change_administrativedocument",
        ),
        True,
        "patients:file-document",
    ),
    Area(
        "claims",
        _("Claims"),
        _("a patient's claims and payments, and the balance on the profile"),
        _("see the claims and the balance of this patient"),
        (FIND, *VIEW_REVENUE),
        True,
        "patients:claims",
    ),
    Area(
        "write_claims",
        _("Claims, changing"),
        _("making claims, changing and moving them, posting payments"),
        _("make and change the claims of this patient, and post payments"),
        (FIND, *VIEW_REVENUE, *WRITE_REVENUE),
        True,
        "patients:add-claim",
    ),
    Area(
        "data-integration",
        _("Data integration"),
        _("files that came in: uploading, looking at, assigning and rejecting them"),
        _("work on incoming files"),
        (FIND, *INCOMING_FILES),
        False,
        "patients:data-integration",
        in_navigation=True,
        beyond=_("every file that is not linked yet: it is about nobody"),
    ),
    Area(
        "link_file",
        _("Link file"),
        _("linking an incoming file to a patient's chart, and taking that back"),
        _("link incoming files to the chart of this patient"),
        (FIND, *INCOMING_FILES, *WRITE_REPORTS),
        True,
        "patients:link-file",
    ),
    Area(
        "link_document",
        _("Link file, administrative"),
        _("linking an incoming file as an administrative document"),
        _("link incoming files to the administrative documents of this patient"),
        (
            FIND,
            *INCOMING_FILES,
            *WRITE_REPORTS,
            "patients.add_administrativedocument",
            "patients.change_administrativedocument",
        ),
        True,
        "patients:link-file",
    ),
    Area(
        "book",
        _("Book appointment"),
        _("the form for an appointment"),
        _("book appointments for this patient"),
        (FIND, "patients.add_appointment"),
        True,
        "patients:book",
    ),
    Area(
        "reschedule",
        _("Change appointment"),
        _("the form that moves an appointment"),
        _("change the appointments of this patient"),
        (FIND, "patients.change_appointment"),
        True,
        "patients:reschedule",
    ),
    Area(
        "status",
        _("Appointment status"),
        _("the status of an appointment"),
        _("change the status of this patient's appointments"),
        (FIND, APPOINTMENT_STATUS),
        True,
        "patients:appointment-status",
    ),
    Area(
        "print_chart",
        _("Print chart summary"),
        _("a patient's chart summary in print"),
        _("print the chart summary of this patient"),
        (VIEW_PATIENT, *VIEW_CLINICAL, PRINT),
        True,
        "patients:print-chart",
    ),
    Area(
        "print_results",
        _("Print results"),
        _("a patient's results in print"),
        _("print the results of this patient"),
        (VIEW_PATIENT, *VIEW_CLINICAL, PRINT),
        True,
        "patients:print-results",
    ),
    Area(
        "print_visit",
        _("Print visit summary"),
        _("the summary of a visit in print"),
        _("print the visits of this patient"),
        (VIEW_PATIENT, *VIEW_CLINICAL, PRINT),
        True,
        "patients:print-visit",
    ),
    Area(
        "print_statement",
        _("Print statement"),
        _("the statement of what a patient owes, in print"),
        _("print the statement of this patient"),
        (FIND, *VIEW_REVENUE, PRINT),
        True,
        "patients:print-statement",
    ),
    Area(
        "print_statements",
        _("Print statements"),
        _("the statements of all patients within reach who owe something, in print"),
        _("print the statements of who owes something"),
        (FIND, *VIEW_REVENUE, PRINT),
        False,
        "patients:print-statements",
    ),
    Area(
        "print_profile",
        _("Print face sheet"),
        _("a patient's profile in print"),
        _("print the profile of this patient"),
        (VIEW_PATIENT, PRINT),
        True,
        "patients:print-profile",
    ),
    Area(
        "print_appointments",
        _("Print appointments"),
        _("a patient's appointments in print"),
        _("print the appointments of this patient"),
        (FIND, PRINT),
        True,
        "patients:print-appointments",
    ),
    Area(
        "print_document",
        _("Print document"),
        _("a patient's administrative documents in print"),
        _("print the administrative documents of this patient"),
        (FIND, "patients.view_administrativedocument", PRINT),
        True,
        "patients:print-document",
    ),
    Area(
        "print_schedule",
        _("Print schedule"),
        _("the schedule in print"),
        _("print the schedule"),
        (FIND, PRINT),
        False,
        "patients:print-schedule",
        beyond=_OF_VISITS,
    ),
    Area(
        "audit",
        _("Audit report"),
        _("reports of who saw and changed what"),
        _("read who saw and changed what"),
        (ADMINISTER, "audit.view_auditrow"),
        False,
        "audit-report",
    ),
)
BY_CODE = {area.code: area for area in AREAS}

FIND_PATIENTS = BY_CODE["find"].permissions
CREATE_PATIENT = BY_CODE["create"].permissions
OPEN_CHART = BY_CODE["chart"].permissions
SEE_PANELS = BY_CODE["panels"].permissions
REVIEW = BY_CODE["review"].permissions
WRITE_CHART = BY_CODE["write_chart"].permissions
OPEN_PROFILE = BY_CODE["profile"].permissions
EDIT_PROFILE = BY_CODE["edit-profile"].permissions
OPEN_DOCUMENTS = BY_CODE["documents"].permissions
WRITE_DOCUMENTS = BY_CODE["write_documents"].permissions
SEE_REVENUE = BY_CODE["revenue"].permissions
SEE_CLAIMS = BY_CODE["claims"].permissions
WRITE_CLAIMS = BY_CODE["write_claims"].permissions
DATA_INTEGRATION = BY_CODE["data-integration"].permissions
LINK_FILE = BY_CODE["link_file"].permissions
LINK_DOCUMENT = BY_CODE["link_document"].permissions
SEE_SCHEDULE = BY_CODE["schedule"].permissions
SEE_APPOINTMENTS = BY_CODE["appointments"].permissions
BOOK = BY_CODE["book"].permissions
RESCHEDULE = BY_CODE["reschedule"].permissions
CHANGE_STATUS = BY_CODE["status"].permissions
SEE_TASKS = BY_CODE["tasks"].permissions
WRITE_TASKS = BY_CODE["write_tasks"].permissions
RUN_CAMPAIGNS = BY_CODE["campaigns"].permissions
PRINT_CHART = BY_CODE["print_chart"].permissions
PRINT_RESULTS = BY_CODE["print_results"].permissions
PRINT_VISIT = BY_CODE["print_visit"].permissions
PRINT_STATEMENT = BY_CODE["print_statement"].permissions
PRINT_STATEMENTS = BY_CODE["print_statements"].permissions
PRINT_PROFILE = BY_CODE["print_profile"].permissions
PRINT_APPOINTMENTS = BY_CODE["print_appointments"].permissions
PRINT_DOCUMENT = BY_CODE["print_document"].permissions
PRINT_SCHEDULE = BY_CODE["print_schedule"].permissions
READ_AUDIT = BY_CODE["audit"].permissions


def areas_open_to(permissions: set[str]) -> list[Area]:
    """The screens that these model permissions open."""
    return [area for area in AREAS if permissions.issuperset(area.permissions)]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context: the screens that the person can ever use, and whether each link is shown."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    usable = areas_open_to(user.get_all_permissions())
    return {
        "areas": usable,
        "navigation": [area for area in usable if area.in_navigation],
        "can": {area.code: True for area in usable},
        "reach": partial(reach_in_words, user),
    }


def reach_in_words(user: Any) -> str:
    """Whose patients an account reaches, by the names of its sources, uncounted."""
    found = access.streams(user)
    if None in found:
        return gettext("every patient")
    names = PatientGroup.objects.filter(pk__in=found).values_list("name", flat=True)
    if not names:
        return gettext("no patient")
    return gettext("the patients of %(groups)s") % {"groups": ", ".join(names)}
