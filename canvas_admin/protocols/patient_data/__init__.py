"""PatientProtocolInput: one patient as the workflow kit knows it (facts 7.2).

Every recordset is there, if only empty: the kit cannot do without. What the account may not
read is empty, too; of a patient out of its reach there is nothing at all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from canvas_admin.protocols.patient_data import chart, profile, visits, work
from canvas_admin.protocols.patient_data.shapes import Json
from patients import areas
from patients.access import Reach, reaches
from patients.models import Patient


class OutOfReach(LookupError):
    """The patient is not within the account's reach."""


Records = Callable[[Patient, Reach], list[Json]]


@dataclass(frozen=True)
class RecordSet:
    """What the kit calls it, the permissions that open it, and its records."""

    name: str
    permissions: tuple[str, ...]
    records: Records


RECORD_SETS = (
    RecordSet("administrativeDocuments", areas.OPEN_DOCUMENTS, visits.documents),
    RecordSet("allergyIntolerances", areas.OPEN_CHART, chart.allergies),
    RecordSet("appointments", areas.FIND_PATIENTS, visits.appointments),
    RecordSet("billingLineItems", areas.SEE_CLAIMS, visits.billed),
    RecordSet("conditions", areas.OPEN_CHART, chart.conditions),
    RecordSet("consents", areas.OPEN_PROFILE, profile.consents),
    RecordSet("imagingReports", areas.OPEN_CHART, chart.imaging_reports),
    RecordSet("immunizations", areas.OPEN_CHART, chart.immunizations),
    RecordSet("instructions", areas.OPEN_CHART, chart.instructions),
    RecordSet("labOrders", areas.OPEN_CHART, chart.lab_orders),
    RecordSet("labReports", areas.OPEN_CHART, chart.lab_reports),
    RecordSet("medications", areas.OPEN_CHART, chart.medications),
    RecordSet("prescriptions", areas.OPEN_CHART, chart.prescriptions),
    RecordSet("reasonForVisits", areas.OPEN_CHART, chart.reasons),
    RecordSet("protocolOverrides", areas.OPEN_CHART, work.overrides),
    RecordSet("referralReports", areas.OPEN_CHART, chart.referral_reports),
    RecordSet("referrals", areas.OPEN_CHART, chart.referrals),
    RecordSet("tasks", areas.SEE_TASKS, work.tasks),
    RecordSet("upcomingAppointments", areas.FIND_PATIENTS, visits.upcoming),
    RecordSet("vitalSigns", areas.OPEN_CHART, chart.vital_signs),
)
# Of these nothing is kept here.
EMPTY = (
    "externalEvents",
    "inpatientStay",
    "interviews",
    "messages",
    "procedures",
    "protocols",
    "suspectHccs",
    "upcomingAppointmentNotes",
)


def patient_data(account: Any, patient: Patient) -> Json:
    """What this account may know of this patient, in the kit's shape.

    In a number of queries that does not depend on how much there is. Raises OutOfReach
    for a patient out of reach.
    """
    reach = Reach.of(account).read()
    if not reaches(reach, patient):
        raise OutOfReach("There is no such patient within reach.")
    may_open = account.has_perms(areas.OPEN_PROFILE)
    found: Json = {
        "patient": (
            profile.demographics(patient, reach) if may_open else profile.named(patient)
        ),
        "groups": profile.groups(patient, reach, account) if may_open else [],
    }
    found |= {name: [] for name in EMPTY}
    for each in RECORD_SETS:
        may = account.has_perms(each.permissions)
        found[each.name] = each.records(patient, reach) if may else []
    if not account.has_perms(areas.OPEN_CHART):
        visits.leave_out_reasons(found["upcomingAppointments"])
    return found
