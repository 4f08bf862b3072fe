"""S1's two protocols as they are, from page to page; and its end of section 2 by FHIR.

S1 as it is printed lies beside the project where it is built; its own words are not ours.
"""

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from canvas_admin.events.models import ChangeEvent
from canvas_admin.protocols.models import Protocol, ProtocolRun
from canvas_admin.protocols.sandbox import Sandbox
from canvas_admin.testing import give, make_application, token_of
from canvas_admin.tests.protocols.running import EXAMPLES, deliver_all
from patients.models import Patient, PatientGroup, Referral
from patients.tests.note_pages import of, opened
from patients.tests.notes import note_of, write
from patients.tests.profile_pages import FORM, GOOD, address, change, writer
from patients.tests.test_consents import coding
from patients.tests.test_fhir_patient import BIRTH_SEX
from staffing.models import CareTeamRole, Team, TeamResponsibility
from staffing.tests.pages import submit
from tasks.models import Task

S1 = Path(settings.BASE_DIR).parent / "shared" / "acceptance" / "protocols"
# The ids that S1's files name.
GROUP = "00000000-0000-0000-0000-000000000000"
TEAM = "e3fabb40-1ccc-4bb4-9e64-e813f27bf2e2"


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as made:
        yield made


@pytest.fixture
def desk(cast, signed_in):
    """max, who administers programs; nothing waits."""
    give(cast.max, "Integrations")
    ChangeEvent.objects.all().delete()
    return signed_in("max")


def put_to_use(desk, file, groups, **values):
    """Upload a file on the page, say what it may do, set its values, and switch it on."""
    upload = SimpleUploadedFile(file.name, file.read_bytes())
    form = {"file": upload, "use": "on"}
    answer = desk.post(reverse("admin:protocols_protocol_upload"), form)
    assert answer.status_code == 302, answer.text
    one = Protocol.objects.latest("id")
    give(one.application.staff, *groups)
    address = reverse("admin:protocols_protocol_change", args=(one.key,))
    sent = {
        "form_version": one.version,
        "show_in_chart": "on",
        "settings-TOTAL_FORMS": len(values),
        "settings-INITIAL_FORMS": 0,
    }
    for number, (name, value) in enumerate(values.items()):
        sent |= {f"settings-{number}-name": name, f"settings-{number}-value": value}
    assert desk.post(address, sent).status_code == 302
    desk.post(reverse("admin:protocols_protocol_switch", args=(one.key,)), {"to": "on"})
    return one


def program(*groups):
    """A client of the API with these groups."""
    given = {"Authorization": f"Bearer {token_of(make_application('EHR', *groups))}"}
    return Client(headers=given)


def send(client, method, address, data):
    answer = getattr(client, method)(
        f"/fhir/{address}", json.dumps(data), content_type="application/fhir+json"
    )
    assert answer.status_code in (200, 201), answer.text
    return answer


def all_went_well():
    """Whether no run failed and nothing is parked."""
    failed = ProtocolRun.objects.exclude(kind="computed").values_list(
        "error", flat=True
    )
    return list(failed) == [] and not ChangeEvent.objects.exclude(state="done").exists()


if S1.exists():

    def test_a_consent_on_the_profile_closes_the_chart_and_opens_it(
        cast, desk, sandbox, signed_in
    ):
        """S1, section 2: whoever sees the patient through the group alone."""
        group = PatientGroup.objects.create(
            name="East", use_for_permissions=True, externally_exposable_id=GROUP
        )
        give(cast.nora, "Patients: East")
        put_to_use(
            desk,
            S1 / "patient_grouping.py",
            ("Profile read", "Staff Permissions", "All Patients"),
        )
        clerk, nurse = writer(cast, signed_in), signed_in("nora")
        kind, chart = coding("A0001"), f"/patient/{cast.ada.key}/"
        new, said = address(cast.ada, "consents", "new"), GOOD["consents"]
        submit(clerk, new, FORM, coding=kind.key, **said)
        deliver_all(sandbox)
        cast.north.remove(cast.ada)
        give(cast.olga, "All Patients")
        assert nurse.get(chart).status_code == 200
        row = cast.ada.consents.get()
        cast.belongings = {"consents": row}
        for state, status in (("rejected", 403), ("accepted", 200), ("rejected", 403)):
            change(clerk, cast, "consents", state=state)
            deliver_all(sandbox)
            assert nurse.get(chart).status_code == status
            inside = group.memberships.in_force(member=cast.ada).exists()
            assert inside is (status == 200)
        assert all_went_well()

    def test_a_delegated_referral_ends_with_the_other_team_and_the_label(
        cast, desk, sandbox, signed_in
    ):
        """S1, section 3: from the note's page to the task's, through FHIR."""
        coordinators = Team.objects.create(name="Care coordination")
        TeamResponsibility.objects.create(
            team=coordinators, code="COORDINATE_REFERRALS_FOR_PATIENT"
        )
        team = Team.objects.create(
            name="Behavioral Health Coordinators", externally_exposable_id=TEAM
        )
        put_to_use(
            desk,
            S1 / "behavioral_referral_task_update.py",
            ("Profile read", "Tasking access", "Patients: North"),
            INSTANCE_NAME="clinic",
        )
        nurse = signed_in("nora")
        note = note_of(cast.ada, cast.nora)
        referral = write(
            note, Referral, delegated=True, internal_comment="Soon, please"
        )
        commit = of(referral, "refer", "commit")
        answer = nurse.post(commit, opened(nurse, commit))
        assert answer.status_code == 302
        task = Task.objects.get(title="Refer patient to Psychiatry (TBD)")
        assert task.team == coordinators
        deliver_all(sandbox)
        page = nurse.get(f"/task/{task.key}/").text
        for said in (team.name, "Internal Referral", "Soon, please"):
            assert said in page
        task.refresh_from_db()
        assert task.team == team
        assert all_went_well()


def test_a_patient_of_a_payer_program_is_put_into_its_group(cast, desk, sandbox):
    """S1, end of section 2: the patient comes by FHIR with the program's number."""
    group = PatientGroup.objects.create(name="Program")
    put_to_use(
        desk,
        EXAMPLES / "payer_program.py",
        ("Profile read", "Staff Permissions", "All Patients"),
        SYSTEM="urn:payer",
        GROUP=str(group.externally_exposable_id),
    )
    client = program("Patient create", "Profile read", "All Patients")
    data = {
        "resourceType": "Patient",
        "name": [{"use": "official", "family": "Castro", "given": ["Dora"]}],
        "birthDate": "1980-05-06",
        "gender": "female",
        "extension": [{"url": BIRTH_SEX, "valueCode": "F"}],
        "identifier": [{"system": "urn:payer", "value": "P-77", "use": "usual"}],
    }
    send(client, "post", "Patient", data)
    dora = Patient.objects.get(last_name="Castro")
    deliver_all(sandbox)
    assert group.memberships.in_force(member=dora).exists()
    assert not group.memberships.in_force(member=cast.ada).exists()
    assert all_went_well()


def test_a_role_of_the_care_team_set_by_fhir_grants_the_group(cast, desk, sandbox):
    group = PatientGroup.objects.create(name="Coached")
    role = CareTeamRole.objects.create(code="coach", display="Coach")
    put_to_use(
        desk,
        EXAMPLES / "care_team_group.py",
        ("Profile read", "Staff Permissions", "All Patients"),
        ROLE="coach",
        GROUP=str(group.externally_exposable_id),
    )
    client = program("Profile read", "Profile write", "All Patients")
    team = f"CareTeam/{cast.ada.key}"
    member = {
        "role": [
            {"coding": [{"system": role.system, "code": "coach", "display": "Coach"}]}
        ],
        "member": {"reference": f"Practitioner/{cast.nora.key}"},
    }
    for participants, inside in (([member], True), ([], False)):
        data = {
            "resourceType": "CareTeam",
            "id": cast.ada.key,
            "status": "active",
            "subject": {"reference": f"Patient/{cast.ada.key}"},
            "participant": participants,
        }
        send(client, "put", team, data)
        deliver_all(sandbox)
        assert group.memberships.in_force(member=cast.ada).exists() is inside
    assert all_went_well()
