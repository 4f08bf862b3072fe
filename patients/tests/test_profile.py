"""The profile: who opens it, what stands in it, what is masked."""

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_staff
from patients.models import (
    PatientAddress,
    PatientContactPoint,
    PatientIdentifier,
    PatientName,
)


def profile(client, patient):
    return client.get(f"/patient/{patient.key}/profile/")


@pytest.mark.parametrize(
    ("group", "status"),
    [
        ("Profile read", 200),
        ("Clinical read", 200),
        ("Patient create", 200),
        ("Profile write", 403),
        ("Clinical write", 403),
        ("Revenue access", 403),
        ("Schedule write", 403),
        ("Document read", 403),
        ("Tasking access", 403),
    ],
)
def test_s2_names_three_groups_that_open_the_profile(cast, client, group, status):
    staff = make_staff("pat", group, "Patients: North")
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    assert profile(client, cast.ada).status_code == status
    assert profile(client, cast.ben).status_code == 403


def test_everything_that_was_recorded_is_shown(cast, signed_in):
    ada = cast.ada
    PatientName.objects.create(
        patient=ada, prefix="Dr.", given="Ada", family="Alvarez", suffix="PhD"
    )
    PatientName.objects.create(patient=ada, use="maiden", given="Ada", family="Ruiz")
    PatientAddress.objects.create(
        patient=ada, lines="12 Long Street", city="Springfield", state="MA"
    )
    PatientContactPoint.objects.create(patient=ada, system="phone", value="555-0123")
    PatientIdentifier.objects.create(
        patient=ada, value="S999", type_code="DL", type_display="Driver's license"
    )
    html = profile(signed_in("nora"), ada).content.decode()
    for text in (
        "Dr. Ada Alvarez PhD",
        "Name (maiden)",
        "Ada Ruiz",
        "12 Long Street, Springfield, MA",
        "555-0123",
        "S999",
        ada.mrn,
    ):
        assert text in html
    assert f'href="/patient/{ada.key}/"' in html


@pytest.mark.parametrize(
    ("fields", "shown", "hidden"),
    [
        ({"type_code": "SS"}, "•••••••3456", "999-12"),
        ({"system": "http://hl7.org/fhir/sid/us-ssn"}, "•••••••3456", "999-12"),
        ({"type_code": "MR"}, "999-12-3456", "•"),
    ],
)
def test_of_a_social_security_number_four_characters_show(
    cast, signed_in, fields, shown, hidden
):
    PatientIdentifier.objects.create(patient=cast.ada, value="999-12-3456", **fields)
    html = profile(signed_in("nora"), cast.ada).content.decode()
    assert shown in html
    assert hidden not in html


def test_a_short_number_is_masked_whole(cast, signed_in):
    PatientIdentifier.objects.create(patient=cast.ada, value="3456", type_code="SS")
    html = profile(signed_in("nora"), cast.ada).content.decode()
    assert "••••<" in html
    assert "3456<" not in html


def test_rows_of_others_are_not_shown(cast, signed_in):
    PatientName.objects.create(patient=cast.ben, use="nickname", given="Benny")
    assert "Benny" not in profile(signed_in("nora"), cast.ada).content.decode()


def test_opening_is_audited(cast, signed_in):
    AuditRow.objects.all().delete()
    profile(signed_in("nora"), cast.ada)
    row = AuditRow.objects.get(action="patient.profile", patient=cast.ada.key)
    assert row.access_path == "patient-group"


def test_the_link_to_the_chart_is_for_those_who_may_open_it(cast, client):
    staff = make_staff("pat", "Profile read", "Patients: North")
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    assert (
        f'"/patient/{cast.ada.key}/"' not in profile(client, cast.ada).content.decode()
    )


def test_the_queries_do_not_grow_with_the_rows(
    cast, signed_in, django_assert_num_queries, django_assert_max_num_queries
):
    client = signed_in("nora")
    profile(client, cast.ada)
    with django_assert_max_num_queries(30) as few:
        profile(client, cast.ada)
    for number in range(9):
        PatientAddress.objects.create(patient=cast.ada, city=f"City {number}")
        PatientIdentifier.objects.create(patient=cast.ada, value=str(number))
    with django_assert_num_queries(len(few)):
        assert b"City 8" in profile(client, cast.ada).content
