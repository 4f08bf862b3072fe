"""Who of some people will see work about a patient (S2, "Filtered data in panel views")."""

from canvas_admin.testing import give, make_staff
from patients.work.assigning import Assignees, who_sees
from staffing.models import Staff, Team, TeamMember

TASKS = ("tasks.view_task",)


def seen_by(people, patient, permissions=TASKS):
    seen = who_sees(people, patient, permissions)
    return {each.first_name for each in people if each.pk in seen}


def test_right_and_reach_are_both_needed(cast):
    give(cast.max, "Tasking access")
    people = list(Staff.objects.all())
    assert seen_by(people, cast.ada) == {"Nora", "Max"}
    assert seen_by(people, cast.ben) == {"Sam", "Max"}
    assert seen_by(people, cast.cyn) == {"Max"}
    assert seen_by(people, None) == {"Nora", "Sam", "Max"}
    assert seen_by(people, cast.ada, ("patients.add_patient",)) == set()
    directory = Staff.objects.create(first_name="Dora", last_name="Example")
    assert seen_by([directory], cast.ada) == set()


def test_a_team_is_asked_at_once_whatever_its_size(cast, django_assert_num_queries):
    team = Team.objects.create(name="Triage")
    for name in ("nora", "sam", "ines"):
        TeamMember.objects.create(team=team, staff=getattr(cast, name))
    with django_assert_num_queries(6):
        sight = Assignees(cast.ada, TASKS).sight(None, team)
    assert sight.able == (cast.nora,)
    assert sight.unable == (cast.sam,), "who has left is nobody to count on"
    for number in range(9):
        staff = make_staff(f"pat{number}", "Tasking access", "Patients: North")
        TeamMember.objects.create(team=team, staff=staff)
    with django_assert_num_queries(6):
        sight = Assignees(cast.ada, TASKS).sight(None, team)
    assert (len(sight.able), sight.total) == (10, 11)
    assert Assignees(cast.ada, TASKS).sight(cast.sam, team).able == ()
