"""A campaign makes one task for each patient of a group whom its maker reaches."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_patient
from canvas_admin.tests import proof
from canvas_admin.tests.signing_in import note_activity_ahead
from patients.models import Patient, PatientGroupExclusion, PatientGroupMember
from patients.search import stream_keys
from staffing.models import TeamResponsibility
from tasks import campaigns
from tasks.models import Campaign, Task
from tasks.tests.asking import (
    campaign_over,
    campaign_page,
    form_of,
    label_of,
    make,
    team_of,
    titles,
)


@pytest.fixture
def slowly(monkeypatch):
    """Each request does one part, which makes or closes one task."""
    monkeypatch.setattr(campaigns, "PART", 0)
    monkeypatch.setattr(campaigns, "PATIENCE", 0)
    monkeypatch.setattr(campaigns, "PAUSE", 0)


def several(group, number):
    """So many more members of a group."""
    people = [
        make_patient("Pat", f"Number{n}", date(1980, 1, 1)) for n in range(number)
    ]
    for patient in people:
        group.add(patient)
    return people


def test_each_active_living_member_gets_a_task_for_the_responsible_team(
    cast, signed_in
):
    nora, label = signed_in("nora"), label_of("Routine")
    team = team_of("Outreach", cast.nora)
    code = TeamResponsibility.Code.CAMPAIGNS
    TeamResponsibility.objects.create(team=team, code=code)
    inactive, dead, gone, out, later = several(cast.north, 5)
    Patient.objects.filter(pk=inactive.pk).update(active=False)
    Patient.objects.filter(pk=dead.pk).update(deceased=True)
    cast.north.remove(gone)
    PatientGroupExclusion(patient_group=cast.north, patient=out, reason="x").save()
    PatientGroupMember.objects.filter(member=later).update(
        start_date=timezone.now() + timedelta(days=1)
    )
    answer = campaign_over(
        nora,
        cast.north,
        due="2030-05-06T09:30",
        priority="urgent",
        labels=[label.key],
    )
    campaign = Campaign.objects.get()
    assert answer["Location"] == campaign_page(campaign)
    task = Task.objects.get()
    assert (task.patient, task.title, task.priority) == (cast.ada, "Flu shot", "urgent")
    assert (task.origin, task.team, task.assignee) == ("POP_HLT_OUT", team, None)
    assert (task.campaign, task.creator) == (campaign, cast.nora)
    assert task.due == campaign.due
    assert list(task.labels.all()) == [label]
    link = f'href="{campaign_page(campaign)}"'
    assert link in nora.get(f"/task/{task.key}/").content.decode()
    assert titles(nora.get("/tasks/")) == ["Flu shot"]
    assert titles(nora.get(f"/tasks/?whose=all&label={label.key}")) == ["Flu shot"]
    assert campaign.state == "running"
    page = nora.get(campaign_page(campaign)).content.decode()
    assert "1 made" in page
    assert "Ada Alvarez" in page
    assert "Under way" in nora.get("/campaigns/").content.decode()
    rows = AuditRow.objects.filter(action="campaign.tasks").exclude(patient="")
    assert list(rows.values_list("patient", "access_path")) == [
        (cast.ada.key, "patient-group")
    ]
    assert "Flu" not in str(list(AuditRow.objects.values()))


@pytest.mark.proof
def test_it_goes_on_after_a_break_and_each_patient_gets_one_task(
    cast, signed_in, slowly, monkeypatch
):
    """Many at once in the proof; a few, one by one, in each run."""
    number, took = proof.count(small=6, big=1000), proof.watch()
    several(cast.north, number - 1)
    campaign_over(signed_in("nora"), cast.north)
    campaign = Campaign.objects.get()
    assert campaign.tasks.count() == 1
    page = signed_in("nora").get(campaign_page(campaign))
    assert f"1 made and {number - 1} to make" in " ".join(page.content.decode().split())
    assert "rows" not in page.context
    # Who was taken out and put in again meanwhile comes twice on the way.
    cast.north.remove(cast.ada)
    cast.north.add(cast.ada)
    signed_in("nora").post(campaign_page(campaign, "go-on/"))
    assert campaign.tasks.count() == 2
    monkeypatch.undo()
    monkeypatch.setattr(campaigns, "PAUSE", 0)
    while campaign.goes_on:
        signed_in("nora").post(campaign_page(campaign, "go-on/"))
        campaign.refresh_from_db()
    assert campaign.state == "running"
    patients = campaign.tasks.values_list("patient", flat=True)
    assert len(patients) == len(set(patients)) == number
    assert not any(wrong for _number, wrong in stream_keys.check())
    assert signed_in("nora").post(campaign_page(campaign, "go-on/")).status_code == 302
    assert campaign.tasks.count() == number
    proof.record("campaign", connection.vendor, proof.SEED, number, 0, took())


def test_nobody_out_of_reach_gets_a_task_and_nothing_tells_of_them(
    cast, signed_in, slowly
):
    """ "Staff Permissions" offers every group, and reaches nobody by it."""
    nora = signed_in("nora")
    give(cast.nora, "Staff Permissions")
    cast.south.add(cast.ada)
    campaign_over(nora, cast.south)
    campaign = Campaign.objects.get()
    page = nora.get(campaign_page(campaign))
    assert (page.context["numbers"]["left"], page.context["numbers"]["of"]) == (1, 1)
    campaign.refresh_from_db()
    while campaign.goes_on:
        nora.post(campaign_page(campaign, "go-on/"))
        campaign.refresh_from_db()
    assert [task.patient for task in campaign.tasks.all()] == [cast.ada]
    # A task about somebody out of reach is not counted either, whoever made it.
    make(patient=cast.ben, campaign=campaign, title="Zebra")
    page = nora.get(campaign_page(campaign)).content.decode()
    assert "1 made" in page
    assert "Zebra" not in page
    nora.post(campaign_page(campaign, "end/"))
    assert campaign.tasks.get(patient=cast.ben).status == "OPEN"


def test_ending_closes_what_is_open_and_makes_no_more(cast, signed_in, slowly):
    nora = signed_in("nora")
    several(cast.north, 3)
    campaign_over(nora, cast.north)
    campaign = Campaign.objects.get()
    for _time in range(2):
        nora.post(campaign_page(campaign, "go-on/"))
    done = campaign.tasks.first()
    done.set_status("COMPLETED", cast.nora)
    done.save()
    assert campaign.tasks.count() == 3
    asked = nora.get(campaign_page(campaign, "end/")).content.decode()
    assert "2 open" in asked
    assert campaign.tasks.filter(status="OPEN").count() == 2
    nora.post(campaign_page(campaign, "end/"))
    campaign.refresh_from_db()
    assert (campaign.state, campaign.ended_by) == ("ending", cast.nora)
    while campaign.goes_on:
        nora.post(campaign_page(campaign, "go-on/"))
        campaign.refresh_from_db()
    assert campaign.state == "ended"
    assert sorted(campaign.tasks.values_list("status", flat=True)) == [
        "CLOSED",
        "CLOSED",
        "COMPLETED",
    ]
    assert titles(nora.get("/tasks/?whose=all")) == []
    rows = AuditRow.objects.filter(action="campaign.close").exclude(patient="")
    assert rows.count() == 2
    again = nora.post(campaign_page(campaign, "end/"), follow=True)
    assert "This campaign has ended." in again.content.decode()


def test_one_form_makes_one_campaign_and_bad_input_makes_none(cast, signed_in):
    nora = signed_in("nora")
    good = form_of(nora, "/campaigns/new/") | {
        "patient_group": str(cast.north.externally_exposable_id),
        "title": "Flu shot",
    }
    for field, text in (
        ("title", ""),
        ("title", "x" * 501),
        ("title", "a\x00b"),
        ("patient_group", ""),
        ("patient_group", "x"),
        ("patient_group", "\x00"),
        ("due", "0001-01-01T00:00"),
        ("priority", "high"),
        ("labels", "0" * 32),
        ("form_token", ""),
    ):
        answer = nora.post("/campaigns/new/", good | {field: text})
        assert "Nothing was saved yet" in answer.content.decode(), (field, text)
    assert not Campaign.objects.exists()
    first, second = (nora.post("/campaigns/new/", good) for _time in range(2))
    assert first["Location"] == second["Location"]
    assert Task.objects.get().campaign == Campaign.objects.get()


def test_the_pages_cost_the_same_whatever_they_show(
    cast, signed_in, django_assert_num_queries, django_assert_max_num_queries
):
    nora = signed_in("nora")
    note_activity_ahead(nora)
    campaign_over(nora, cast.north)
    pages = ("/campaigns/", campaign_page(Campaign.objects.get()))
    few = {}
    for page in pages:
        nora.get(page)
        with django_assert_max_num_queries(26) as few[page]:
            nora.get(page)
    label = label_of("Urgent")
    for patient in several(cast.north, 30):
        make(patient=patient, campaign=Campaign.objects.first()).add_labels([label])
    about = {"patient_group": cast.north, "creator": cast.sam, "title": "Other"}
    for _number in range(30):
        Campaign.objects.create(**about)
    pages = ("/campaigns/", campaign_page(Campaign.objects.last()))
    for page in pages:
        with django_assert_num_queries(len(few[page])):
            assert nora.get(page).context["next"]
    # The second page goes on behind the first.
    first = nora.get(page)
    second = nora.get(f"{page}?after={first.context['next']}")
    assert len(second.context["rows"]) == 31 - len(first.context["rows"])


def test_of_two_who_go_on_each_makes_what_the_other_has_not(cast, signed_in, slowly):
    give(cast.sam, "Patients: North")
    several(cast.north, 3)
    campaign_over(signed_in("nora"), cast.north)
    campaign = Campaign.objects.get()
    for name in ("sam", "nora", "sam", "nora"):
        signed_in(name).post(campaign_page(campaign, "go-on/"))
    campaign.refresh_from_db()
    assert campaign.state == "running"
    assert campaign.tasks.count() == 4


def test_an_open_page_gets_the_progress_alone_and_then_the_whole(
    cast, signed_in, slowly
):
    nora = signed_in("nora")
    several(cast.north, 2)
    campaign_over(nora, cast.north)
    address = campaign_page(Campaign.objects.get(), "go-on/")
    answer = nora.post(address, headers={"HX-Request": "true"})
    assert answer.content.decode().lstrip().startswith("<form")
    assert "2 made" in answer.content.decode()
    nora.post(address)
    answer = nora.post(address, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == address.removesuffix("go-on/")
