"""Taking a FHIR bundle about one patient into the clinic's records, whole or not at all.

First plan(): everything is parsed and validated without the database. Then carry_out():
one short transaction. The same bundle again changes nothing, whatever staff have changed
here meanwhile; a resource that the source has changed updates its rows.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from canvas_admin.audit import trail
from canvas_admin.fhir.bundles import (
    BrokenBundle,
    Bundle,
    Entry,
    Rejected,
    identifier_in,
    located,
)
from canvas_admin.fhir.validation import validated
from patients.fhir import care_team, encounter, patient
from patients.fhir.clinical import ClinicalRows
from patients.importing.chart import is_about, plan_chart, write_chart
from patients.importing.claims import Revenue, plan_revenue, write_revenue
from patients.importing.notes import write_notes
from patients.importing.rows import Team, find_patient, write_care, write_patient
from patients.models import Patient, PatientGroup
from staffing.fhir import practitioner
from staffing.models import Staff

ACTOR = trail.Command("import_fhir")

# How many of each a bundle may bring, so that its transaction holds SQLite's only write
# lock for less than 200 ms (DESIGN section 9).
LIMITS = {
    "Patient": 1,
    "Practitioner": 20,
    "CareTeam": 20,
    "Condition": 200,
    "MedicationRequest": 200,
    "AllergyIntolerance": 50,
    "Immunization": 200,
    "DiagnosticReport": 100,
    "ImagingStudy": 50,
    "Observation": 500,
    "Encounter": 200,
    "Coverage": 20,
    "Claim": 30,
    "DocumentReference": 50,
}
PARTS_LIMIT = 40

CREATED, UPDATED, UNCHANGED = OUTCOMES = ("created", "updated", "unchanged")


@dataclass
class Plan:
    """What a bundle asks for, valid and resolved as far as the bundle itself goes.

    In `clinical`, the rows of the chart come by the type of their resources. In `care`,
    each part comes with the entry of its practitioner, or the identifier of one who is
    not in the bundle; in `notes`, each note, with None where nobody is named.
    """

    about: Entry
    patient: patient.PatientRows
    practitioners: list[tuple[Entry, practitioner.PractitionerRows]]
    clinical: dict[str, list[ClinicalRows]]
    revenue: Revenue
    care: list[tuple[Entry, care_team.CareTeamRows, "list[Part]"]]
    notes: list[tuple[encounter.NoteRows, Entry | tuple[str, str] | None]]
    left_out: Counter[str]


Part = tuple[care_team.Participation, Entry | tuple[str, str]]


@dataclass
class Result:
    """What became of a bundle: counts by (type, outcome), and care team rows set aside."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    set_aside: int = 0

    @property
    def outcome(self) -> str:
        """What became of the bundle as a whole."""
        if self.counts["Patient", CREATED]:
            return CREATED
        changed = {outcome for _type, outcome in self.counts} - {UNCHANGED}
        return UPDATED if changed else UNCHANGED


def plan(bundle: Bundle) -> Plan:
    """What this bundle asks for. Raises BrokenBundle, located, for anything unfit."""
    entries = {kind: _valid(bundle, kind) for kind in LIMITS}
    if not entries["Patient"]:
        raise BrokenBundle("has no Patient")
    ((about, resource),) = entries["Patient"]
    with located(about):
        rows = patient.from_fhir(resource, about.full_url)
    care = [_care_team(bundle, about, *each) for each in entries["CareTeam"]]
    if sum(len(parts) for *_team, parts in care) > PARTS_LIMIT:
        raise BrokenBundle(f"has more than {PARTS_LIMIT} care team members")
    notes = [_note(bundle, about, *each) for each in entries["Encounter"]]
    held = [each for each in notes if each]
    clinical = plan_chart(bundle, about, entries)
    left_out = Counter({k: n for k, n in bundle.types().items() if k not in LIMITS})
    left_out += Counter(
        {k: len(entries[k]) - len(rows) for k, rows in clinical.items()}
    )
    revenue = plan_revenue(bundle, about, entries)
    left_out += Counter(
        {
            "Encounter": len(notes) - len(held),
            "Coverage": len(entries["Coverage"]) - len(revenue.coverages),
            "Claim": len(entries["Claim"]) - len(revenue.claims),
        }
    )
    return Plan(
        about=about,
        patient=rows,
        practitioners=[
            (entry, _practitioner(entry, data))
            for entry, data in entries["Practitioner"]
        ],
        clinical=clinical,
        revenue=revenue,
        care=care,
        notes=held,
        left_out=left_out,
    )


def check(planned: Plan) -> None:
    """Raises BrokenBundle when the identifiers belong to two patients. Writes nothing."""
    with located(planned.about):
        find_patient(planned.patient)


def carry_out(
    planned: Plan, groups: Iterable[PatientGroup] = (), source: str = ""
) -> Result:
    """Write what was planned, in one transaction; a new patient joins these groups.

    `source` is the file's fingerprint, for the trail: its name may be the patient's.
    Raises BrokenBundle when the identifiers contradict what is here.
    """
    result = Result()
    with transaction.atomic():
        _one_at_a_time()
        known = _known(planned)
        people = _people(planned, known, result)
        with located(planned.about):
            person, outcome = write_patient(planned.patient)
        result.counts["Patient", outcome] += 1
        if outcome == CREATED:
            for group in groups:
                group.add(person, by=ACTOR)
        # Before the results: they go to the lead, and their files would stay, whatever is
        # refused after them.
        counts, result.set_aside = write_care(person, _teams(planned, known, people))
        result.counts += counts
        result.counts += write_chart(person, planned.clinical)
        result.counts += write_notes(
            person, [(rows, _staff(who, known, people)) for rows, who in planned.notes]
        )
        result.counts += write_revenue(person, planned.revenue, people)
        if result.outcome != UNCHANGED:
            _record(person, result, source)
    return result


def _valid(bundle: Bundle, kind: str) -> list[tuple[Entry, dict]]:
    """The entries of one type with their validated resources."""
    entries = bundle.of_type(kind)
    if len(entries) > LIMITS[kind]:
        most = "one is" if LIMITS[kind] == 1 else f"{LIMITS[kind]} are"
        raise BrokenBundle(
            f"has {len(entries)} {kind} resources, {most} the most",
            entries[LIMITS[kind]].where,
        )
    found = []
    for entry in entries:
        with located(entry):
            found.append((entry, validated(entry.resource)))
    return found


def _practitioner(entry: Entry, resource: dict) -> practitioner.PractitionerRows:
    with located(entry):
        return practitioner.from_fhir(resource, entry.full_url)


def _care_team(
    bundle: Bundle, about: Entry, entry: Entry, resource: dict
) -> tuple[Entry, care_team.CareTeamRows, list[Part]]:
    with located(entry):
        rows = care_team.from_fhir(resource, entry.source_id)
        is_about(bundle, about, rows.subject)
        parts = [(part, _member(bundle, part.member)) for part in rows.participations]
        return entry, rows, [(part, who) for part, who in parts if who]


def _note(
    bundle: Bundle, about: Entry, entry: Entry, resource: dict
) -> tuple[encounter.NoteRows, Entry | tuple[str, str] | None] | None:
    """A note and who was seen; None for an encounter that did not take place."""
    with located(entry):
        rows = encounter.from_fhir(resource, entry.source_id, bundle)
        if rows is None:
            return None
        is_about(bundle, about, rows.subject)
    if (found := bundle.find(rows.provider)) and found.type == "Practitioner":
        return rows, found
    kind, *named = identifier_in(rows.provider) or ("",)
    return rows, tuple(named) if kind == "Practitioner" else None


def _member(bundle: Bundle, reference: str) -> Entry | tuple[str, str] | None:
    """The practitioner of a care team; None for members who are no practitioners.

    Raises Rejected for a reference that means nobody.
    """
    if found := bundle.find(reference):
        return found if found.type == "Practitioner" else None
    kind = reference.partition("?")[0].partition("/")[0]
    if kind in ("Patient", "RelatedPerson", "Organization"):
        return None
    if (wanted := identifier_in(reference)) and kind == "Practitioner":
        return wanted[1:]
    raise Rejected("participant: its member refers to nothing in this bundle")


def _one_at_a_time() -> None:
    """Let imports wait for each other on PostgreSQL, where two could make one patient twice.

    SQLite has one writer anyway.
    """
    kinds = ContentType.objects.select_for_update(no_key=True)
    kinds.get(app_label="patients", model="patient")


def _known(planned: Plan) -> dict[tuple[str, str], Staff]:
    """The staff whom the bundle's identifiers name already."""
    named = [each for _entry, rows in planned.practitioners for each in rows.named]
    parts = [who for *_team, parts in planned.care for _part, who in parts]
    parts += [who for _rows, who in planned.notes if who]
    with located(planned.about):
        return practitioner.find(
            [*named, *(who for who in parts if not isinstance(who, Entry))]
        )


def _people(
    planned: Plan, known: dict[tuple[str, str], Staff], result: Result
) -> dict[int, Staff]:
    """The bundle's practitioners as staff, by the index of their entry."""
    people = {}
    for entry, rows in planned.practitioners:
        with located(entry):
            people[entry.index], outcome = practitioner.enter(rows, known)
        result.counts["Practitioner", outcome] += 1
    return people


def _teams(
    planned: Plan, known: dict[tuple[str, str], Staff], people: dict[int, Staff]
) -> list[Team]:
    """The care teams with staff in the place of references."""
    teams = []
    for entry, rows, parts in planned.care:
        members = [(part, _staff(who, known, people)) for part, who in parts]
        if any(staff is None for _part, staff in members):
            raise BrokenBundle(
                "participant: its member is neither in this bundle nor here",
                entry.where,
            )
        teams.append((rows, members))
    return teams


def _staff(
    who: Entry | tuple[str, str] | None,
    known: dict[tuple[str, str], Staff],
    people: dict[int, Staff],
) -> Staff | None:
    """The staff member whom a bundle names, by its entry or an identifier."""
    return people[who.index] if isinstance(who, Entry) else known.get(who)


def _record(person: Patient, result: Result, source: str) -> None:
    counts = {f"{kind} {outcome}": n for (kind, outcome), n in result.counts.items()}
    trail.done(
        ACTOR,
        "patient.imported",
        [(person.key, "")],
        subject=f"patient/{person.key}",
        source=source,
        **counts,
    )
