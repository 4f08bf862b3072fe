"""The face sheet: what the profile shows."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from patients.models import Coverage, Patient, PatientName
from patients.printing.blocks import facts, heading
from patients.printing.clinical import care_team
from patients.printing.sheet import Sheet
from patients.printing.wording import day, span, with_marks
from patients.templatetags.patients import born

Pairs = Iterator[tuple[Any, Any]]


def face_sheet(sheet: Sheet, patient: Patient, contents: dict[str, Any]) -> None:
    """The profile's parts in its order; `contents` is the page's."""
    heading(sheet, _("Demographics"))
    facts(sheet, _demographics(patient))
    heading(sheet, _("Names"))
    facts(sheet, _names(patient, contents["names"]))
    _reaching(sheet, contents)
    heading(sheet, _("Identifiers"))
    numbers = [
        (row.kind, _with_end(row.shown_value, row)) for row in contents["identifiers"]
    ]
    facts(sheet, [(_("MRN"), patient.mrn), *numbers])
    _coverages(sheet, contents["coverages"])
    heading(sheet, _("Consents"))
    facts(sheet, _consents(contents), _("No consent is recorded."))
    heading(sheet, _("Care team"))
    none = _("Nobody is on the care team.")
    facts(sheet, care_team(contents["care_team"]), none)


def _reaching(sheet: Sheet, contents: dict[str, Any]) -> None:
    """How to reach the patient, and whom to turn to."""
    heading(sheet, _("Phone and e-mail"))
    telecom = [
        (f"{row.get_system_display()}, {row.get_use_display()}", row.value)
        for row in contents["telecom"]
    ]
    facts(sheet, telecom, _("No phone number or e-mail is recorded."))
    heading(sheet, _("Addresses"))
    addresses = [
        (row.get_use_display(), _with_end(row.text, row))
        for row in contents["addresses"]
    ]
    facts(sheet, addresses, _("No address is recorded."))
    heading(sheet, _("Contacts"))
    contacts = [
        (
            row.relationship or _("Contact"),
            _with_end(row.text, row, row.emergency_contact and _("Emergency contact")),
        )
        for row in contents["contacts"]
    ]
    facts(sheet, contacts, _("Nobody is recorded to turn to."))


def _demographics(patient: Patient) -> Pairs:
    yield _("Date of birth"), born(patient)
    yield _("Sex at birth"), patient.get_sex_at_birth_display()
    yield _("Gender"), patient.get_gender_display()
    yield _("Record"), _("Active") if patient.active else _("Inactive")
    if patient.deceased:
        died = patient.deceased_at
        yield _("Deceased"), day(died) if died else _("date not known")


def _names(patient: Patient, names: list[Any]) -> Pairs:
    yield _("First name"), patient.first_name
    if patient.middle_name:
        yield _("Middle name"), patient.middle_name
    yield _("Last name"), patient.last_name
    for row in names:
        if row.use != PatientName.Use.OFFICIAL or row.prefix or row.suffix:
            use = row.get_use_display().lower()
            yield _("Name (%(use)s)") % {"use": use}, _with_end(row.text, row)


def _coverages(sheet: Sheet, coverages: list[Any]) -> None:
    heading(sheet, _("Coverages"))
    if not coverages:
        facts(sheet, [], _("No insurance is recorded."))
    for number, row in enumerate(coverages):
        if number:
            sheet.set_y(sheet.get_y() + 2)
        facts(sheet, _coverage(row))


def _coverage(row: Any) -> Pairs:
    yield row.get_rank_display(), _with_end(row.payer_name, row)
    yield _("Type"), row.get_type_display()
    for label, value in (
        (_("Plan"), row.plan),
        (_("Member id"), row.member_id),
        (_("Group number"), row.group_number),
        (_("Payer id"), row.payer_id),
        (_("Address for claims"), row.payer_address),
        (_("Phone of the payer"), row.payer_phone),
        (_("Subscriber"), _subscriber(row)),
        (_("Holds"), span(row.start, row.end)),
    ):
        if value:
            yield label, value
    yield _("Eligibility"), _eligibility(row.check)


def _subscriber(row: Any) -> str:
    if row.relationship == Coverage.Relationship.SELF:
        return _("The patient")
    relationship = row.get_relationship_display().lower()
    said = _("the patient is: %(relationship)s") % {"relationship": relationship}
    return with_marks(row.subscriber_name, said)


def _eligibility(check: Any) -> str:
    if check is None:
        return _("Not checked yet.")
    copay = check.copay is not None and _("copay %(copay)s") % {"copay": check.copay}
    when = _("checked on %(day)s") % {"day": day(check.checked_at)}
    return with_marks(check.get_outcome_display(), check.plan, copay, when)


def _consents(contents: dict[str, Any]) -> Pairs:
    for coding in contents["unanswered"]:
        yield coding.display, _("Mandatory and missing")
    for row in contents["consents"]:
        text = (
            f"{row.get_state_display()}, {span(row.effective_date, row.expired_date)}"
        )
        yield row.coding.display, with_marks(text, row.expired and _("Expired"))


def _with_end(text: str, row: Any, *marks: Any) -> str:
    """A text, marked with its last day where that has passed."""
    return with_marks(text, *marks, row.over and span(None, row.end))
