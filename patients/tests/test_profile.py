"""The profile: who opens it, what stands in it, what is masked."""

from datetime import date

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_group, make_staff
from canvas_admin.tests.addresses import belongings, furnish
from canvas_admin.tests.masking import masked
from patients.models import (
    CareTeamMembership,
    Consent,
    ConsentCoding,
    Coverage,
    EligibilityCheck,
    PatientAddress,
    PatientContact,
    PatientContactPoint,
    PatientIdentifier,
    PatientName,
)
from staffing.models import CareTeamRole


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
    """For who reads, and for olga, who changes everything and sees the groups too."""
    furnish(cast)
    give(cast.olga, "Patients: North", "Staff Permissions")
    clients, few = {name: signed_in(name) for name in ("nora", "olga")}, {}
    for name, client in clients.items():
        profile(client, cast.ada)
        with django_assert_max_num_queries(30) as taken:
            profile(client, cast.ada)
        few[name] = len(taken)
    for number in range(9):
        more(cast, number)
    for name, client in clients.items():
        with django_assert_num_queries(few[name]):
            html = profile(client, cast.ada).content
        assert b"City 8" in html
        assert b"Payer 8" in html


def more(cast, number):
    """One more of everything on ada's profile."""
    ada, text = cast.ada, f"{number}"
    PatientAddress.objects.create(patient=ada, city=f"City {number}")
    PatientIdentifier.objects.create(patient=ada, value=text)
    PatientName.objects.create(patient=ada, use="old", family=text)
    PatientContactPoint.objects.create(patient=ada, system="phone", value=text)
    PatientContact.objects.create(patient=ada, name=text)
    coverage = Coverage.objects.create(
        patient=ada,
        payer_name=f"Payer {number}",
        member_id=text,
        end=date(2020, 1, 2),
    )
    for _again in range(2):
        EligibilityCheck.objects.create(
            patient=ada, coverage=coverage, checked_by=cast.olga.user
        )
    for mandatory in (True, False):
        coding = ConsentCoding.objects.create(
            code=f"{number}{mandatory}", display=text, mandatory=mandatory
        )
        if not mandatory:
            Consent.objects.create(patient=ada, coding=coding, state="accepted")
    role = CareTeamRole.objects.create(code=text, display=text)
    staff = make_staff(f"member{number}")
    CareTeamMembership.objects.create(patient=ada, staff=staff, role=role)
    make_group(f"Group {number}", [ada])


# Patient groups: F20 ----------------------------------------------------------------------


def test_patient_groups_are_shown_to_who_administers_them_with_links(cast, signed_in):
    make_group("Diabetes", [cast.ada], use_for_permissions=False)
    retired = make_group("Retired", [cast.ada])
    retired.retire()
    ended = make_group("Ended", [cast.ada])
    ended.remove(cast.ada)
    make_group("Empty")
    give(cast.ruth, "Profile read", "Patients: North")
    html = profile(signed_in("ruth"), cast.ada).content.decode()
    part = html[html.index('id="patient-groups"') :]
    for group, shown in (
        ("Diabetes", True),
        ("North", True),
        ("Retired", False),
        ("Ended", False),
        ("Empty", False),
    ):
        assert (f">{group}</a>" in part) == shown
    members = f"/admin/patients/patientgroup/{cast.north.public_id}/members/"
    assert f'href="{members}"' in part
    assert signed_in("ruth").get(members).status_code == 200


def test_nobody_else_reads_the_name_of_a_group(cast, signed_in):
    make_group("HIV programme", [cast.ada])
    give(cast.olga, "Patients: North", "Settings", "Audit read")
    give(cast.max, "Profile read")
    for name in ("nora", "olga", "max"):
        html = profile(signed_in(name), cast.ada).content.decode()
        for text in ("HIV programme", "North", "patient-groups", "Patient groups"):
            assert text not in html


def test_administering_groups_opens_no_profile(cast, signed_in):
    assert profile(signed_in("ruth"), cast.ada).status_code == 403
    give(cast.ruth, "Patients: North")
    assert profile(signed_in("ruth"), cast.ada).status_code == 403


def test_rows_of_a_patient_out_of_reach_are_nowhere(cast, signed_in):
    furnish(cast)
    before = masked(profile(signed_in("nora"), cast.ada))
    rows = belongings(cast, cast.ben)
    rows["coverages"].payer_name = "Payer of Ben"
    rows["coverages"].save()
    after = masked(profile(signed_in("nora"), cast.ada))
    assert before == after
    assert b"Payer of Ben" not in after[2]
