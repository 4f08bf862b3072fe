"""An automated task goes to the team that answers for its origin (S1; facts 6.4)."""

import pytest

from staffing.models import Team, TeamResponsibility
from tasks.models import Task, TaskLabel, TaskLabelOrigin
from tasks.origins import RESPONSIBLE, Origin

# By hand, from facts 6.3 and 6.4.
GOES_TO = {
    "REF_CMD": "COORDINATE_REFERRALS_FOR_PATIENT",
    "CMP_IMG_ORD": "COORDINATE_REFERRALS_FOR_PATIENT",
    "IMG_REP_REV": "COMMUNICATE_DIAGNOSTIC_RESULTS_TO_PATIENT",
    "LAB_RES_REV": "COMMUNICATE_DIAGNOSTIC_RESULTS_TO_PATIENT",
    "CON_REP_REV": "COMMUNICATE_DIAGNOSTIC_RESULTS_TO_PATIENT",
    "UNC_DOC_REP_REV": "COMMUNICATE_DIAGNOSTIC_RESULTS_TO_PATIENT",
    "ASN_NOT_PHN_REV": None,
    "POP_HLT_OUT": "POPULATION_HEALTH_CAMPAIGN_OUTREACH",
    "CMP_LAB_ORD": "COMPLETE_OPEN_LAB_ORDERS",
    "CHT_PDF": None,
    "EXP_CLM_SNO": None,
    "FLG_PST_REV": "REVIEW_ERA_POSTING_EXCEPTIONS",
    "BAT_PTN_STA": "COLLECT_PATIENT_PAYMENTS",
    "INC_COV": "REVIEW_COVERAGES",
}


def test_every_origin_goes_to_the_team_that_is_responsible(cast):
    assert set(GOES_TO) == set(Origin.values)
    assert set(RESPONSIBLE) <= set(Origin)
    for code in TeamResponsibility.Code.values:
        team = Team.objects.create(name=f"Team {code}")
        TeamResponsibility.objects.create(team=team, code=code)
    for origin, code in GOES_TO.items():
        task = cast.ada.tasks.create(title="Call", origin=origin)
        assert (task.team and task.team.name) == (code and f"Team {code}"), origin
        assert (task.assigned_at is None) == (code is None)
        assert task.assignee is None


def test_whoever_is_named_keeps_the_task(cast):
    team = Team.objects.create(name="Coordination")
    TeamResponsibility.objects.create(team=team, code=GOES_TO["REF_CMD"])
    task = Task.objects.create(title="Call", origin="REF_CMD", assignee=cast.nora)
    assert (task.assignee, task.team) == (cast.nora, None)
    task.hand_to()
    task.save()
    assert task.team is None, "a task is routed once, when it is made"


def test_without_a_responsible_team_it_waits_for_anybody(cast):
    task = cast.ada.tasks.create(title="Call", origin="REF_CMD")
    assert list(Task.objects.filter(assignee=None, team=None)) == [task]


def test_labels_of_an_origin_go_onto_its_tasks(cast):
    on, off = (TaskLabel.objects.create(name=name) for name in ("Referral", "Old"))
    off.active = False
    off.save()
    for label in (on, off):
        TaskLabelOrigin.objects.create(label=label, origin="REF_CMD")
    assert list(cast.ada.tasks.create(title="a", origin="REF_CMD").labels.all()) == [on]
    assert not cast.ada.tasks.create(title="b", origin="INC_COV").labels.exists()


@pytest.mark.django_db
def test_a_clinic_starts_with_three_labels():
    names = TaskLabel.objects.values_list("name", flat=True)
    assert list(names) == ["Emergent", "Urgent", "Routine"]
