"""Reports on the trail: what is asked for, of patients name and birth alone, all audited."""

import csv
import random
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_staff
from patients import audit_report, handles
from patients.admin import reports
from patients.models import PatientGroupExclusion

PAGE, FILE = reverse("audit-report"), reverse("audit-file")
HEADS = [
    "When",
    "Person",
    "Act",
    "Outcome",
    "Patient",
    "Date of birth",
    "Opened by",
    "About",
    "Address",
]


@pytest.fixture
def aud(cast, signed_in):
    """A client of aud, who holds "Audit read" alone."""
    cast.aud = make_staff("aud", "Audit read")
    return signed_in("aud")


def asked(cast, about=None, **fields):
    """The form as it is sent: about all that ever happened, unless told otherwise."""
    usual = {"since": "2000-01-01", "until": "2100-01-01", "order": "recorded"}
    if about:
        usual["patient"] = handles.seal(cast.aud.user, about, handles.PICK)
    return usual | fields


def shown(response):
    """The table's cells, row by row."""
    body = response.content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
    return [
        [
            re.sub(r"\s+", " ", cell).strip()
            for cell in re.findall(r"<td[^>]*>([^<]*)", row)
        ]
        for row in body.split("</tr>")[:-1]
    ]


def file(response):
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    heads, *rows = csv.reader(text.splitlines())
    assert heads == HEADS
    return rows


# What it says -------------------------------------------------------------------------


def test_who_has_seen_this_chart(cast, signed_in, aud):
    signed_in("nora").get(reverse("patients:chart", args=[cast.ada.key]))
    signed_in("sam").get(reverse("patients:chart", args=[cast.ada.key]))
    signed_in("sam").get(reverse("patients:chart", args=[cast.ben.key]))
    rows = shown(aud.post(PAGE, asked(cast, cast.ada, outcome="shown")))
    assert [row[1:6] for row in rows] == [
        [
            "nora",
            "patient.chart",
            "shown",
            "Ada Alvarez, born 2 Jan 1980",
            "patient-group",
        ]
    ]
    rows = shown(aud.post(PAGE, asked(cast, cast.ada, outcome="refused")))
    assert [row[1] for row in rows] == ["sam"]


def test_what_a_person_did_by_user_name(cast, signed_in, aud):
    signed_in("nora").get(reverse("patients:chart", args=[cast.ada.key]))
    signed_in("sam").get(reverse("patients:list"))
    rows = shown(aud.post(PAGE, asked(cast, person="nora")))
    assert {row[1] for row in rows} == {"nora"}
    assert len(rows) == 2
    assert shown(aud.post(PAGE, asked(cast, person="NORA"))) == []


def test_who_was_given_what(cast, aud):
    cast.sam.grant(cast.north.auth_group, by=cast.ruth.user)
    rows = shown(aud.post(PAGE, asked(cast, person="ruth", outcome="done")))
    assert [[row[2], row[6]] for row in rows] == [
        ["staff.grant", f"{cast.sam}, Patients: North"]
    ]


def test_of_patients_it_shows_name_and_birth_and_nothing_besides(cast, aud):
    PatientGroupExclusion(
        patient_group=cast.north, patient=cast.ben, reason="canary"
    ).save(by=cast.ruth.user)
    for address in (PAGE, FILE):
        answer = aud.post(address, asked(cast))
        text = b"".join(answer).decode()
        assert "Ben Brandt" in text
        for secret in (cast.ben.key, cast.ben.mrn, "canary", "North"):
            assert secret not in re.sub("Patients: North", "", text), secret


def test_a_key_that_no_patient_has_is_unknown(cast, signed_in, aud):
    signed_in("nora").get(reverse("patients:chart", args=["f" * 32]))
    rows = shown(aud.post(PAGE, asked(cast, person="nora")))
    assert "unknown" in [row[4] for row in rows]
    assert "f" * 32 not in aud.post(PAGE, asked(cast)).content.decode()


def test_the_first_two_hundred_and_all_in_the_file(cast, aud, monkeypatch):
    AuditRow.objects.all().delete()
    monkeypatch.setattr(reports, "ROWS", 5)
    for number in range(7):
        AuditRow.objects.create(actor_name=f"n{number}", action="a", outcome="done")
    answer = aud.post(PAGE, asked(cast, backwards="on", order="actor_name"))
    assert [row[1] for row in shown(answer)] == ["n6", "n5", "n4", "n3", "n2"]
    assert "These are the first 5." in answer.content.decode()
    rows = file(aud.post(FILE, asked(cast, order="actor_name", outcome="done")))
    assert [row[1] for row in rows] == [f"n{number}" for number in range(7)]


def test_a_day_begins_and_ends_in_the_clinics_time_zone(cast, aud, settings):
    settings.TIME_ZONE = "America/New_York"
    AuditRow.objects.all().delete()
    for hour in (3, 5, 28, 30):
        moment = datetime(2026, 1, 10, tzinfo=UTC) + timedelta(hours=hour)
        AuditRow.objects.create(
            actor_name=str(hour), action="a", outcome="done", recorded=moment
        )
    day = {"since": "2026-01-10", "until": "2026-01-10"}
    rows = shown(aud.post(PAGE, asked(cast, **day)))
    assert [row[1] for row in rows] == ["5", "28"]


# The same as read by hand ----------------------------------------------------------------


def by_hand(asked_for, patient, patients):
    """What a report must hold, in its order, in plain Python."""
    start, end = (
        datetime.combine(asked_for[name], datetime.min.time(), UTC)
        for name in ("since", "until")
    )
    rows = [
        row
        for row in AuditRow.objects.all()
        if start <= row.recorded < end + timedelta(days=1)
        and asked_for["person"] in ("", row.actor_name)
        and asked_for["outcome"] in ("", row.outcome)
        and (patient is None or row.patient == patient.key)
    ]

    def place(row):
        value = getattr(row, asked_for["order"])
        if asked_for["order"] == "patient":
            value = patients[value].sort_name if value in patients else ""
        return (value, row.pk)

    return sorted(rows, key=place, reverse=asked_for["backwards"])


def test_reports_are_what_the_rows_say_for_random_questions(cast, aud):
    chance = random.Random(4)
    AuditRow.objects.all().delete()
    patients = {patient.key: patient for patient in (cast.ada, cast.ben, cast.cyn)}
    today = timezone.now()
    for _ in range(60):
        AuditRow.objects.create(
            recorded=today - timedelta(days=chance.uniform(0, 9)),
            actor_name=chance.choice(["nora", "sam", "max"]),
            action=chance.choice(["list", "chart", "profile"]),
            outcome=chance.choice(["shown", "done", "refused"]),
            patient=chance.choice(["", *patients]),
            access_path=chance.choice(["", "group", "everyone"]),
            subject=chance.choice(["", "team", "role"]),
            address=chance.choice(["10.0.0.1", "10.0.0.2"]),
        )
    for _ in range(200):
        first, last = sorted(chance.choices(range(-10, 1), k=2))
        asked_for = {
            "since": (today + timedelta(days=first)).date(),
            "until": (today + timedelta(days=last)).date(),
            "person": chance.choice(["", "", "nora", "nobody"]),
            "outcome": chance.choice(["", "", "done"]),
            "order": chance.choice(list(audit_report.HEADINGS)),
            "backwards": chance.random() < 0.5,
        }
        patient = chance.choice([None, None, cast.ben])
        wanted = [row.pk for row in by_hand(asked_for, patient, patients)]
        got = audit_report.rows_of(asked_for, patient).values_list("pk", flat=True)
        assert list(got) == wanted, asked_for


# Each use is audited ---------------------------------------------------------------------


def test_a_report_and_a_file_are_on_the_trail_with_whom_they_show(cast, signed_in, aud):
    signed_in("nora").get(reverse("patients:chart", args=[cast.ada.key]))
    signed_in("sam").get(reverse("patients:chart", args=[cast.ben.key]))
    for address, action in ((PAGE, "audit.report"), (FILE, "audit.export")):
        b"".join(aud.post(address, asked(cast, person="nora")))
        act, *about = AuditRow.objects.filter(action=action).order_by("pk")
        assert act.actor_name == "aud"
        assert act.detail["person"] == "nora"
        assert [(row.patient, row.access_path) for row in about] == [
            (cast.ada.key, "audit-read")
        ]


def test_looking_for_a_patient_is_on_the_trail(cast, aud):
    answer = aud.post(PAGE, asked(cast, q="brandt", find="1"))
    text = answer.content.decode()
    assert "Ben Brandt" in text
    (handle,) = re.findall(r'name="patient" value="([^"]*)"', text)
    assert handles.unseal(cast.aud.user, handle, handles.PICK) == cast.ben
    assert AuditRow.objects.filter(action="patient.pick", patient=cast.ben.key).exists()
    assert not AuditRow.objects.filter(action="audit.report").exists()


@pytest.mark.parametrize("address", [PAGE, FILE])
def test_a_text_without_a_choice_finds_and_does_not_report_on_everybody(
    cast, aud, address
):
    answer = aud.post(address, asked(cast, q="brandt"))
    assert "Ben Brandt" in answer.content.decode()
    assert not AuditRow.objects.filter(action__startswith="audit.").exists()


@pytest.mark.parametrize("address", [PAGE, FILE])
def test_nothing_is_shown_when_the_trail_cannot_be_written(
    cast, signed_in, aud, monkeypatch, address
):
    signed_in("nora").get(reverse("patients:chart", args=[cast.ada.key]))

    def failing(_rows):
        raise DatabaseError("no room")

    monkeypatch.setattr(AuditRow.objects, "bulk_create", failing)
    answer = aud.post(address, asked(cast))
    assert answer.status_code == 503
    assert "Alvarez" not in answer.content.decode()


# Bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [PAGE, FILE])
@pytest.mark.parametrize(
    "wrong",
    [
        {"since": ""},
        {"since": "yesterday"},
        {"since": "2026-02-30"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"since": "2026-01-02", "until": "2026-01-01"},
        {"person": "no\x00ra"},
        {"person": "x" * 151},
        {"order": "detail"},
        {"order": "id"},
        {"outcome": "hidden"},
        {"patient": "forged"},
        {"patient": "x" * 9_999},
    ],
)
def test_a_question_that_makes_no_sense_is_said(cast, aud, address, wrong):
    answer = aud.post(address, asked(cast, **wrong))
    assert answer.status_code == 200
    assert "There is no report yet" in answer.content.decode()
    assert not AuditRow.objects.filter(action__startswith="audit.").exists()


def test_an_old_or_foreign_handle_reports_on_nobody(cast, aud, monkeypatch):
    earlier = timezone.now() - timedelta(minutes=16)
    with monkeypatch.context() as patch:
        patch.setattr(handles.clock, "now", lambda: earlier)
        old = handles.seal(cast.aud.user, cast.ben, handles.PICK)
    foreign = handles.seal(cast.ruth.user, cast.ben, handles.PICK)
    unreachable = handles.seal(cast.aud.user, cast.ben, handles.UNREACHABLE)
    for handle in (old, foreign, unreachable):
        answer = aud.post(PAGE, asked(cast, patient=handle)).content.decode()
        assert "Choose a patient." in answer
        assert "Brandt" not in answer


def test_a_file_that_would_be_too_long_is_refused(cast, aud, monkeypatch):
    monkeypatch.setattr(reports, "MOST_IN_A_FILE", 3)
    AuditRow.objects.bulk_create(
        AuditRow(actor_name="x", action="a", outcome="done") for _ in range(4)
    )
    answer = aud.post(FILE, asked(cast))
    assert "Choose a shorter period." in answer.content.decode()
    assert not AuditRow.objects.filter(action="audit.export").exists()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1"])
def test_nothing_in_a_file_is_a_formula(cast, aud, text):
    AuditRow.objects.all().delete()
    AuditRow.objects.create(actor_name=text, action="a", outcome="done")
    answer = aud.post(FILE, asked(cast, outcome="done"))
    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert f'"\'{text}"' in body
    assert f'"{text}' not in body


def test_it_costs_the_same_whatever_it_shows(cast, aud):
    AuditRow.objects.all().delete()

    def queries(number):
        AuditRow.objects.bulk_create(
            AuditRow(
                actor_name="x",
                action="a",
                outcome="done",
                patient=cast.ada.key,
                subject=f"staff/{cast.nora.key}",
            )
            for _ in range(number)
        )
        with CaptureQueriesContext(connection) as made:
            aud.post(PAGE, asked(cast, outcome="done"))
        return len(made)

    aud.get(PAGE)
    assert queries(1) == queries(100)


@pytest.mark.parametrize("name", ["nora", "max", "ruth", "nil"])
def test_others_are_refused(cast, signed_in, name):
    cast.aud = make_staff("aud", "Audit read")
    for answer in (
        signed_in(name).get(PAGE),
        signed_in(name).post(PAGE, asked(cast)),
        signed_in(name).post(FILE, asked(cast)),
    ):
        assert answer.status_code == 403


def test_it_is_on_the_front_page_of_its_holders(cast, signed_in, aud):
    assert PAGE in aud.get(reverse("admin:index")).content.decode()
    assert PAGE not in signed_in("ruth").get(reverse("admin:index")).content.decode()
