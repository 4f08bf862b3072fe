"""FHIR Consent over what patients said to the clinic's kinds of consent (facts 5.1)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase

from canvas_admin.fhir.answers import file_address
from canvas_admin.fhir.parameters import Day, Parameter
from canvas_admin.fhir.resources import Json, filled, instant, reference
from patients import areas
from patients.api import consent_writing
from patients.api.consent_writing import STATUSES
from patients.api.of_patient import OfPatient
from patients.models import Consent, ConsentCoding
from patients.views.stored_files import file_answer

FHIR_STATUSES = {ours: theirs for theirs, ours in STATUSES.items()}
ATTACHMENT = "sourceAttachment"


class ConsentResource(OfPatient):
    """Consents; created, read and searched. What has ended has the status inactive.

    The signed form is one of the patient's administrative documents, and asks for what
    those ask for besides.
    """

    type, model = "Consent", Consent
    permissions = {
        "read": areas.OPEN_PROFILE,
        "search": areas.OPEN_PROFILE,
        "create": areas.EDIT_PROFILE,
    }
    files = {ATTACHMENT: areas.OPEN_DOCUMENTS}

    def more(self) -> dict[str, Parameter]:
        return {"period": Day("effective_date")}

    def rows(self, request: Any) -> QuerySet:
        return super().rows(request).select_related("coding", "form")

    def to_fhir(self, request: Any, rows: Sequence[Consent]) -> list[Json]:
        documents = request.user.has_perms(areas.OPEN_DOCUMENTS)
        return [
            to_fhir(
                row,
                file_address(request, self.type, row.key, ATTACHMENT)
                if documents
                else "",
            )
            for row in rows
        ]

    def create(self, request: Any, data: Json) -> Consent:
        return consent_writing.create(request, data)

    def file(self, request: Any, row: Consent, element: str) -> HttpResponseBase:
        if row.kept_form is None:
            raise Http404
        return file_answer(row.kept_form, "consent")

    def modified(self, row: Consent) -> datetime:
        """When the consent was changed, or anything that the resource shows."""
        return max(part.modified for part in (row, row.coding, row.form) if part)


def to_fhir(row: Consent, form_address: str = "") -> Json:
    """One consent; its form only with the address at which the caller opens it."""
    start, end = row.effective_date, row.expired_date
    return filled(
        resourceType="Consent",
        id=row.key,
        status="inactive" if row.expired else FHIR_STATUSES[row.state],
        scope={"text": "Unknown"},
        category=[{"coding": [_coding(row.coding)]}],
        patient=reference("Patient", row.patient.key),
        dateTime=instant(row.modified),
        sourceAttachment=_attachment(row, form_address) if form_address else None,
        policyRule={"text": row.coding.summary or row.coding.display},
        provision={
            "period": filled(start=start.isoformat(), end=end and end.isoformat())
        },
    )


def _coding(row: ConsentCoding) -> Json:
    return filled(
        system=row.system,
        version=row.system_version,
        code=row.code,
        display=row.display,
    )


def _attachment(row: Consent, address: str) -> Json | None:
    form = row.kept_form
    return form and filled(
        contentType=form.media_type, url=address, size=form.size, title=form.title
    )
