""" "See all patients": exactly which fields of whom, how often, how many (A1, A2, A5)."""

from dataclasses import fields
from datetime import UTC, date, datetime

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_patient
from canvas_admin.tests.masking import masked
from patients.models import (
    CareTeamMembership,
    Condition,
    PatientAddress,
    PatientContactPoint,
    PatientIdentifier,
    PatientName,
)
from patients.search.reveal import Shown
from staffing.models import CareTeamRole

SEARCH = "/patients/search/"


def see_all(client, text, **headers):
    return client.post(SEARCH, {"q": text, "see_all": "1"}, headers=headers)


def rows(response):
    return [(row.name, bool(row.key)) for row in response.context["rows"] or []]


def test_everybody_of_the_name_is_shown_in_order(cast, signed_in):
    absent = make_patient("Ada", "Absent", date(1950, 1, 1), active=False)
    cast.north.add(absent)
    make_patient("Ada", "Brown", date(1960, 1, 1), deceased=True)
    response = see_all(signed_in("nora"), "ada")
    assert rows(response) == [
        ("Ada Absent", True),
        ("Ada Alvarez", True),
        ("Ada Brown", False),
    ]
    html = response.content.decode()
    assert f'href="/patient/{absent.key}/"' in html
    assert html.count("Inactive") == 1
    assert html.count("Deceased") == 1


def test_a_line_out_of_reach_holds_these_fields_and_no_others():
    assert {field.name for field in fields(Shown)} == {
        "name",
        "birth_date",
        "birth_date_precision",
        "active",
        "deceased",
        "key",
        "handle",
    }


CANARY = "q7q7canary"


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_nothing_else_of_a_patient_out_of_reach_is_in_the_page(
    cast, signed_in, headers
):
    ben = cast.ben
    ben.gender, ben.sex_at_birth = "male", "M"
    ben.save()
    PatientName.objects.create(patient=ben, use="nickname", given=CANARY)
    PatientIdentifier.objects.create(patient=ben, value=CANARY, system=CANARY)
    PatientAddress.objects.create(patient=ben, lines=CANARY, city=CANARY)
    PatientContactPoint.objects.create(patient=ben, system="email", value=CANARY)
    Condition.objects.create(
        patient=ben, system="s", code=CANARY, display=CANARY, clinical_status="active"
    )
    role = CareTeamRole.objects.create(code=CANARY, display=CANARY)
    CareTeamMembership.objects.create(patient=ben, staff=cast.sam, role=role)
    html = see_all(signed_in("nora"), "brandt", **headers).content.decode()
    assert "Ben Brandt" in html
    assert "4 Mar 1975" in html
    assert "outside your reach" in html
    for secret in (
        CANARY,
        ben.key,
        ben.mrn,
        f'="{ben.pk}"',
        "South",
        str(cast.south.externally_exposable_id),
        "Male",
    ):
        assert secret not in html
    line = html[html.index("Ben Brandt") - 200 : html.index("4 Mar 1975") + 60]
    line = line[line.rindex("<tr" if "<tr" in line else "<div") :]
    assert "href" not in line
    assert "data-key" not in line


@pytest.mark.parametrize("text", ["mrn", "X-77", "a", "b r", "77", "%%", "* *", ""])
def test_numbers_single_letters_and_wildcards_reveal_nobody(cast, signed_in, text):
    PatientIdentifier.objects.create(patient=cast.ben, value="X-77", system="urn:x")
    AuditRow.objects.all().delete()
    response = see_all(signed_in("nora"), cast.ben.mrn if text == "mrn" else text)
    assert response.status_code == 200
    assert rows(response) == []
    assert response.context["hint"]
    assert not AuditRow.objects.exists()


def test_an_identifier_with_letters_reveals_nobody(cast, signed_in):
    PatientIdentifier.objects.create(patient=cast.ben, value="KT-778", system="urn:x")
    assert rows(see_all(signed_in("max"), "KT-778")) == []


@pytest.mark.parametrize("text", ["br", "be br", "1975-03-04", "b 4 Mar 1975"])
def test_two_letters_or_a_date_of_birth_are_enough(signed_in, text):
    assert rows(see_all(signed_in("nora"), text)) == [("Ben Brandt", False)]


def test_at_most_twenty_and_no_way_to_more(cast, signed_in):
    for number in range(20):
        make_patient("Kim", "Lee", date(1990, 1, 1 + number))
    nora = signed_in("nora")
    response = see_all(nora, "lee")
    assert len(rows(response)) == 20
    for number in range(7):
        make_patient("Zed", "Lee", date(1991, 1, 1 + number))
    assert masked(see_all(nora, "lee")) == masked(response)
    again = nora.post(
        SEARCH, {"q": "lee", "see_all": "1", "page": "2", "after": cast.ada.key}
    )
    assert masked(again) == masked(response)


def test_thirty_times_an_hour_and_person(signed_in):
    nora = signed_in("nora")
    for _ in range(30):
        assert see_all(nora, "brandt").status_code == 200
    AuditRow.objects.all().delete()
    refused = see_all(nora, "brandt")
    assert refused.status_code == 429
    assert "Ben Brandt" not in refused.content.decode()
    assert "30 times within an hour" in refused.content.decode()
    row = AuditRow.objects.get()
    assert (row.action, row.outcome, row.patient, row.detail) == (
        "patient.reveal",
        "refused",
        "",
        {"reason": "ration"},
    )
    assert see_all(nora, "brandt", **{"HX-Request": "true"}).status_code == 429
    assert nora.post(SEARCH, {"q": "ada"}).status_code == 200
    assert see_all(signed_in("max"), "brandt").status_code == 200


def test_each_use_is_audited_with_the_rows_shown(cast, signed_in):
    other = make_patient("Ada", "Brown", date(1960, 1, 1))
    AuditRow.objects.all().delete()
    see_all(signed_in("nora"), "ada")
    audited = AuditRow.objects.filter(action="patient.reveal", outcome="shown")
    assert set(audited.exclude(patient="").values_list("patient", "access_path")) == {
        (cast.ada.key, "patient-group"),
        (other.key, ""),
    }
    assert audited.filter(patient="").count() == 1


def test_a_date_is_shown_as_precisely_as_it_is_known(cast, signed_in):
    make_patient("Yul", "Vague", date(1960, 1, 1), birth_date_precision="year")
    html = see_all(signed_in("nora"), "vague").content.decode()
    assert ">1960<" in html
    assert "1 Jan 1960" not in html


def test_nobody_of_the_name_offers_a_new_patient(cast, signed_in):
    assert (
        "No patient has this name" in see_all(signed_in("nora"), "zzz").content.decode()
    )
    html = see_all(signed_in("nora"), "zzz").content.decode()
    assert "Check the spelling, or type fewer letters." in html
    olga = see_all(signed_in("olga"), "zzz").content.decode()
    assert olga.count('href="/patients/new/"') == 2


@pytest.mark.parametrize(("name", "status"), [(None, 302), ("nil", 403), ("ruth", 403)])
def test_who_may_not(signed_in, name, status):
    response = see_all(signed_in(name), "brandt")
    assert response.status_code == status
    assert b"Ben Brandt" not in response.content


def test_a_death_within_reach_is_marked_and_linked(cast, signed_in):
    cast.ada.deceased, cast.ada.deceased_at = True, datetime(2020, 1, 1, tzinfo=UTC)
    cast.ada.save()
    response = see_all(signed_in("nora"), "ada")
    assert rows(response) == [("Ada Alvarez", True)]
    assert "Deceased" in response.content.decode()
