"""The administrator's front page, and the patients whom nobody can open."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import give, make_group, make_patient
from patients import handles
from patients.admin import front
from patients.models import Patient, PatientGroupExclusion

INDEX = reverse("admin:index")
NUMBERS = reverse("admin:patients_patientgroup_numbers")
PAGE = reverse("admin:patients_patientgroup_unreachable")


@pytest.fixture
def ruth(signed_in):
    return signed_in("ruth")


def handles_in(response):
    return re.findall(r'name="patient" value="([^"]*)"', response.content.decode())


def test_the_front_page_links_what_is_done_most_and_waits_for_no_number(cast, ruth):
    text = ruth.get(INDEX).content.decode()
    for name in (
        "staffing_staffpermissions_changelist",
        "staffing_staff_changelist",
        "patients_patientgroup_changelist",
        "patients_accessrequest_changelist",
        "patients_patientgroup_unreachable",
    ):
        assert f'href="{reverse(f"admin:{name}")}"' in text
    assert f'hx-get="{NUMBERS}"' in text
    assert not AuditRow.objects.filter(action="admin.unreachable").exists()


def test_the_numbers_are_loaded_after_it_and_audited(cast, ruth):
    text = ruth.get(NUMBERS, headers={"HX-Request": "true"}).content.decode()
    numbers = [int(n) for n in re.findall(r"<strong>(\d+)</strong>", text)]
    assert numbers == [0, 1, 0, 0, 1], "no request; cyn; no work; nil"
    assert AuditRow.objects.get(action="admin.unreachable").detail == {"number": 1}


def test_the_page_of_an_app_leads_back_to_it_and_repeats_nothing(cast, ruth):
    page = ruth.get(reverse("admin:app_list", args=["patients"])).content.decode()
    path = page.partition('class="breadcrumbs"')[2].partition("</nav>")[0]
    assert f'<a href="{INDEX}">Administration</a>' in path
    assert NUMBERS not in page


def test_settings_alone_sees_no_number_of_patients(cast, signed_in):
    give(cast.nil, "Settings")
    client = signed_in("nil")
    text = client.get(INDEX).content.decode()
    assert "Locations" in text
    for word in ("Patient groups", "nobody can open", NUMBERS, "without any group"):
        assert word not in text
    for address in (NUMBERS, PAGE):
        assert client.get(address).status_code == 403
    assert client.post(PAGE).status_code == 403


def test_the_page_shows_age_and_handle_and_nothing_of_the_patient(cast, ruth):
    cast.cyn.created = clock.now() - timedelta(days=3, hours=1)
    cast.cyn.save()
    response = ruth.get(PAGE)
    text = response.content.decode()
    assert "made 3\xa0days" in text
    (handle,) = handles_in(response)
    assert handles.unseal(cast.ruth.user, handle, handles.UNREACHABLE) == cast.cyn
    for secret in ("Cyn", "Castillo", "1990", cast.cyn.key, cast.cyn.mrn):
        assert secret not in text.replace(handle, "")
    rows = AuditRow.objects.filter(action="admin.unreachable").exclude(patient="")
    assert [row.patient for row in rows] == [cast.cyn.key]


def test_the_one_thing_to_do_is_to_add_to_a_group_that_somebody_holds(cast, ruth):
    response = ruth.get(PAGE)
    assert re.findall(r"<option [^>]*>([^<]*)", response.content.decode())[1:] == [
        "North",
        "South",
    ]
    post = {"patient": handles_in(response), "group": cast.north.public_id}
    answer = ruth.post(PAGE, post, follow=True)
    assert "1 patient is in “North” now." in answer.content.decode()
    assert Patient.objects.accessible_to(cast.nora.user).contains(cast.cyn)
    assert handles_in(answer) == []


def test_several_at_once_all_or_none(cast, ruth):
    for number in range(3):
        make_patient("Eve", f"Sample{number}", cast.ada.birth_date)
    chosen = handles_in(ruth.get(PAGE))
    assert len(chosen) == 4
    PatientGroupExclusion(patient_group=cast.north, patient=cast.cyn, reason="x").save()
    before = cast.north.memberships.count()
    post = {"patient": chosen, "group": cast.north.public_id}
    answer = ruth.post(PAGE, post)
    assert "excluded from the group" in answer.content.decode()
    assert cast.north.memberships.count() == before
    post["group"] = cast.south.public_id
    ruth.post(PAGE, post)
    assert cast.south.memberships.in_force().count() == 5


def test_a_forged_group_or_choice_changes_nothing(cast, ruth):
    unheld = make_group("Held by nobody")
    (handle,) = handles_in(ruth.get(PAGE))
    foreign = handles.seal(cast.nora.user, cast.cyn, handles.UNREACHABLE)
    north = cast.north.public_id
    for patient, group in (
        (handle, unheld.public_id),
        (handle, str(cast.north.pk)),
        (handle, "\x00"),
        (handle, ""),
        (foreign, north),
        (cast.cyn.key, north),
        ("\x00", north),
        ("x" * 10_000, north),
        ([handle, foreign], north),
        ([], north),
    ):
        response = ruth.post(PAGE, {"patient": patient, "group": group})
        assert response.status_code == 200
        assert "Nothing was saved" in response.content.decode()
    assert not cast.cyn.group_memberships.exists()


def test_a_long_list_goes_on_by_handle(cast, ruth, monkeypatch):
    monkeypatch.setattr(front, "ROWS", 2)
    for number in range(4):
        make_patient("Eve", f"Sample{number}", cast.ada.birth_date)
    seen, response = [], ruth.get(PAGE)
    while True:
        seen += [
            handles.unseal(cast.ruth.user, h, handles.UNREACHABLE)
            for h in handles_in(response)
        ]
        more = re.search(r'name="more" value="([^"]*)"', response.content.decode())
        if not more:
            break
        response = ruth.post(PAGE, {"more": more.group(1)})
    assert len(seen) == len({patient.pk for patient in seen}) == 5


def test_without_a_group_to_add_to_the_page_says_what_to_do(cast, ruth):
    for staff in (cast.nora, cast.sam):
        staff.active = False
        staff.save()
    text = ruth.get(PAGE).content.decode()
    assert "Give one to somebody in Staff Permissions" in text
    assert "<select" not in text
