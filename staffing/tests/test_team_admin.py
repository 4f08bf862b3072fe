"""Teams in the administration: members, responsibilities, and teams in use."""

from types import SimpleNamespace
from typing import Any

import pytest

from canvas_admin.records.addresses import address
from staffing.models import Team, TeamMember, TeamResponsibility
from staffing.tests.pages import errors_of, fields_of, submit

ADD = "/admin/staffing/team/add/"
FORM = "team_form"


def make_team(client: Any, name: str, *codes: str, **more: Any) -> Any:
    return submit(client, ADD, FORM, name=name, responsibilities=codes, **more)


def test_a_team_is_made_with_members_and_responsibilities(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    members = [cast.nora.key, cast.olga.key]
    make_team(signed_in("ruth"), "Front", "REVIEW_COVERAGES", members=members)
    team = Team.objects.get()
    assert {row.staff for row in team.members.all()} == {cast.nora, cast.olga}
    assert team.responsibilities.get().code == "REVIEW_COVERAGES"


def test_editing_changes_only_what_differs(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    make_team(ruth, "Front", "REVIEW_COVERAGES", members=[cast.nora.key])
    team = Team.objects.get()
    row = team.members.get()
    submit(
        ruth,
        address(team),
        FORM,
        members=[cast.nora.key, cast.sam.key],
        responsibilities=["COLLECT_PATIENT_PAYMENTS"],
    )
    assert team.members.get(staff=cast.nora) == row
    assert team.members.count() == 2
    assert team.responsibilities.get().code == "COLLECT_PATIENT_PAYMENTS"


def test_a_responsibility_held_elsewhere_names_the_team(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    make_team(ruth, "Front", "REVIEW_COVERAGES")
    answer = make_team(ruth, "Back", "REVIEW_COVERAGES")
    assert "held by the team “Front”" in errors_of(answer)
    assert Team.objects.count() == 1


def test_two_teams_saved_at_once_do_not_both_hold_it(
    cast: SimpleNamespace, signed_in: Any, monkeypatch: Any
) -> None:
    """The second one passed the check before the first was saved."""
    ruth = signed_in("ruth")
    make_team(ruth, "Front", "REVIEW_COVERAGES")
    from_form = "staffing.forms.teams.TeamForm.clean_responsibilities"
    monkeypatch.setattr(from_form, lambda form: form.cleaned_data["responsibilities"])
    answer = make_team(ruth, "Back", "REVIEW_COVERAGES")
    assert "at this moment" in errors_of(answer)
    assert Team.objects.count() == 1


@pytest.mark.parametrize("code", ["NO_SUCH", "1", "\x00", "x" * 10_000])
def test_an_unknown_responsibility_or_member_is_said(
    cast: SimpleNamespace, signed_in: Any, code: str
) -> None:
    ruth = signed_in("ruth")
    assert errors_of(make_team(ruth, "Front", code))
    assert errors_of(make_team(ruth, "Front", members=[code]))
    assert not Team.objects.exists()


def test_inactive_staff_are_not_offered_but_stay_where_they_are(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    assert errors_of(make_team(ruth, "Front", members=[cast.ines.key]))
    make_team(ruth, "Front")
    team = Team.objects.get()
    TeamMember.objects.create(team=team, staff=cast.ines)
    submit(ruth, address(team), FORM, name="Front office")
    assert team.members.get().staff == cast.ines


def test_a_team_in_use_is_not_deleted_and_the_page_says_why(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    make_team(ruth, "Front", "REVIEW_COVERAGES", members=[cast.nora.key])
    url = address(Team.objects.get(), page="delete")
    page = ruth.get(url).content.decode()
    assert "It has members: 1." in page
    assert "Review incomplete patient coverages" in page
    ruth.post(url, {"post": "yes"})
    assert Team.objects.exists()


def test_an_unused_team_is_deleted(cast: SimpleNamespace, signed_in: Any) -> None:
    ruth = signed_in("ruth")
    make_team(ruth, "Front")
    url = address(Team.objects.get(), page="delete")
    assert ruth.post(url, {"post": "yes"}).status_code == 302
    assert not Team.objects.exists()


def test_teams_are_found_by_member_and_responsibility(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    make_team(ruth, "Front", "REVIEW_COVERAGES", members=[cast.nora.key])
    make_team(ruth, "Back", members=[cast.sam.key, cast.nora.key])
    for query, names in (
        ({"q": "sam"}, ["Back"]),
        ({"q": "nora"}, ["Back", "Front"]),
        ({"responsibility": "REVIEW_COVERAGES"}, ["Front"]),
    ):
        rows = ruth.get("/admin/staffing/team/", query).context["cl"].result_list
        assert [team.name for team in rows] == names
    assert TeamResponsibility.objects.count() == 1


def test_the_same_form_sent_twice_makes_one_team(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    data = fields_of(ruth.get(ADD), FORM) | {"name": "Front"}
    ruth.post(ADD, data)
    again = ruth.post(ADD, data, follow=True)
    assert again.redirect_chain == [(address(Team.objects.get()), 302)]
    assert "This form was saved before" in again.text
