"""A campaign is no way to learn who is in a patient group."""

import uuid

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_group, make_staff
from canvas_admin.tests.masking import masked
from staffing.groups import managed_group
from tasks.models import Campaign, Task
from tasks.tests.asking import campaign_over, campaign_page, form_of, make

NOBODY = "0123456789abcdef" * 2
PAGES = ("", "end/")


@pytest.fixture
def campaign(cast):
    """One over North, of which a task is still to be made."""
    return Campaign.objects.create(
        patient_group=cast.north, title="Flu shot", creator=cast.nora
    )


def test_the_groups_that_one_holds_are_offered_and_no_others(cast, signed_in):
    nora = signed_in("nora")
    make_group("Registry", [cast.ada], use_for_permissions=False)
    retired = make_group("Old", [cast.ada])
    give(cast.nora, "Patients: Old")
    retired.retire()
    page = nora.get("/campaigns/new/").content.decode()
    assert ">North<" in page
    for name in ("South", "Registry", "Old"):
        assert f">{name}<" not in page
    give(cast.nora, "Staff Permissions")
    page = nora.get("/campaigns/new/").content.decode()
    for name in ("North", "South", "Registry"):
        assert f">{name}<" in page
    assert ">Old<" not in page
    # All Patients is everybody's data, and tells nobody who is in a group.
    give(cast.max, "Tasking access")
    page = signed_in("max").get("/campaigns/new/").content.decode()
    assert "You hold no patient group" in page


def test_a_group_that_is_not_offered_is_answered_like_one_that_is_not_there(
    cast, signed_in
):
    nora = signed_in("nora")
    data = form_of(nora, "/campaigns/new/") | {"title": "Flu shot"}
    answers = []
    for key in (str(cast.south.externally_exposable_id), str(uuid.uuid4())):
        answer = nora.post("/campaigns/new/", data | {"patient_group": key})
        answers.append(masked(answer, key))
    assert answers[0] == answers[1]
    assert answers[0][0] == 200
    assert not Campaign.objects.exists()


MATRIX = [
    (("Tasking access", "Patients: North"), True),
    (("Tasking access", "Staff Permissions"), True),
    (("Tasking access", "All Patients"), False),
    (("Tasking access", "Patients: South"), False),
    (("Tasking access",), False),
    (("Clinical read", "Clinical write", "Profile write", "Patients: North"), False),
]


@pytest.mark.parametrize(("groups", "may"), MATRIX)
def test_right_and_group_are_both_needed(cast, client, campaign, groups, may):
    make(patient=cast.ada, campaign=campaign)
    staff = make_staff("pat", *groups)
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    for page in PAGES:
        answer = client.get(campaign_page(campaign, page))
        assert answer.status_code == (200 if may else 403), page
        campaign.key, key = NOBODY, campaign.key
        missing = client.get(campaign_page(campaign, page))
        campaign.key = key
        if not may:
            assert masked(missing, NOBODY) == masked(answer, key)
    tasking = "Tasking access" in groups
    for page in ("/campaigns/", "/campaigns/new/"):
        assert client.get(page).status_code == (200 if tasking else 403)
    assert ("Flu shot" in str(client.get("/campaigns/").content)) == may
    if not may:
        for page in ("go-on/", "end/"):
            answer = client.post(campaign_page(campaign, page))
            assert answer.status_code == 403
        assert campaign_over(client, cast.north).status_code in (200, 403)
        campaign.refresh_from_db()
        assert campaign.state == "making"
        assert Task.objects.count() == Campaign.objects.count() == 1
        assert Task.objects.get().is_open


def test_whoever_loses_the_group_makes_no_further_task(cast, signed_in, campaign):
    """Also for those whom another group still opens: it would tell who is in this one."""
    nora = signed_in("nora")
    east = make_group("East", [cast.ada])
    give(cast.nora, "Patients: East")
    cast.nora.revoke(cast.north.auth_group)
    page = nora.get(campaign_page(campaign)).content.decode()
    assert "no longer open to you" in page
    assert "to make" not in page
    assert nora.post(campaign_page(campaign, "go-on/")).status_code == 403
    assert not Task.objects.exists()
    assert east.memberships.exists()
    # One's own is still there, to be ended.
    assert nora.post(campaign_page(campaign, "end/")).status_code == 302
    campaign.refresh_from_db()
    assert campaign.state == "ended"


def test_the_right_is_asked_when_the_form_is_sent(cast, signed_in, campaign):
    nora = signed_in("nora")
    data = form_of(nora, "/campaigns/new/") | {
        "title": "Flu shot",
        "patient_group": str(cast.north.externally_exposable_id),
    }
    cast.nora.revoke(managed_group("tasking-access"))
    assert nora.post("/campaigns/new/", data).status_code == 403
    assert nora.post(campaign_page(campaign, "go-on/")).status_code == 403
    assert not Task.objects.exists()


def test_a_task_leads_to_its_campaign_for_those_who_see_that(cast, signed_in, campaign):
    task = make(patient=cast.ada, campaign=campaign)
    give(cast.max, "Tasking access")
    link = f'href="{campaign_page(campaign)}"'
    for name, sees in (("nora", True), ("max", False)):
        page = signed_in(name).get(f"/task/{task.key}/").content.decode()
        assert (link in page) == sees


def test_who_has_left_sees_none_of_their_own(cast, campaign):
    assert Campaign.objects.visible_to(cast.nora.user).exists()
    assert not Campaign.objects.visible_to(cast.anonymous).exists()
    Campaign.objects.update(creator=cast.ines)
    assert not Campaign.objects.visible_to(cast.ines.user).exists()


def test_a_patient_who_has_left_the_group_gets_no_task(cast, signed_in, campaign):
    nora = signed_in("nora")
    nora.get(campaign_page(campaign))
    cast.north.remove(cast.ada)
    nora.post(campaign_page(campaign, "go-on/"))
    assert not Task.objects.exists()
    assert not AuditRow.objects.filter(action="campaign.tasks").exists()
