"""The managed auth groups, declared once; staffing.group_keeping keeps them so.

The first twelve are S2's list ("We provide the following auth groups"), which "cannot be
altered"; the others are DESIGN section 5's.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _


class Kind(StrEnum):
    """What a managed group is for."""

    AREA = "area"
    EVERYONE = "everyone"
    ADMINISTRATION = "administration"


@dataclass(frozen=True)
class ManagedGroup:
    """One managed group: its permissions are "app_label.codename" names."""

    code: str
    name: str
    kind: Kind
    meaning: Any
    permissions: tuple[str, ...]


FIND = "patients.find_patient"
VIEW_PATIENT = "patients.view_patient"
PRINT = "patients.print_patient"
APPOINTMENT_STATUS = "patients.change_appointment_status"
ADMINISTER = "staffing.open_administration"

ALL_PATIENTS = "all-patients"
STAFF_PERMISSIONS = "staff-permissions"


def _model(app: str, model: str, *verbs: str) -> tuple[str, ...]:
    """The permission names of these verbs on a model."""
    return tuple(f"{app}.{verb}_{model}" for verb in verbs)


_PROFILE_DATA = (
    "patientname",
    "patientidentifier",
    "patientaddress",
    "patientcontactpoint",
    "patientcontact",
    "careteammembership",
    "consent",
    "coverage",
)

# What a chart is made of: the chart opens to whoever may view all of it.
CLINICAL_DATA = (
    "condition",
    "medication",
    "allergyintolerance",
    "immunization",
    "labreport",
    "imagingreport",
    "observation",
    "clinicaldocument",
    "refillrequest",
    "note",
    "notereview",
    "addendum",
    "reasonforvisit",
    "plan",
    "instruction",
    "vitalsigns",
    "diagnosis",
    "prescription",
    "laborder",
    "imagingorder",
    "referral",
    "notetask",
)
# What is charged, to whom, and what was paid.
REVENUE_DATA = ("claim", "claimline", "claimdiagnosis", "claimposting", "claimsnooze")
VIEW_CLINICAL = tuple(p for m in CLINICAL_DATA for p in _model("patients", m, "view"))
VIEW_REVENUE = tuple(
    p
    for m in (*REVENUE_DATA, "claimstatechange")
    for p in _model("patients", m, "view")
)
WRITE_REVENUE = tuple(
    p for m in REVENUE_DATA for p in _model("patients", m, "add", "change")
)
WRITE_CLINICAL = tuple(
    p for m in CLINICAL_DATA for p in _model("patients", m, "add", "change")
)

# What linking an incoming file to a chart writes.
WRITE_REPORTS = tuple(
    permission
    for model in ("labreport", "imagingreport", "clinicaldocument")
    for permission in _model("patients", model, "add", "change")
)
INCOMING_FILES = _model("patients", "incomingfile", "view", "add", "change")

MANAGED_GROUPS = (
    ManagedGroup(
        "schedule-write",
        "Schedule write",
        Kind.AREA,
        _("Books new appointments and changes the status of appointments."),
        (
            FIND,
            *_model("patients", "appointment", "add", "change"),
            APPOINTMENT_STATUS,
        ),
    ),
    ManagedGroup(
        "profile-read",
        "Profile read",
        Kind.AREA,
        _("Reads the patient profile: demographics, addresses and the like."),
        (FIND, VIEW_PATIENT),
    ),
    ManagedGroup(
        "profile-write",
        "Profile write",
        Kind.AREA,
        _("Changes the patient profile and runs eligibility checks."),
        (
            FIND,
            "patients.change_patient",
            *(p for m in _PROFILE_DATA for p in _model("patients", m, "add", "change")),
            "patients.add_eligibilitycheck",
        ),
    ),
    ManagedGroup(
        "clinical-read",
        "Clinical read",
        Kind.AREA,
        _("Reads clinical data, in the chart and in the panels."),
        (FIND, VIEW_PATIENT, *VIEW_CLINICAL),
    ),
    ManagedGroup(
        "clinical-write",
        "Clinical write",
        Kind.AREA,
        _(
            "Writes clinical data, reviews results and changes the status of "
            "appointments."
        ),
        (
            FIND,
            *WRITE_CLINICAL,
            APPOINTMENT_STATUS,
        ),
    ),
    ManagedGroup(
        "revenue-access",
        "Revenue access",
        Kind.AREA,
        _("Works with claims and with revenue data on the profile."),
        (FIND, *VIEW_REVENUE, *WRITE_REVENUE),
    ),
    ManagedGroup(
        "patient-create",
        "Patient create",
        Kind.AREA,
        _("Creates new patients, and reads the profile."),
        (FIND, VIEW_PATIENT, "patients.add_patient"),
    ),
    ManagedGroup(
        "document-read",
        "Document read",
        Kind.AREA,
        _("Reads patients' administrative documents."),
        (FIND, "patients.view_administrativedocument"),
    ),
    ManagedGroup(
        "document-write",
        "Document write",
        Kind.AREA,
        _(
            "Files, edits and removes patients' administrative documents, for whoever "
            "may read them."
        ),
        (FIND, *_model("patients", "administrativedocument", "add", "change")),
    ),
    ManagedGroup(
        "data-integration-access",
        "Data integration access",
        Kind.AREA,
        _(
            "Uploads files and works on incoming ones; linking a file to a patient "
            "needs Clinical write as well."
        ),
        (FIND, *INCOMING_FILES),
    ),
    ManagedGroup(
        "printing-access",
        "Printing access",
        Kind.AREA,
        _("Uses every link whose title has the word Print."),
        (FIND, PRINT),
    ),
    ManagedGroup(
        "tasking-access",
        "Tasking access",
        Kind.AREA,
        _(
            "Sees, makes and changes tasks, and writes comments about them; runs "
            "campaigns."
        ),
        (
            FIND,
            *_model("tasks", "task", "view", "add", "change"),
            *_model("tasks", "taskcomment", "view", "add"),
            *_model("tasks", "campaign", "view", "add", "change"),
        ),
    ),
    ManagedGroup(
        ALL_PATIENTS,
        "All Patients",
        Kind.EVERYONE,
        _("Reaches every patient, now and later, whatever their patient groups."),
        (),
    ),
    ManagedGroup(
        STAFF_PERMISSIONS,
        "Staff Permissions",
        Kind.ADMINISTRATION,
        _(
            "Administers staff, roles, teams, care team roles and patient groups, and "
            "decides who may do what."
        ),
        (
            ADMINISTER,
            *_model("staffing", "user", "view", "change"),
            *_model("staffing", "staff", "view", "add", "change"),
            *_model("staffing", "staffpermissions", "view", "change"),
            *_model("staffing", "groupchange", "view"),
            *_model("staffing", "role", "view", "add", "change"),
            *_model("staffing", "team", "view", "add", "change", "delete"),
            *_model("staffing", "careteamrole", "view", "add", "change"),
            *_model("auth", "group", "view"),
            *_model("patients", "patientgroup", "view", "add", "change", "delete"),
            *_model("patients", "patientgroupmember", "view", "add", "change"),
            *_model("patients", "patientgroupexclusion", "view", "add", "delete"),
            *_model("patients", "accessrequest", "view", "change"),
            "patients.hand_over_stranded",
        ),
    ),
    ManagedGroup(
        "settings",
        "Settings",
        Kind.ADMINISTRATION,
        _(
            "Keeps the clinic's lists: locations, visit types, consent codings, task "
            "labels and routing rules."
        ),
        (
            ADMINISTER,
            *_model("staffing", "location", "view", "add", "change"),
            *_model("staffing", "visittype", "view", "add", "change"),
            *_model("patients", "consentcoding", "view", "add", "change"),
            *_model("tasks", "tasklabel", "view", "add", "change"),
            *_model("tasks", "routingrule", "view", "add", "change", "delete"),
        ),
    ),
    ManagedGroup(
        "integrations",
        "Integrations",
        Kind.ADMINISTRATION,
        _(
            "Administers the programs that are connected to the clinic, and its protocols."
        ),
        (
            ADMINISTER,
            *_model("staffing", "application", "view", "add", "change"),
            *_model("protocols", "protocol", "view", "add", "change"),
            *_model("protocols", "apikey", "view", "add", "change"),
        ),
    ),
    ManagedGroup(
        "audit-read",
        "Audit read",
        Kind.ADMINISTRATION,
        _("Reads who saw and changed what."),
        (ADMINISTER, "audit.view_auditrow"),
    ),
)

BY_CODE = {declared.code: declared for declared in MANAGED_GROUPS}
BY_NAME = {declared.name: declared for declared in MANAGED_GROUPS}
AREA_CODES = frozenset(d.code for d in MANAGED_GROUPS if d.kind is Kind.AREA)


def is_managed_name(name: str) -> bool:
    """Whether a name is, but for its case, that of a managed group."""
    return name.casefold() in {managed.casefold() for managed in BY_NAME}


def managed_group(code: str) -> Group:
    """The database row of a managed group, found by the primary key stored at sync."""
    return Group.objects.get(managed__code=code)


def describe(group: Group) -> ManagedGroup | None:
    """The declaration of a managed group; None for a patient group's auth group."""
    link = getattr(group, "managed", None)
    return BY_CODE[link.code] if link else None
