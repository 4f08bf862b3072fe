"""The care team on the profile: who joins, who leads, who leaves; history stays."""

import pytest
from django.db import IntegrityError, transaction

from canvas_admin.testing import make_role, make_staff
from patients.models import CareTeamMembership
from patients.tests.profile_pages import (
    FORM,
    add,
    address,
    change,
    problems,
    values_of,
    writer,
)
from staffing.models import CareTeamRole, Staff, StaffRole
from staffing.tests.pages import submit

pytestmark = pytest.mark.furnished


@pytest.fixture
def olga(cast, signed_in):
    """nora is ada's Coach."""
    return writer(cast, signed_in)


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def role(code):
    return CareTeamRole.objects.create(code=code, display=code.title())


def part(cast, staff, code, **fields):
    return CareTeamMembership.objects.create(
        patient=cast.ada, staff=staff, role=role(code), **fields
    )


def edit(client, cast, row, **changes):
    return submit(client, address(cast.ada, "care-team", row.key), FORM, **changes)


def leads(cast):
    rows = cast.ada.care_team.filter(status="active", lead=True)
    return [row.staff for row in rows]


def test_who_joins_is_on_profile_and_chart(cast, olga, signed_in):
    add(olga, cast, "care-team", lead="on")
    row = cast.ada.care_team.get(staff=cast.sam)
    assert (row.status, row.lead, row.role_display) == ("active", True, "Dietician")
    nora = signed_in("nora")
    for url in (address(cast.ada), f"/patient/{cast.ada.key}/"):
        html = nora.get(url).content.decode()
        assert "Sam Example MD" in html
        assert ">Lead<" in html


def test_active_staff_with_a_clinical_or_hybrid_role_are_offered(cast, olga):
    hybrid = make_staff("hyla")
    StaffRole(staff=hybrid, role=make_role("HY", "Hybrid", "HYB")).save()
    StaffRole(staff=cast.sam, role=make_role("N2", "Second", "CLI")).save()
    directory = Staff.objects.create(first_name="Dora", last_name="Directory")
    form = olga.get(address(cast.ada, "care-team", "new")).context["form"]
    offered = [staff.key for staff in form.fields["staff"].queryset]
    assert sorted(offered) == sorted(s.key for s in (hybrid, cast.nora, cast.sam))
    assert directory.key not in offered


def test_where_there_is_no_role_the_form_says_whom_to_ask(cast, olga):
    url, sentence = address(cast.ada, "care-team", "new"), "There is no care team role"
    assert sentence not in olga.get(url).content.decode()
    CareTeamRole.objects.update(active=False)
    assert sentence in olga.get(url).content.decode()


# The three rules --------------------------------------------------------------------------


def test_one_role_per_person(cast, olga):
    refused = problems(add(olga, cast, "care-team", staff=cast.nora.key))
    assert "Nora Example is on the care team already: Coach." in refused


def test_one_person_per_role(cast, olga):
    refused = problems(add(olga, cast, "care-team", role=cast.care_team_role.key))
    assert "Nora Example has this role: Coach. End that part first." in refused
    assert cast.ada.care_team.count() == 1


def test_the_lead_goes_from_one_to_the_other(cast, olga):
    change(olga, cast, "care-team", lead="on")
    assert leads(cast) == [cast.nora]
    add(olga, cast, "care-team", lead="on")
    assert leads(cast) == [cast.sam]
    assert fresh(cast.belongings["care-team"]).status == "active"
    change(olga, cast, "care-team", lead="on")
    assert leads(cast) == [cast.nora]


def test_nobody_takes_over_from_somebody_unseen(cast, olga):
    values = values_of(olga, address(cast.ada, "care-team", "new"))
    nora = cast.belongings["care-team"]
    change(olga, cast, "care-team", lead="on")
    dietician = role("dietician")
    mine = values | {"staff": cast.sam.key, "role": dietician.key, "lead": "on"}
    refused = olga.post(address(cast.ada, "care-team", "new"), mine)
    assert "Nora Example is the lead now." in problems(refused)
    assert leads(cast) == [cast.nora]
    again = refused.context["form"].data
    assert again["present_lead"] == nora.key
    olga.post(address(cast.ada, "care-team", "new"), again)
    assert leads(cast) == [cast.sam]


@pytest.mark.parametrize("forged", ["", "x", "\x00", "0" * 32, "é"])
def test_a_forged_present_lead_takes_nothing_over(cast, olga, forged):
    change(olga, cast, "care-team", lead="on")
    assert problems(add(olga, cast, "care-team", lead="on", present_lead=forged))
    assert leads(cast) == [cast.nora]


def test_the_database_holds_the_three_rules(cast, olga):
    change(olga, cast, "care-team", lead="on")
    for staff, held, lead in (
        (cast.nora, role("a"), False),
        (cast.sam, cast.care_team_role, False),
        (cast.sam, role("b"), True),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            CareTeamMembership.objects.create(
                patient=cast.ada, staff=staff, role=held, lead=lead
            )


@pytest.mark.parametrize("rule", ["_refuse_a_second_one"])
def test_what_happens_at_the_same_moment_is_said_in_the_form(
    cast, olga, monkeypatch, rule
):
    form = "patients.forms.care_team.MembershipForm"
    monkeypatch.setattr(f"{form}.{rule}", lambda self, cleaned: None)
    assert "at this moment" in problems(
        add(olga, cast, "care-team", staff=cast.nora.key)
    )
    assert cast.ada.care_team.count() == 1


def test_teams_of_others_do_not_count(cast, olga):
    CareTeamMembership.objects.create(
        patient=cast.ben, staff=cast.sam, role=role("d"), lead=True
    )
    assert add(olga, cast, "care-team", lead="on").status_code == 302


# Leaving, history, return -----------------------------------------------------------------


def test_who_leaves_stays_in_the_history_and_frees_role_and_lead(cast, olga):
    nora = cast.belongings["care-team"]
    change(olga, cast, "care-team", lead="on")
    change(olga, cast, "care-team", status="inactive")
    assert (fresh(nora).status, fresh(nora).lead) == ("inactive", False)
    assert "Nora Example" not in team_of(olga.get(address(cast.ada)))
    history = olga.get(address(cast.ada, "care-team")).content.decode()
    assert "Nora Example RN" in history
    assert "Inactive" in history
    again = add(olga, cast, "care-team", role=cast.care_team_role.key, lead="on")
    assert again.status_code == 302
    assert leads(cast) == [cast.sam]
    assert cast.ada.care_team.count() == 2


def team_of(response):
    html = response.content.decode()
    return html[html.index("<aside") : html.index("</aside>")]


def test_a_part_may_begin_again_unless_a_rule_or_the_person_stands_against_it(
    cast, olga
):
    nora = cast.belongings["care-team"]
    change(olga, cast, "care-team", status="inactive")
    sam = part(cast, cast.sam, "d")
    sam.role, sam.role_code = cast.care_team_role, ""
    sam.save()
    assert "has this role" in problems(edit(olga, cast, nora, status="active"))
    edit(olga, cast, sam, status="inactive")
    assert edit(olga, cast, nora, status="active").status_code == 302
    edit(olga, cast, nora, status="inactive")
    cast.nora.active = False
    cast.nora.save()
    assert "is not active here" in problems(edit(olga, cast, nora, status="active"))


def test_somebody_who_left_the_clinic_can_be_taken_off(cast, olga):
    cast.nora.active = False
    cast.nora.save()
    nora = cast.belongings["care-team"]
    assert change(olga, cast, "care-team", lead="on").status_code == 302
    assert change(olga, cast, "care-team", status="inactive").status_code == 302
    assert fresh(nora).status == "inactive"


@pytest.mark.parametrize("status", ["", "gone", "ACTIVE", "\x00"])
def test_a_status_that_there_is_not_is_refused(cast, olga, status):
    assert problems(change(olga, cast, "care-team", status=status))


def test_person_and_role_of_a_part_stay(cast, olga):
    other = role("z")
    change(olga, cast, "care-team", lead="on", staff=cast.sam.key, role=other.key)
    row = fresh(cast.belongings["care-team"])
    assert (row.staff, row.role) == (cast.nora, cast.care_team_role)
