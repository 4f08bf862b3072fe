"""Work that none of its assignees can see, and who hands it on (S2; security A10)."""

import re
from datetime import timedelta
from itertools import islice

import pytest
from django.urls import reverse

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import give
from patients.models import LabReport
from patients.tests.work import make_lab, make_refill
from patients.work import stranded
from patients.work.assigning import Assignees
from staffing.models import Staff, Team, TeamMember
from tasks.models import Task

STRANDED = reverse("admin:patients_patientgroup_stranded")
UNASSIGNED = reverse("admin:patients_patientgroup_unassigned")
HAND_OVER = reverse("admin:patients_patientgroup_hand_over")


def team_of(name, *staff):
    team = Team.objects.create(name=name)
    for each in staff:
        TeamMember.objects.create(team=team, staff=each)
    return team


def found(**how):
    return {item.key for item in stranded.Walk(**how)}


def handles_in(response):
    text = response.content.decode()
    return re.findall(r'name="item" value="([^"]*)"', text)


@pytest.fixture
def clinic(cast):
    """Work that somebody can see, and work that nobody of its assignees can."""
    give(cast.max, "Clinical read")
    directory = Staff.objects.create(first_name="Dora", last_name="Directory")
    both = team_of("Both", cast.nora, cast.sam)
    cast.seen = [
        make_lab(cast.ada, assignee=cast.nora),
        make_lab(cast.cyn, assignee=cast.max),
        make_lab(cast.ben, team=both),
    ]
    cast.stranded = [
        make_lab(cast.ben, assignee=cast.nora),
        make_lab(cast.ben, assignee=cast.nora, team=both),
        make_lab(cast.ada, assignee=cast.ines),
        make_lab(cast.ada, assignee=cast.olga),
        make_lab(cast.ada, assignee=directory),
        make_refill(cast.cyn, team=both),
        make_lab(cast.ada, team=team_of("Nobody")),
    ]
    cast.alone = make_lab(cast.ben)
    done = make_lab(cast.ben, assignee=cast.nora)
    done.review(cast.nora, "")
    done.save()
    return cast


def test_it_is_what_no_assignee_can_see_and_nothing_else(clinic, signed_in):
    assert found() == {item.key for item in clinic.stranded}
    for item in clinic.seen + clinic.stranded:
        assignees = Assignees(item.patient, ("patients.view_labreport",))
        seen = bool(assignees.sight(item.assignee, item.team).able)
        assert (item.key in found()) != seen, "as who hands it over is told"
    clinic.north.add(clinic.ben)
    clinic.north.remove(clinic.ada)
    assert {i.key for i in clinic.stranded[:2]}.isdisjoint(found())
    assert clinic.seen[0].key in found()


def test_a_walk_goes_on_where_it_stopped(clinic, monkeypatch):
    monkeypatch.setattr(stranded, "AT_ONCE", 1)
    for _number in range(4):
        make_lab(clinic.ben, assignee=clinic.nora, reported=clock.now())
        make_lab(clinic.ada, assignee=clinic.nora, reported=clock.now())
    whole = [item.key for item in stranded.Walk()]
    assert len(whole) == len(set(whole)) == len(clinic.stranded) + 4
    pages, start = [], None
    while page := list(islice(stranded.Walk(start), 2)):
        pages += [item.key for item in page]
        start = page[-1].position
    assert pages == whole
    looks, start = [], None
    while True:
        walk = stranded.Walk(start, left=3)
        looks += [item.key for item in walk]
        if walk.stopped is None:
            break
        start = walk.stopped
    assert looks == whole


def test_who_reaches_everything_is_not_walked_through(
    clinic, django_assert_num_queries
):
    with django_assert_num_queries(24):
        found()
    for _number in range(5):
        make_lab(clinic.ada, assignee=clinic.max)
        make_lab(clinic.ada, assignee=clinic.nora)
    with django_assert_num_queries(24):
        found()


def test_the_lists_show_kind_age_and_assignee_and_no_patient(clinic, signed_in):
    ruth = signed_in("ruth")
    for address, number in ((STRANDED, 7), (UNASSIGNED, 1)):
        page = ruth.get(address)
        text = page.content.decode()
        assert len(handles_in(page)) == number
        assert "New labs" in text
        for told in ("Ada", "Ben", "Alvarez", "Blood count", "Lisinopril"):
            assert told not in text
        for item in [*clinic.stranded, clinic.alone]:
            assert item.key not in text
            assert item.patient.key not in text
    rows = AuditRow.objects.filter(action="admin.stranded").exclude(patient="")
    told = {clinic.ada.key, clinic.ben.key, clinic.cyn.key}
    assert set(rows.values_list("patient", flat=True)) == told


def test_the_age_of_a_task_is_not_when_it_is_due(cast, signed_in):
    came, due = clock.now() - timedelta(days=3), clock.now() + timedelta(days=90)
    for who in (cast.olga, None):
        Task.objects.create(
            patient=cast.ada, assignee=who, title="Call", due=due, created=came
        )
    ruth = signed_in("ruth")
    for address in (STRANDED, UNASSIGNED):
        page = ruth.get(address)
        ((_handle, item),) = page.context["rows"]
        assert item.since == came
        assert "for 3\xa0days" in page.content.decode()
    form = ruth.post(HAND_OVER, {"item": handles_in(page)[0]})
    assert "for 3\xa0days" in form.content.decode()
    assert f'href="{UNASSIGNED}"' in form.content.decode()


def test_it_is_handed_to_somebody_who_can_see_it(clinic, signed_in, monkeypatch):
    ruth = signed_in("ruth")
    ours = team_of("South", clinic.sam)
    LabReport.objects.filter(pk__in=[i.pk for i in clinic.stranded[1:5]]).delete()
    (handle,) = (
        h
        for h, item in ruth.get(STRANDED).context["rows"]
        if item.key == clinic.stranded[0].key
    )
    page = ruth.post(HAND_OVER, {"item": handle})
    choices = set(page.context["form"].choices.values())
    assert choices == {clinic.sam, clinic.max, ours, Team.objects.get(name="Both")}
    data = {"item": handle, "form_version": page.context["version"]}
    for to in ("person-" + clinic.nora.key, "", "x"):
        refused = ruth.post(HAND_OVER, data | {"to": to})
        assert refused.context["form"].errors["to"]
    chosen = {"to": f"person-{clinic.sam.key}"}
    ruth.post(HAND_OVER, data | chosen | {"form_version": "0"})
    ruth.post(HAND_OVER, data | chosen | {"item": handle[:-1]})
    lab = LabReport.objects.get(key=clinic.stranded[0].key)
    assert lab.assignee == clinic.nora
    assert ruth.post(HAND_OVER, data | chosen).url == STRANDED
    lab.refresh_from_db()
    assert lab.assignee == clinic.sam
    row = AuditRow.objects.get(action="stranded.hand_over", patient="")
    assert row.detail == {"assignee": clinic.sam.key, "team": ""}
    assert signed_in("sam").get("/panels/labs/").context["rows"][-1:] == [lab]
    ruth.post(HAND_OVER, data | chosen | {"form_version": lab.version})
    lab.refresh_from_db()
    assert lab.assignee == clinic.sam, "it is not stranded any more"


def test_only_staff_permissions_hand_over(clinic, signed_in):
    (handle, *_others) = handles_in(signed_in("ruth").get(STRANDED))
    give(clinic.nil, "Settings", "Audit read")
    for name in ("nil", "nora"):
        client = signed_in(name)
        for address in (STRANDED, UNASSIGNED):
            assert client.get(address).status_code == 403
        assert client.post(HAND_OVER, {"item": handle}).status_code == 403


def test_the_front_page_has_both_numbers(clinic, signed_in, monkeypatch):
    address = reverse("admin:patients_patientgroup_numbers")
    context = signed_in("ruth").get(address).context
    assert (context["stranded"], context["unassigned"]) == (7, 1)
    monkeypatch.setattr(stranded, "COUNTED", 2)
    monkeypatch.setattr(stranded, "AT_ONCE", 1)
    text = signed_in("ruth").get(address).content.decode()
    assert "or more" in text


def test_a_team_that_has_work_cannot_be_deleted_and_no_work_is_shown(cast, signed_in):
    lab = make_lab(cast.ada, team=team_of("Nobody"))
    team = Team.objects.get(name="Nobody")
    address = reverse("admin:staffing_team_delete", args=[team.public_id])
    text = signed_in("ruth").get(address).content.decode()
    assert "It has work, open or done." in text
    assert lab.key[:8] not in text
    signed_in("ruth").post(address, {"post": "yes"})
    assert Team.objects.filter(pk=team.pk).exists()
