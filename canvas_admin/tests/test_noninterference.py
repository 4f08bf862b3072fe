"""What a person may not see changes nothing that the person sees (DESIGN section 12).

In random worlds every address is asked twice, before and after a patient out of reach
arrives with everything linked. Staff get the same bytes after the one mask. On the
schedule (A3), and on the pages that show A8 to A10 to their holders, the patient's name
and date of birth are all of the patient that may appear: marks in every other field, and
the reason of the visit, must not.
"""

import os
import random
import time
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from canvas_admin.fhir.resources import RESOURCES
from canvas_admin.testing import give, make_group, make_patient
from canvas_admin.tests import proof
from canvas_admin.tests.addresses import address, claim_parts, every_name
from canvas_admin.tests.masking import masked
from canvas_admin.tests.programs import bearer
from patients import access, work
from patients.models import (
    AccessRequest,
    Addendum,
    AdministrativeDocument,
    AllergyIntolerance,
    Appointment,
    CareTeamMembership,
    Claim,
    ClaimSnooze,
    ClinicalDocument,
    Condition,
    Consent,
    Coverage,
    EligibilityCheck,
    ImagingReport,
    Immunization,
    IncomingFile,
    LabReport,
    Medication,
    NoteReview,
    Observation,
    Patient,
    PatientAddress,
    PatientContact,
    PatientContactPoint,
    PatientGroupExclusion,
    PatientIdentifier,
    PatientName,
    RefillRequest,
)
from patients.tests.notes import CONTENT, note_of

pytestmark = [pytest.mark.furnished, pytest.mark.usefixtures("still_clock")]

# The worlds are split, so that several processes share them.
PARTS = 2
# How many addresses each watcher asks where a walk is not whole.
ADDRESSES = 150
WATCHERS = ("nora", "sam", "olga", "nil", "ruth")
# Where anybody meets the appointments of a patient out of reach: A3.
SCHEDULE = ("patients:schedule", "patients:print-schedule", "fhir Appointment")
# Pages where an administrator may meet a patient out of reach: A8, A9 and A10.
ADMINISTRATION = ("admin:patients_patientgroup_", "admin:patients_accessrequest_")
# Asking these would change the session, so that every later answer is another one.
END_OF_SESSION = {"account_logout", "admin:logout"}
MARK = "zqxmark"


Asked = dict[str, tuple[str, str, dict[str, str]]]


def asked(cast: SimpleNamespace) -> Asked:
    """label → (method, address, data): every URL, and the forms in which people type."""
    found = {
        name: ("get", address(name, cast), {})
        for name in every_name()
        if name not in END_OF_SESSION
    }
    search, listed = reverse("patients:search"), reverse("patients:list")
    for text in ("al", "zo", "alvarez", "1980-01-02", MARK, "100000001"):
        found[f"search {text}"] = ("post", search, {"q": text})
    found["list by birth"] = ("get", f"{listed}?sort=born&show=all", {})
    found["list all"] = ("get", f"{listed}?show=all", {})
    for kind in work.KINDS.values():
        panel = reverse(kind.url_name)
        for whose in ("unassigned", "all"):
            found[f"{kind.code} {whose}"] = ("get", f"{panel}?whose={whose}", {})
    for whose in ("unassigned", "all"):
        tasks = f"{reverse('tasks:list')}?whose={whose}"
        found[f"tasks {whose}"] = ("get", tasks, {})
    found |= by_programs(cast)
    for campaign in (cast.outreach, cast.running):
        page = reverse("tasks:campaign", args=[campaign.key])
        for show in ("open", "completed"):
            label = f"{campaign.title} {show}"
            found[label] = ("get", f"{page}?show={show}", {})
    return found


def by_programs(cast: SimpleNamespace) -> Asked:
    """What a program asks for that acts for the person: every type, and some searches."""
    ada, team, task = cast.ada.key, cast.team, cast.task
    paths = [
        *RESOURCES,
        f"Patient/{ada}",
        f"CareTeam/{ada}",
        f"Group/{cast.north.externally_exposable_id}",
        f"Group/{team.externally_exposable_id}",
        f"Task/{task.externally_exposable_id}",
        "Patient?name=al&_revinclude=Task:patient",
        "Patient?identifier=100000001",
        f"Patient?_has:CareTeam:participant:member=Practitioner/{cast.nora.key}",
        f"Patient?birthdate=1980-01-02&_sort=-_id&family={MARK}",
        f"Task?owner=Practitioner/{cast.nora.key}&_include=Task:patient&_summary=count",
        "Task?patient.family=zorn",
        f"CareTeam?participant=Practitioner/{cast.nora.key}",
        f"Coverage?subscriber-id={MARK}",
        "Consent?period=ge2000",
        "Patient?_revinclude=DocumentReference:patient",
        f"DocumentReference/{cast.document.key}/files/attachment",
    ]
    return {f"fhir {path}": ("get", f"/fhir/{path}", {}) for path in paths}


def token_for(cast: SimpleNamespace, who: str) -> str:
    """One token for each person, made before anything is asked."""
    tokens = cast.__dict__.setdefault("tokens", {})
    if who not in tokens:
        tokens[who] = bearer(getattr(cast, who))
    return tokens[who]


def answers(cast: SimpleNamespace, who: str, asked: Asked) -> dict[str, Any]:
    """Every answer that this person gets, masked, by its label."""
    client = Client()
    client.force_login(
        getattr(cast, who).user, backend="staffing.backends.StaffBackend"
    )
    seen = {}
    token = {"Authorization": token_for(cast, who)}
    for label, (method, url, data) in asked.items():
        headers = token if label.startswith("fhir ") else {}
        response = getattr(client, method)(url, data, headers=headers)
        seen[label] = masked(response, cast.ada.key)
    return seen


def arrive(chance: random.Random, cast: SimpleNamespace, who: str) -> Patient:
    """A patient out of this person's reach, with a mark in every field but the name."""
    patient = make_patient(
        chance.choice(["Ada", "Zoe", "Al"]),
        chance.choice(["Alvarez", "Zorn", "Brandt"]),
        chance.choice([date(1980, 1, 2), date(1931, 7, 7)]),
        active=chance.random() < 0.8,
        deceased=chance.random() < 0.2,
    )
    link_everything(chance, cast, who, patient)
    for group in _groups_not_held(cast, who):
        if chance.random() < 0.5:
            group.add(patient)
    if chance.random() < 0.3:
        PatientGroupExclusion(
            patient_group=cast.north, patient=patient, reason=MARK
        ).save()
    return patient


def link_everything(
    chance: random.Random, cast: SimpleNamespace, who: str, patient: Patient
) -> None:
    """A row of everything that a patient has, linked to this person where it can be."""
    PatientName.objects.create(patient=patient, use="old", family=MARK, given=MARK)
    PatientIdentifier.objects.create(patient=patient, system=MARK, value="100000001")
    PatientAddress.objects.create(patient=patient, lines=MARK, city=MARK)
    PatientContactPoint.objects.create(patient=patient, system="phone", value=MARK)
    PatientContact.objects.create(patient=patient, name=MARK, relationship=MARK)
    coverage = Coverage.objects.create(
        patient=patient, payer_name=MARK, member_id=MARK, plan=MARK, payer_address=MARK
    )
    EligibilityCheck.objects.create(
        patient=patient,
        coverage=coverage,
        message=MARK,
        checked_by=getattr(cast, who).user,
    )
    claim = Claim.objects.create(
        patient=patient,
        provider=getattr(cast, who),
        coverage=coverage,
        service_date=date(2026, 1, 3),
        state=chance.choice(["filed", "patient-balance", "trash"]),
    )
    claim_parts(claim, MARK)
    ClaimSnooze.objects.create(claim=claim, until=date(2026, 2, 1), reason=MARK)
    for number in range(chance.randrange(1, 6)):
        fill_the_chart(patient, f"{MARK}{number}")
    document = AdministrativeDocument.objects.create(
        patient=patient, title=MARK, comment=MARK, kind="other", size=1, file=MARK
    )
    Consent.objects.create(
        patient=patient, coding=cast.consent_coding, state="rejected", form=document
    )
    run = cast.protocol.runs.create(
        version=cast.protocol.current,
        patient=patient,
        kind="failed",
        started=document.filed,
        milliseconds=1,
        error=MARK,
        log=MARK,
    )
    cast.protocol.results.create(patient=patient, run=run, status="due", narrative=MARK)
    cast.dry_run.rows.create(patient=patient, kind="failed", said=MARK, error=MARK)
    account = getattr(cast, who).user
    cast.protocol.overrides.create(patient=patient, days=7, by=account)
    IncomingFile.objects.create(
        patient=patient,
        state="linked",
        linked_as="lab",
        source="fax",
        comment=MARK,
        size=1,
        file=MARK,
        sha256=cast.incoming.sha256,
        assignee=getattr(cast, who),
        linked_by=getattr(cast, who),
    )
    write_notes(patient, getattr(cast, who))
    Appointment.objects.create(
        patient=patient,
        provider=getattr(cast, who),
        location=cast.location,
        visit_type=cast.visit_type,
        start=timezone.now(),
        minutes=30,
        reason=MARK,
    )
    CareTeamMembership.objects.create(
        patient=patient, staff=getattr(cast, who), role=cast.care_team_role, lead=True
    )
    hand_work_to(getattr(cast, who), patient, cast.team)
    hand_out_tasks(cast, who, patient)
    other = cast.sam if who == "nora" else cast.nora
    AccessRequest.objects.create(patient=patient, staff=other, reason="for my work")


def hand_out_tasks(cast: SimpleNamespace, who: str, patient: Patient) -> None:
    """A task about the patient for this person, for a team of theirs, and for nobody."""
    me = getattr(cast, who)
    for fields in ({"assignee": me}, {"team": cast.team}, {"creator": me}):
        task = patient.tasks.create(title=MARK, priority="stat", **fields)
        task.add_labels([cast.task_label])
        task.comments.create(author=me, text=MARK)
        task.routings.create(rule_key=cast.rule.key, rule_name=MARK, labelled=True)
    for campaign in (cast.outreach, cast.running):
        patient.tasks.create(title=MARK, campaign=campaign, assignee=me)


def fill_the_chart(patient: Patient, code: str) -> None:
    """A row of everything that a chart has."""
    row = {"patient": patient, "system": MARK, "code": code, "display": MARK}
    Condition.objects.create(**row, clinical_status="active")
    Medication.objects.create(**row, status="active", directions=MARK)
    AllergyIntolerance.objects.create(**row, clinical_status="active", reaction=MARK)
    Immunization.objects.create(**row, status="completed", lot_number=MARK)
    ImagingReport.objects.create(**row, status="final", conclusion=MARK)
    ClinicalDocument.objects.create(**row, text=MARK, file=MARK)
    report = LabReport.objects.create(**row, status="final", conclusion=MARK)
    for of in (report, None):
        Observation.objects.create(**row, status="final", value=MARK, report=of)


def hand_work_to(staff: Any, patient: Patient, team: Any) -> None:
    """Results and a refill request that wait for a person, a team, and nobody."""
    row = {"patient": patient, "status": "final", "display": MARK}
    for model in (LabReport, ImagingReport):
        for given in ({"assignee": staff}, {"team": team}, {}):
            model.objects.create(**row, **given, review_comment=MARK)
    medicine = patient.medications.first()
    for given in ({"assignee": staff}, {"team": team}):
        RefillRequest.objects.create(
            patient=patient,
            medication=medicine,
            kind="change",
            proposal=MARK,
            pharmacy=MARK,
            note=MARK,
            **given,
        )


def write_notes(patient: Patient, staff: Any) -> None:
    """A note with a mark in every text of every command, and an addendum to it."""
    note = note_of(patient, staff, title=MARK)
    for position, (model, content) in enumerate(CONTENT.items()):
        marked = {n: MARK if isinstance(v, str) else v for n, v in content.items()}
        row = {"note": note, "patient": patient, "position": position}
        model.objects.bulk_create([model(**row, **marked)])
    Addendum.objects.bulk_create([Addendum(note=note, patient=patient, text=MARK)])
    review = NoteReview(note=note, patient=patient, assignee=staff, comment=MARK)
    review.save()
    review.ask(staff.user)


def _groups_not_held(cast: SimpleNamespace, who: str) -> list[Any]:
    held = getattr(cast, who).user.groups.all()
    opened = [g for g in (cast.north, cast.south) if g.auth_group not in held]
    return [*opened, cast.east, cast.campaign]


def watching(number: int) -> list[str]:
    """Who looks at this world; in the proof two of the five in turn, 120 worlds each."""
    if not proof.FULL:
        return list(WATCHERS[number::PARTS])
    return [WATCHERS[(number + step) % len(WATCHERS)] for step in (0, 2)]


def differences(cast: SimpleNamespace, who: str, chance: random.Random) -> list[str]:
    """What this person learns from the arrival of a patient out of reach: nothing."""
    some = dict(proof.some(asked(cast).items(), ADDRESSES))
    before = answers(cast, who, some)
    patient = arrive(chance, cast, who)
    user = getattr(cast, who).user
    assert not Patient.objects.accessible_to(user).filter(pk=patient.pk).exists()
    learned = []
    for label, answer in answers(cast, who, some).items():
        text = answer[2].decode()
        told = [mark for mark in (MARK, patient.key, patient.mrn) if mark in text]
        if label in (f"search {MARK}",):
            told = [mark for mark in told if mark != MARK]
        if told:
            learned.append(f"{who} reads {told} at {label}")
        allowed = label in SCHEDULE
        allowed = allowed or (who == "ruth" and label.startswith(ADMINISTRATION))
        if not allowed and answer != before[label]:
            learned.append(
                f"{who} sees a difference at {label}: " + _first(answer, before[label])
            )
    return learned


def _first(one: Any, other: Any) -> str:
    """Where two masked answers begin to differ."""
    a, b = (f"{x[0]} {x[1]} {x[2].decode()}" for x in (one, other))
    at = len(os.path.commonprefix([a, b]))
    return f"{b[max(0, at - 60) : at + 40]!r} became {a[max(0, at - 60) : at + 40]!r}"


def world(chance: random.Random, cast: SimpleNamespace) -> None:
    """Make the cast's clinic a different one each time."""
    cast.east = make_group("East", use_for_permissions=chance.random() < 0.5)
    cast.campaign = make_group("Campaign", [cast.ada], use_for_permissions=False)
    extras = chance.randrange(4)
    for number in range(extras):
        patient = make_patient("Extra", f"Person{number}", date(1960, 1, 1 + number))
        chance.choice([cast.north, cast.south, cast.east]).add(patient)
    if extras % 2:
        # Then she opens every form of the profile, and the nurse prints.
        cast.olga.grant(cast.north.auth_group)
        give(cast.nora, "Printing access")
    if chance.random() < 0.5:
        # And she sees what the clinic's claims come to.
        give(cast.nora, "Revenue access")
    else:
        # Then they look after the files that came in, and link them.
        give(cast.nora, "Data integration access", "Document write")
        give(cast.sam, "Data integration access")


@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
def test_noninterference_in_random_worlds(cast, part):
    seed, started, found = proof.seed(), time.monotonic(), []
    worlds = range(part, proof.count(small=PARTS, big=300), PARTS)
    for number in worlds:
        chance = random.Random(f"{seed}-{number}")
        for who in watching(number):
            with transaction.atomic():
                world(chance, cast)
                found += [
                    f"world {number}: {d}" for d in differences(cast, who, chance)
                ]
                transaction.set_rollback(True)
    proof.record(
        "noninterference",
        connection.vendor,
        seed,
        len(worlds),
        len(found),
        time.monotonic() - started,
        part=str(part),
        addresses=len(asked(cast)),
        watchers=sum(len(watching(number)) for number in worlds),
    )
    assert not found, "\n".join(found[:20])


LEAKING = ["patients:list", "search al"]


def test_the_check_finds_a_leak(cast, monkeypatch):
    """With the rule broken on purpose nora's pages change, and the check says so."""
    chance = random.Random(1)
    world(chance, cast)
    pages = {at: how for at, how in asked(cast).items() if at in LEAKING}
    before = answers(cast, "nora", pages)
    patient = arrive(chance, cast, "nora")
    patient.first_name, patient.active, patient.deceased = "Al", True, False
    patient.save()
    patient = make_patient("Al", "Alvarez", date(1980, 1, 2))
    link_everything(chance, cast, "nora", patient)
    broken = access.AllPatients
    monkeypatch.setattr(broken, "rows", lambda self, reach: Patient.objects.all())
    monkeypatch.setattr(broken, "streams", lambda self, reach: [None])
    after = answers(cast, "nora", pages)
    assert [at for at in LEAKING if before[at] != after[at]] == LEAKING
