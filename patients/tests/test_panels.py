"""Panels: what is whose, what is hidden while the patient is out of reach, and pages (S2)."""

import sys
from datetime import timedelta

import pytest
from django.urls import reverse

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import give, make_group, make_patient, make_staff
from patients import access
from patients.models import LabReport
from patients.search import scans
from patients.tests.work import make_lab, make_refill
from patients.work import panels, queues
from patients.work.queues import Person, Queue, Whose
from staffing.models import Team, TeamMember

LABS = "/panels/labs/"
PAGE = 5


def team_of(*staff):
    team = Team.objects.create(name="Lab team")
    for each in staff:
        TeamMember.objects.create(team=team, staff=each)
    return team


def rows(client, address=LABS, **data):
    return client.get(address, data).context["rows"]


def numbers(client):
    """What stands beside each panel, by its title."""
    context = client.get(LABS).context
    return {kind.code: number for kind, number in context["panels"]}


def test_mine_and_my_teams_come_first_the_longest_waiting_ahead(cast, signed_in):
    now = clock.now()
    mine = make_lab(cast.ada, assignee=cast.nora, reported=now)
    ours = make_lab(cast.ada, team=team_of(cast.nora), reported=now - timedelta(days=9))
    taken = make_lab(cast.ada, team=ours.team, assignee=cast.sam)
    alone = make_lab(cast.ada, reported=None)
    client = signed_in("nora")
    assert rows(client) == [ours, mine]
    assert rows(client, whose="unassigned") == [alone]
    assert rows(client, whose="all") == [ours, mine, taken, alone]
    assert rows(client, whose="nobody's") == [ours, mine]


def test_handing_over_is_heard_with_the_item_and_its_patient(cast, signed_in):
    lab = make_lab(cast.ada, assignee=cast.nora, display="Lipid panel")
    refill = make_refill(cast.ada, assignee=cast.nora)
    client = signed_in("nora")
    for row, address in ((lab, LABS), (refill, "/panels/refills/")):
        page = client.get(address).content.decode()
        what = getattr(row, "display", "") or row.medication.display
        heard = f'<span class="visually-hidden">: {what}, {cast.ada.name}</span>'
        assert f"Hand over{heard}" in page, address


def test_each_panel_is_under_the_link_of_the_navigation(cast, signed_in):
    client = signed_in("nora")
    for kind in panels.KINDS:
        page = client.get(reverse(kind.url_name)).content.decode()
        here = "page" if kind.code == "labs" else "true"
        assert f'href="{LABS}" aria-current="{here}">Panels<' in page, kind.code


def test_items_assigned_to_staff_are_not_visible_to_them_without_access(
    cast, signed_in
):
    """S2: "Items assigned to staff will not be visible to them if they do not have access
    to the patient.\""""
    hidden = make_lab(cast.ben, assignee=cast.nora, display="Hidden panel")
    make_lab(cast.ben, team=team_of(cast.nora), display="Hidden panel")
    client = signed_in("nora")
    for whose in Whose:
        page = client.get(LABS, {"whose": str(whose)})
        assert page.context["rows"] == []
        assert "Hidden panel" not in page.content.decode()
    assert numbers(client)["labs"] == 0
    cast.north.add(cast.ben)
    assert hidden in rows(client)
    assert numbers(client)["labs"] == 2


def test_what_is_done_or_wrong_waits_no_longer(cast, signed_in):
    done, wrong = make_lab(cast.ada), make_lab(cast.ada)
    done.review(cast.nora, "")
    done.save()
    wrong.entered_in_error = True
    wrong.save()
    assert rows(signed_in("nora"), whose="all") == []


@pytest.mark.parametrize("whose", ["mine", "all"])
def test_pages_hold_every_item_once(cast, signed_in, whose, monkeypatch):
    monkeypatch.setattr(sys.modules["patients.views.panels"], "PAGE", PAGE)
    now = clock.now()
    for number in range(PAGE + 3):
        date = now - timedelta(days=number // 2) if number % 5 else None
        make_lab(cast.ada, reported=date, assignee=cast.nora)
        make_lab(cast.ben, reported=date, assignee=cast.nora)
    client = signed_in("nora")
    first = client.get(LABS, {"whose": str(whose)})
    after = first.context["next"]
    second = client.get(LABS, {"whose": str(whose), "after": after})
    seen = first.context["rows"] + second.context["rows"]
    assert len(seen) == len(set(seen)) == PAGE + 3
    assert {row.patient for row in seen} == {cast.ada}
    dates = [row.reported for row in seen if row.reported]
    assert dates == sorted(dates) == [row.reported for row in seen][: len(dates)]
    assert second.context["next"] == ""
    hidden = LabReport.objects.filter(patient=cast.ben).first()
    for no_cursor in (hidden.key, "0" * 32, "x"):
        again = client.get(LABS, {"whose": str(whose), "after": no_cursor})
        assert again.context["rows"] == first.context["rows"]


def test_numbers_have_an_end(cast, signed_in, monkeypatch):
    assert queues.MOST_COUNTED == 99
    monkeypatch.setattr(queues, "MOST_COUNTED", 2)
    team = team_of(cast.nora)
    for number in (1, 2, 3):
        make_lab(cast.ada, team=team)
        assert numbers(signed_in("nora"))["labs"] == number
    make_lab(cast.ada, team=team)
    make_refill(cast.ada, team=team)
    found = numbers(signed_in("nora"))
    assert found | {"labs": 3, "imaging": 0, "refills": 1} == found
    assert "2+" in signed_in("nora").get(LABS).content.decode()


def test_a_panel_costs_the_same_however_much_it_shows(
    cast, signed_in, django_assert_num_queries, django_assert_max_num_queries
):
    client = signed_in("nora")
    cast.north.add(cast.cyn)
    make_lab(cast.ada, assignee=cast.nora)
    rows(client)
    with django_assert_max_num_queries(30) as few:
        assert len(rows(client)) == 1
    for number in range(6):
        make_lab((cast.ada, cast.cyn)[number % 2], assignee=cast.nora)
    with django_assert_num_queries(len(few)):
        assert len(rows(client)) == 7


def test_panels_ask_for_clinical_read(cast, signed_in):
    for kind in panels.KINDS:
        address = f"/panels/{kind.code}/"
        assert signed_in("nora").get(address).status_code == 200
        assert signed_in("olga").get(address).status_code == 403
        assert signed_in("max").get(address).status_code == 403
    give(cast.olga, "Tasking access")
    page = signed_in("olga").get("/tasks/").content.decode()
    assert "Panels" in page
    assert "/panels/" not in page, "a panel that she may not open is offered"


def test_what_a_panel_shows_is_on_the_trail(cast, signed_in):
    make_lab(cast.ada, assignee=cast.nora)
    signed_in("nora").get(LABS)
    kept = AuditRow.objects.filter(action="panel.labs")
    assert set(kept.values_list("patient", "access_path")) == {
        ("", ""),
        (cast.ada.key, "patient-group"),
    }


def test_all_within_reach_is_what_the_rule_says_through_many_groups(db):
    staff = make_staff("gil", "Clinical read")
    patients = [make_patient(f"P{n}", "Many", clock.today()) for n in range(26)]
    for number in range(17):
        group = make_group(f"G{number}", patients[number : number + 3])
        give(staff, f"Patients: {group.name}")
    for number, patient in enumerate(patients):
        make_lab(patient, reported=clock.now() - timedelta(hours=number % 7))
    reach = access.Reach.of(staff.user)
    queue = Queue(panels.BY_CODE["labs"].shelf, Person.of(reach), Whose.ALL)
    found = [item for item, _path in queue.items(None, 4)]
    naive = LabReport.objects.visible_to(reach).order_by("reported", "key")
    assert found == list(naive)
    assert len(found) == 19


@pytest.mark.parametrize("most", [99, 5, 2, 1])
@pytest.mark.parametrize("sample", [1, 5, 64])
def test_numbers_through_many_groups_are_those_of_the_rows(
    db, monkeypatch, sample, most
):
    monkeypatch.setattr(scans, "SAMPLE", sample)
    monkeypatch.setattr(queues, "MOST_COUNTED", most)
    staff = make_staff("gil", "Clinical read")
    patients = [make_patient(f"P{n}", "Many", clock.today()) for n in range(20)]
    for number in range(17):
        # The last one is in no group.
        group = make_group(f"G{number}", patients[number : number + 3][:2])
        give(staff, f"Patients: {group.name}")
    for number, patient in enumerate(patients):
        make_lab(patient, assignee=staff)
        if number % 9 == 1:
            make_refill(patient, assignee=staff)
    looking = Person.of(access.Reach.of(staff.user))
    shelves = [panels.BY_CODE[code].shelf for code in ("labs", "imaging", "refills")]
    asked = [Queue(shelf, looking) for shelf in shelves]
    expected = [min(number, most + 1) for number in (18, 0, 2)]
    assert queues.counts(asked) == expected
    assert [queue.count() for queue in asked] == expected
    assert queues.counts([]) == []
