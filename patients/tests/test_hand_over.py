"""Handing work over: who will see it is said before it is saved (S2)."""

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give
from patients.models import LabReport
from patients.tests.work import make_lab
from staffing.models import Team, TeamMember

ALL_THE_SAME = "Assign all the same"


@pytest.fixture
def team(cast):
    team = Team.objects.create(name="Lab team")
    for staff in (cast.nora, cast.sam):
        TeamMember.objects.create(team=team, staff=staff)
    return team


def address(lab, kind="labs"):
    return f"/patient/{lab.patient.key}/work/{kind}/{lab.key}/hand-over/"


def hand_over(client, lab, **data):
    version = LabReport.objects.get(pk=lab.pk).version
    return client.post(address(lab), {"form_version": version} | data)


def test_it_goes_to_somebody_who_can_see_the_patient_at_once(cast, signed_in):
    give(cast.max, "Clinical read")
    lab, client = make_lab(cast.ada), signed_in("nora")
    page = client.get(address(lab)).content.decode()
    assert page.index("Max Example") < page.index("Will not see it")
    assert page.index("Sam Example") > page.index("Will not see it")
    answer = hand_over(client, lab, assignee=cast.max.key)
    assert answer.url == "/panels/labs/"
    lab.refresh_from_db()
    assert lab.assignee == cast.max
    assert signed_in("max").get("/panels/labs/").context["rows"] == [lab]
    row = AuditRow.objects.get(action="hand_over.labs", patient="")
    assert row.detail == {"assignee": cast.max.key, "team": ""}


def test_somebody_who_cannot_is_asked_about_once_more(cast, signed_in, team):
    lab, client = make_lab(cast.ada), signed_in("nora")
    assert "1 of 2 will see it" in client.get(address(lab)).content.decode()
    for data, said in (
        ({"assignee": cast.sam.key}, "Sam Example will not see this"),
        ({"team": team.public_id}, "1 of 2 people in"),
    ):
        answer = hand_over(client, lab, **data)
        assert said in answer.content.decode()
        assert ALL_THE_SAME in answer.content.decode()
        assert not LabReport.objects.get().assigned
        confirmation = answer.context["form"].confirmation
        hand_over(client, lab, **data, confirmation=f"{confirmation}x")
        assert not LabReport.objects.get().assigned
        hand_over(client, lab, **data, confirmation=confirmation)
        lab.refresh_from_db()
        assert lab.assigned
        hand_over(client, lab)
        assert not LabReport.objects.get().assigned, "back to the unassigned queue"


def test_handing_over_needs_clinical_write_and_reach(cast, signed_in):
    give(cast.max, "Clinical read")
    lab, other = make_lab(cast.ada), make_lab(cast.ben)
    for name, item in (("sam", lab), ("olga", lab), ("nora", other)):
        client = signed_in(name)
        assert client.get(address(item)).status_code == 403
        sent = hand_over(client, item, assignee=cast.max.key)
        assert sent.status_code == 403
    cast.nora.revoke(cast.nora.user.groups.get(name="Clinical write"))
    assert signed_in("nora").get(address(lab)).status_code == 403
    assert not LabReport.objects.filter(assignee__isnull=False).exists()


@pytest.mark.parametrize("sent", ["0" * 32, "1", "\x00", "x" * 500])
def test_a_person_that_there_is_not_is_refused_at_the_field(cast, signed_in, sent):
    lab, client = make_lab(cast.ada), signed_in("nora")
    answer = hand_over(client, lab, assignee=sent)
    assert answer.context["form"].errors["assignee"]
    assert client.get(address(lab, "vitals")).status_code == 404


def test_what_is_reviewed_is_handed_to_nobody(cast, signed_in):
    lab = make_lab(cast.ada)
    lab.review(cast.nora, "")
    lab.save()
    answer = hand_over(signed_in("nora"), lab, assignee=cast.nora.key)
    assert answer.url == "/panels/labs/"
    assert not LabReport.objects.get().assigned


def test_a_form_of_an_older_version_is_refused(cast, signed_in):
    lab = make_lab(cast.ada)
    lab.hand_to(assignee=cast.nora)
    lab.save()
    data = {"assignee": "", "form_version": lab.version - 1}
    answer = signed_in("nora").post(address(lab), data)
    assert "Somebody saved this while you were editing." in answer.content.decode()
    assert LabReport.objects.get().assignee == cast.nora
