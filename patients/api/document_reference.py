"""FHIR DocumentReference over the files and texts about patients (facts 5.4)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpResponseBase
from django.utils import timezone

from canvas_admin.fhir.answers import file_address
from canvas_admin.fhir.parameters import NOTHING, Coded, Instant, Parameter, Token
from canvas_admin.fhir.resources import Include, Json, filled, instant, reference
from patients import areas
from patients.api.of_patient import EVERY, PATIENT, InParts, OfPatient, concept
from patients.models import (
    AdministrativeDocument,
    ClinicalDocument,
    ImagingReport,
    IncomingFile,
    LabReport,
)
from patients.views.stored_files import file_answer, text_answer

LOINC = "http://loinc.org"
CATEGORY = "http://schemas.canvasmedical.com/fhir/document-reference-category"
EXTENSION = "http://schemas.canvasmedical.com/fhir/document-reference-"
ADMINISTRATIVE = "patientadministrativedocument"
# The names of the files: what is kept as one, and a text that came without.
ATTACHMENT, TEXT = "attachment", "text"
SUPERSEDED = ClinicalDocument.Status.SUPERSEDED
# What our statuses are in the words of docStatus.
DOC_STATUSES = {
    "partial": "preliminary",
    "preliminary": "preliminary",
    "available": "final",
    "final": "final",
    "amended": "amended",
    "corrected": "amended",
    "appended": "amended",
}


@dataclass(frozen=True)
class Sort:
    """What documents of a kind are: the original's category, and a code of LOINC's."""

    category: str
    code: str
    display: str


Kind = ClinicalDocument.Kind
DOCUMENTS = {
    Kind.CONSULT: Sort("referralreport", "11488-4", "Consult note"),
    Kind.OTHER: Sort("uncategorizedclinicaldocument", "34109-9", "Note"),
}
# Reports are all of one kind.
LABS = {"": Sort("labreport", "11502-2", "Laboratory report")}
IMAGES = {"": Sort("imagingreport", "18748-4", "Diagnostic imaging study")}
Filed = AdministrativeDocument.Kind
# The kinds for which LOINC has a code; the others are told by their names.
FILED = {
    Filed.INSURANCE: ("64290-0", "Health insurance card"),
    Filed.CONSENT: ("59284-0", "Consent Document"),
    Filed.LETTER: ("51852-2", "Letter"),
    Filed.OTHER: ("51851-4", "Administrative note"),
}


@dataclass(frozen=True)
class TypeOf(Parameter):
    """The code that a row has; of one without, the code of its kind."""

    usual: Mapping[str, Q]
    kind = "token"
    modifiers = ("not",)

    def condition(self, value: str, modifier: str = "") -> Q:
        code = value.rpartition("|")[2]
        own = Q(code=code) if code else NOTHING
        return own | self.usual.get(code, NOTHING) & Q(code="")


class Documents(OfPatient):
    """What the documents of every model have in common."""

    type = "DocumentReference"
    includes = dict.fromkeys(("patient", "subject"), Include("patient", "Patient"))
    related: tuple[str, ...]

    def rows(self, request: Any) -> QuerySet:
        return super().rows(request).select_related(*self.related)

    def file(self, request: Any, row: Any, element: str) -> HttpResponseBase:
        if element == ATTACHMENT:
            return file_answer(row, "document")
        if not getattr(row, "text", ""):
            raise Http404
        return text_answer(row.text, "document")

    def content(self, request: Any, row: Any, **told: Any) -> list[Json]:
        """The attachments, all told alike; one without an address where nothing came."""
        found = []
        if row.file:
            url = file_address(request, self.type, row.key, ATTACHMENT)
            found.append({"contentType": row.media_type, "url": url, "size": row.size})
        if text := getattr(row, "text", ""):
            url = file_address(request, self.type, row.key, TEXT)
            size = len(text.encode())
            kind = "text/plain; charset=utf-8"
            found.append({"contentType": kind, "url": url, "size": size})
        return [{"attachment": filled(**each, **told)} for each in found or [{}]]


class ClinicalDocuments(Documents):
    """The clinical documents of one model, of which there are these kinds."""

    permissions = {"read": areas.OPEN_CHART, "search": areas.OPEN_CHART}
    related = ("patient", "assignee", "reviewed_by", "team")

    def __init__(self, model: type[Model], kinds: Mapping[str, Sort]) -> None:
        self.model, self.kinds = model, kinds
        super().__init__()

    def more(self) -> dict[str, Parameter]:
        found = [
            (sort, Q(kind=kind) if kind else EVERY) for kind, sort in self.kinds.items()
        ]
        superseded = Q(status=SUPERSEDED)
        return {
            "subject": PATIENT,
            "category": Coded({s.category: lambda q=q: q for s, q in found}),
            "date": Instant(self.model.dated_by),
            "status": Coded(
                {"current": lambda: ~superseded, "superseded": lambda: superseded}
            ),
            "type": TypeOf({sort.code: q for sort, q in found}),
        }

    def to_fhir(self, request: Any, rows: Sequence[Any]) -> list[Json]:
        linked = dict(_linked_by(rows))
        return [self.resource(request, row, linked.get(row.key)) for row in rows]

    def resource(self, request: Any, row: Any, linked_by: Any) -> Json:
        """One document; whoever linked the file to the patient is the author."""
        sort = self.kinds[getattr(row, "kind", "")]
        what = (row.system, row.code, row.display) if row.code else _loinc(sort)
        moment = getattr(row, row.dated_by)
        return filled(
            resourceType="DocumentReference",
            id=row.key,
            extension=[
                *_dated(moment and timezone.localdate(moment)),
                *_commented(row.review_comment),
                *_reviewed(row),
            ],
            status="superseded" if row.status == SUPERSEDED else "current",
            docStatus=DOC_STATUSES.get(row.status),
            type=concept(*what, text=what[2]),
            category=[concept(CATEGORY, sort.category)],
            subject=reference("Patient", row.patient.key),
            date=instant(moment),
            author=_by(linked_by),
            description=row.display,
            content=self.content(
                request, row, title=row.display, creation=instant(moment)
            ),
        )


class LinkedReports(ClinicalDocuments):
    """The reports that came as a file."""

    counting = ClinicalDocuments.counting & ~Q(file="")


class AdministrativeDocuments(Documents):
    """The administrative documents that were not removed."""

    model, counting = AdministrativeDocument, Q(removed__isnull=True)
    permissions = {"read": areas.OPEN_DOCUMENTS, "search": areas.OPEN_DOCUMENTS}
    related = ("patient", "filed_by")

    def more(self) -> dict[str, Parameter]:
        return {
            "subject": PATIENT,
            "category": Coded({ADMINISTRATIVE: lambda: EVERY}),
            "date": Instant("filed"),
            "status": Coded({"current": lambda: EVERY}),
            "type": Token(
                "kind", {code: kind for kind, (code, _name) in FILED.items()}
            ),
        }

    def to_fhir(self, request: Any, rows: Sequence[Any]) -> list[Json]:
        return [self.resource(request, row) for row in rows]

    def resource(self, request: Any, row: AdministrativeDocument) -> Json:
        """One document; whoever filed it is the author."""
        code, name = FILED.get(row.kind, ("", ""))
        day = row.document_date
        return filled(
            resourceType="DocumentReference",
            id=row.key,
            extension=[*_dated(day), *_commented(row.comment)],
            status="current",
            type=concept(LOINC, code, name, text=str(row.get_kind_display())),
            category=[concept(CATEGORY, ADMINISTRATIVE)],
            subject=reference("Patient", row.patient.key),
            date=instant(row.filed),
            author=_by(row.filed_by),
            description=row.title,
            content=self.content(
                request,
                row,
                title=row.title,
                creation=day.isoformat() if day else instant(row.filed),
            ),
        )


class DocumentReferenceResource(InParts):
    """Clinical documents for whoever may open charts, and administrative ones.

    "Clinical read" and "Document read" are asked each for its own (DESIGN section 5); read
    and searched. A report is here as the file that it came as; what it says is its
    DiagnosticReport.
    """

    type = "DocumentReference"
    # Each part asks for its own.
    permissions = {"read": (), "search": ()}
    files = {ATTACHMENT: (), TEXT: ()}
    parts = (
        ClinicalDocuments(ClinicalDocument, DOCUMENTS),
        LinkedReports(LabReport, LABS),
        LinkedReports(ImagingReport, IMAGES),
        AdministrativeDocuments(),
    )


def _loinc(sort: Sort) -> tuple[str, str, str]:
    return LOINC, sort.code, sort.display


def _linked_by(rows: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """Who linked the files of these rows, by the rows' keys."""
    files = IncomingFile.objects.filter(
        patient__in={row.patient_id for row in rows},
        linked_row__in=[row.key for row in rows],
    )
    for file in files.select_related("linked_by"):
        yield file.linked_row, file.linked_by


def _by(staff: Any) -> list[Json]:
    return [reference("Practitioner", staff.key)] if staff else []


def _dated(day: date | None) -> Iterator[Json]:
    if day:
        yield {"url": f"{EXTENSION}clinical-date", "valueDate": day.isoformat()}


def _commented(text: str) -> Iterator[Json]:
    if text:
        yield {"url": f"{EXTENSION}comment", "valueString": text}


def _reviewed(row: Any) -> Iterator[Json]:
    """Whether it was reviewed, and by whom; else who is to: a person or a team."""
    mode = "AR" if row.reviewed_by else "RN" if row.reviewed else "RR"
    yield {"url": f"{EXTENSION}review-mode", "valueCode": mode}
    if staff := row.reviewed_by or row.assignee:
        reviewer = reference("Practitioner", staff.key)
        yield {"url": f"{EXTENSION}reviewer", "valueReference": reviewer}
    elif row.team:
        team = reference("Group", str(row.team.externally_exposable_id))
        yield {"url": f"{EXTENSION}reviewer-group", "valueReference": team}
