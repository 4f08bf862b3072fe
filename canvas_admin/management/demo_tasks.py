"""The demo clinic's tasks: the cast's, teams', nobody's and a campaign's; two rules."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from canvas_admin.management.demo_clinic import NORTH, SOUTH
from canvas_admin.records import clock
from patients.models import Patient, PatientGroup
from staffing.models import Staff, Team
from tasks import campaigns
from tasks.models import Campaign, RoutingRule, Task, TaskLabel, TaskLabelOrigin
from tasks.origins import Origin


@dataclass(frozen=True)
class Plan:
    """A task: about which of a group's patients, when it is due (in hours), whose it is.

    `where` is the name of a patient group, "" for a task about nobody; an origin routes it.
    """

    title: str
    where: str = ""
    patient: int = 0
    due: int | None = None
    priority: str = ""
    labels: tuple[str, ...] = ()
    assignee: str = ""
    team: str = ""
    origin: str = ""
    status: str = Task.Status.OPEN
    comments: tuple[tuple[str, str], ...] = field(default=())


COORDINATION, OFFICE = "Care coordination", "Front office"
INTERNAL = "Internal referral"
DAY, CLOSING = 24, 17
CAMPAIGN_HOURS, CAMPAIGN_DONE = 14 * DAY, 3
TASKS = (
    Plan(
        "Call about the blood pressure readings",
        NORTH,
        due=-20,
        priority="urgent",
        labels=("Urgent",),
        assignee="nora",
        comments=(
            ("sam", "Three readings over 150 this week, see the chart."),
            ("nora", "No answer at noon. I try again after five."),
        ),
    ),
    Plan("Send the vaccination record to the school", NORTH, 1, 50, assignee="nora"),
    Plan(
        "Refer patient to Dermatology (TBD)",
        NORTH,
        2,
        26,
        origin=Origin.REFERRAL,
    ),
    Plan("Refer patient to Cardiology (TBD)", SOUTH, 1, 28, origin=Origin.REFERRAL),
    Plan(
        "Tell the patient about the lab results",
        SOUTH,
        priority="stat",
        labels=("Emergent",),
        due=3,
        assignee="sam",
        team=COORDINATION,
    ),
    Plan("Ask for the records of the hospital stay", SOUTH, 2, 100, assignee="sam"),
    Plan("Ask about the ride to the next visit", NORTH, 4, labels=("Routine",)),
    Plan("Order gloves and test strips", due=120, priority="routine", team=OFFICE),
    Plan("Check the temperature log of the fridge", due=6, assignee="max"),
    Plan(
        "Call the pharmacy about the refill",
        NORTH,
        5,
        assignee="nora",
        status="COMPLETED",
    ),
)


def make_tasks(patients: dict[str, list[Patient]]) -> None:
    """Make them all, once; `patients` are by the name of their group.

    What was imported has raised tasks before; those have an origin.
    """
    if Task.objects.filter(origin="").exists():
        return
    with transaction.atomic():
        label, _made = TaskLabel.objects.get_or_create(
            name=INTERNAL, defaults={"color": "teal"}
        )
        TaskLabelOrigin.objects.get_or_create(label=label, origin=Origin.REFERRAL)
        staff = {each.user.username: each for each in _cast()}
        make_rules(staff["sam"])
        for plan in TASKS:
            make_task(plan, patients.get(plan.where, []), staff)
        make_campaign(staff["nora"])


def make_campaign(maker: Staff) -> None:
    """A campaign over the North clinic, of which some is done."""
    campaign = Campaign.objects.create(
        patient_group=PatientGroup.objects.get(name=NORTH, retired=None),
        title="Invite to a flu shot",
        due=_due(CAMPAIGN_HOURS),
        priority=Task.Priority.ROUTINE,
        creator=maker,
    )
    while campaign.goes_on:
        campaigns.go_on(maker.user, campaign)
    for task in campaign.tasks.order_by("pk")[:CAMPAIGN_DONE]:
        task.set_status(Task.Status.COMPLETED, maker)
        task.save()


def make_rules(cardiologist: Staff) -> None:
    """One that gives a kind of referral to a person, and one that dates a kind of task."""
    rule = RoutingRule.objects.create(
        name="Cardiology referrals",
        comparison=RoutingRule.Comparison.MATCHES,
        title="Refer patient to Cardiology*",
        assignee=cardiologist,
        stop_after_match=True,
    )
    rule.labels.set(TaskLabel.objects.filter(name="Urgent"))
    rule = RoutingRule.objects.create(
        name="Incomplete coverages within five days",
        origin=Origin.COVERAGE,
        due_days=5,
    )
    rule.labels.set(TaskLabel.objects.filter(name="Routine"))


def make_task(plan: Plan, people: list[Patient], staff: dict[str, Staff]) -> None:
    """One task with its labels and comments."""
    task = Task(
        title=plan.title,
        patient=people[plan.patient % len(people)] if people else None,
        due=None if plan.due is None else _due(plan.due),
        priority=plan.priority,
        assignee=staff.get(plan.assignee),
        team=Team.objects.filter(name=plan.team).first(),
        creator=None if plan.origin else staff["max"],
        origin=plan.origin,
    )
    if plan.status != Task.Status.OPEN:
        task.set_status(plan.status, task.assignee)
    task.begin_with(TaskLabel.objects.filter(name__in=plan.labels))
    task.save()
    for username, text in plan.comments:
        task.comments.create(author=staff[username], text=text)


def _due(hours: int) -> datetime:
    """So many hours from now; what is not for today, at the end of its working day."""
    when = timezone.localtime(clock.now() + timedelta(hours=hours))
    hour = CLOSING if hours >= DAY else when.hour
    return when.replace(hour=hour, minute=0, second=0, microsecond=0)


def _cast() -> list[Staff]:
    return list(
        Staff.objects.people().filter(user__isnull=False).select_related("user")
    )
