"""A Consent that comes in is the patient's answer to one kind of consent (facts 5.1)."""

from datetime import date
from typing import Any

from django.db import transaction

from canvas_admin.audit import trail
from canvas_admin.fhir import elements, outcomes
from canvas_admin.fhir.bundles import Rejected
from canvas_admin.fhir.references import id_in, names_nobody, required
from canvas_admin.fhir.resources import KEY, Json
from canvas_admin.fhir.rows import fit
from canvas_admin.records import clock
from patients import areas, filing, gate
from patients.fhir.attachments import PDF, decoded, pdf
from patients.forms.consents import AHEAD
from patients.models import AdministrativeDocument, Consent, ConsentCoding, Patient
from staffing.models import staff_of

State = Consent.State
# Ours for FHIR's.
STATUSES = {"active": State.ACCEPTED, "rejected": State.REJECTED}
AT = "body -> provision -> period"


def create(request: Any, data: Json) -> Consent:
    """The answer, with its signed form; one that is there keeps its id (facts 5.1).

    Raises Problem (403) for a form of somebody who may not file documents.
    """
    said = Said(request, data)
    if said.form and not request.user.has_perms(areas.WRITE_DOCUMENTS):
        trail.refused(request, "fhir:Consent.create", said.patient.key)
        raise outcomes.Problem(*outcomes.FORBIDDEN)
    with transaction.atomic():
        Patient.objects.select_for_update(no_key=True).get(pk=said.patient.pk)
        seen = gate.still_open(request, said.patient)
        if said.form:
            filing.save(request, said.form, "document.file")
        row = Consent.record(
            said.patient, said.coding, said.state, said.start, said.end, said.form
        )
        trail.done(
            request.user,
            "consent.record",
            seen,
            request=request,
            subject=f"consent/{row.key}",
        )
    return row


class Said:
    """What a Consent says in our terms.

    Raises Rejected for what is missing or malformed, and Problem (422) for what names
    nobody or is not offered.
    """

    def __init__(self, request: Any, data: Json) -> None:
        self.state = STATUSES.get(data.get("status"))
        if self.state is None:
            raise Rejected(f"body -> status — is none of {', '.join(STATUSES)}")
        self.start, self.end = _period(data)
        self.patient = _patient(request, data)
        self.coding = _coding(data)
        self.form = _form(request, data, self.patient, self.coding)


def _period(data: Json) -> tuple[date, date | None]:
    period = (data.get("provision") or {}).get("period") or {}
    start, end = (_day(period.get(name), name) for name in ("start", "end"))
    if start is None:
        raise required("provision -> period -> start")
    if end and end < start:
        raise Rejected(f"{AT} -> end — lies before the start")
    if start > clock.today() + AHEAD:
        raise outcomes.against_the_rules(
            "The consent begins more than a year from today"
        )
    return start, end


def _day(text: str | None, name: str) -> date | None:
    if not text:
        return None
    day, precision = elements.day(text[:10], f"{AT} -> {name}")
    if precision != "day":
        raise Rejected(f"{AT} -> {name} — is a day, YYYY-MM-DD")
    return day


def _patient(request: Any, data: Json) -> Patient:
    key = id_in(data.get("patient"), "Patient", KEY, "patient")
    if key is None:
        raise required("patient -> reference")
    patient = gate.find_patient(request, key)
    if patient is None:
        raise names_nobody("Patient", key)
    return patient


def _coding(data: Json) -> ConsentCoding:
    """The kind of consent that the clinic asks for, by its code or else by its name."""
    (category, *_more) = data.get("category") or [{}]
    codings = category.get("coding") or []
    at = "category -> 0 -> coding"
    if not codings:
        raise required(at)
    said, name = codings[0], "code" if codings[0].get("code") else "display"
    if not said.get("system"):
        raise required(f"{at} -> 0 -> system")
    if not said.get(name):
        raise required(f"{at} -> 0 -> code")
    asked = {"system": said["system"], name: said[name]}
    if said.get("version"):
        asked["system_version"] = said["version"]
    found = ConsentCoding.objects.filter(active=True, **asked)[:2]
    if len(found) != 1:
        number = "more than one" if found else "no"
        raise outcomes.against_the_rules(
            f"There is {number} active Consent Coding with {name}: "
            f"{said[name][:64]} and system: {said['system'][:64]}"
        )
    return found[0]


def _form(
    request: Any, data: Json, patient: Patient, coding: ConsentCoding
) -> AdministrativeDocument | None:
    """The signed form as a document that is still to be filed; None where none came."""
    said, at = data.get("sourceAttachment"), "body -> sourceAttachment"
    if not said:
        return None
    if said.get("contentType") != PDF:
        raise Rejected(f"{at} -> contentType — must be '{PDF}'")
    if not said.get("data"):
        raise required("sourceAttachment -> data")
    title = (said.get("title") or "").strip() or coding.display[:200]
    fit(AdministrativeDocument, {"title": title}, f"{at} -> title")
    brought = pdf(decoded(said["data"], f"{at} -> data"), f"{at} -> data")
    form = AdministrativeDocument(
        patient=patient,
        title=title,
        kind=AdministrativeDocument.Kind.CONSENT,
        filed_by=staff_of(request.user),
    )
    form.keep(brought.file, brought.accepted)
    return form
