"""Carrying a campaign out: its tasks are made, and closed, a part at a time.

Each part is one transaction that begins with the campaign's lock, so that two who go on
at once make each task once, and holds SQLite's write lock for less than 200 ms (DESIGN
section 9). Whoever goes on makes tasks for the patients within reach, and for no others:
nothing that is shown, and nothing that is counted, tells that there are more.
"""

import time
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from canvas_admin.audit import trail
from canvas_admin.records import clock
from patients import access
from patients.gate import Refused
from patients.models import Patient, PatientGroupMember
from staffing.models import staff_of
from tasks.bulk import keep_keys, lock_in_order, lock_patients, paths_of
from tasks.models import Campaign, Task, groups_offered

State = Campaign.State
# What a part looks at, and for how many seconds it works.
LOOKED = 100
PART = 0.1
# For how many seconds a request goes on, and lets others write between two parts.
PATIENCE = 1.5
PAUSE = 0.1
# Numbers go no further.
COUNTED = 10_000


def go_on(account: Any, campaign: Campaign, request: HttpRequest | None = None) -> None:
    """Make or close further tasks, until none is left or the patience is over.

    Raises Refused, with what was done kept, when the patient group is no longer offered.
    """
    until = time.monotonic() + PATIENCE
    while _part(account, campaign, request) and time.monotonic() < until:
        time.sleep(PAUSE)
    campaign.refresh_from_db()


@transaction.atomic
def end(request: HttpRequest, campaign: Campaign) -> None:
    """Begin to close its open tasks; none is made any more. Once ended it stays so."""
    campaign = _locked(campaign)
    if campaign.state == State.ENDED:
        return
    campaign.state, campaign.position = State.ENDING, 0
    campaign.ended, campaign.ended_by = clock.now(), staff_of(request.user)
    campaign.save()
    _record(request.user, "campaign.end", campaign, [], request)


def start(request: HttpRequest, form: Any) -> bool:
    """Save a new campaign, without tasks yet; False when the form is wrong.

    Raises SavedAlready for a form that was sent before.
    """
    try:
        with transaction.atomic():
            if not form.is_valid():
                return False
            campaign = form.save()
            _record(request.user, "campaign.create", campaign, [], request)
    except IntegrityError:
        # The same form, sent twice at this moment.
        form.add_error(None, _("This was saved at this moment. Look at the campaigns."))
        return False
    return True


def numbers(campaign: Campaign, account: Any, reach: access.Reach) -> dict[str, Any]:
    """How many tasks there are within reach, and, while they are made, are still to come.

    Each up to one more than COUNTED. What is to come is told only of a patient group that
    is offered to the account: then the person reaches its members, or may count them.
    """
    tasks = Task.objects.visible_to(reach).filter(campaign=campaign).order_by()
    found = {
        str(status).lower(): tasks.filter(status=status)[: COUNTED + 1].count()
        for status in Task.Status
    }
    found["made"] = sum(found.values())
    if campaign.state == State.MAKING and _offered(account, campaign):
        found["left"] = _waiting(campaign, reach)
        found["of"] = found["made"] + found["left"]
    return found | {"most": COUNTED}


def may_go_on(account: Any, campaign: Campaign) -> bool:
    """Whether go_on() would do anything for this account, but Refused."""
    making = campaign.state == State.MAKING
    return campaign.goes_on and (not making or _offered(account, campaign))


def _offered(account: Any, campaign: Campaign) -> bool:
    """Whether the account may still make tasks for the members of the group."""
    return groups_offered(account).filter(pk=campaign.patient_group_id).exists()


def _waiting(campaign: Campaign, reach: access.Reach) -> int:
    """For how many patients there is still a task to make, among the next memberships."""
    next_ones = _members(campaign)[: COUNTED + 1].values("pk")
    rows = PatientGroupMember.objects.filter(
        access.condition(reach, "member"),
        pk__in=next_ones,
        member__active=True,
        member__deceased=False,
    )
    return rows.count()


def _part(account: Any, campaign: Campaign, request: HttpRequest | None) -> bool:
    """One part of the work; whether there is more to do."""
    with transaction.atomic():
        campaign = _locked(campaign)
        if not campaign.goes_on:
            return False
        making = campaign.state == State.MAKING
        seen = (_make if making else _close)(account, campaign)
        campaign.save()
        if seen:
            act = "campaign.tasks" if making else "campaign.close"
            _record(account, act, campaign, seen, request)
    return campaign.goes_on


def _make(account: Any, campaign: Campaign) -> list[tuple[str, str]]:
    """Tasks for the next patients of the group; those for whom, for the trail."""
    if not _offered(account, campaign):
        raise Refused("", about=f"campaign/{campaign.key}")
    until = time.monotonic() + PART
    rows = list(_members(campaign).values_list("pk", "member")[:LOOKED])
    people = _people(account, campaign, {member for _membership, member in rows})
    labels, made, seen = list(campaign.labels.all()), [], []
    for pk, member in rows:
        campaign.position = pk
        if member in people:
            patient, path = people.pop(member)
            made.append(campaign.make_task(patient, labels))
            seen.append((patient.key, path))
        if time.monotonic() > until:
            break
    else:
        if len(rows) < LOOKED:
            campaign.state = State.RUNNING
    keep_keys(made)
    return seen


def _members(campaign: Campaign) -> QuerySet[PatientGroupMember]:
    """The memberships that count now and were not looked at."""
    members = campaign.patient_group.memberships.in_force()
    return members.filter(pk__gt=campaign.position).order_by("pk")


def _people(
    account: Any, campaign: Campaign, members: set[int]
) -> dict[int, tuple[Patient, str]]:
    """Those of these patients who get a task, locked, each with the path that opens them.

    They are within reach, active and living, and have none yet.
    """
    has = campaign.tasks.filter(patient__in=members).values_list("patient", flat=True)
    opened = access.opened(account, members - set(has))
    found = {
        patient.pk: (patient, path)
        for patient, path in opened.items()
        if patient.active and not patient.deceased
    }
    lock_patients(found)
    return found


def _close(account: Any, campaign: Campaign) -> list[tuple[str, str]]:
    """Close the next open tasks within reach; whose they were, for the trail."""
    until = time.monotonic() + PART
    rows = campaign.tasks.filter(Task.OPEN, pk__gt=campaign.position).order_by("pk")
    pks = list(rows.values_list("pk", flat=True)[:LOOKED])
    paths = paths_of(account, Task.objects.filter(pk__in=pks))
    lock_in_order(paths)
    closed, seen = [], []
    for task in Task.objects.filter(pk__in=pks).order_by("pk"):
        campaign.position = task.pk
        if task.is_open and task.pk in paths:
            task.keys_later = True
            task.set_status(Task.Status.CLOSED, campaign.ended_by)
            task.save()
            closed.append(task)
            seen += paths[task.pk]
        if time.monotonic() > until:
            break
    else:
        if len(pks) < LOOKED:
            campaign.state = State.ENDED
    keep_keys(closed)
    return seen


def _locked(campaign: Campaign) -> Campaign:
    """The campaign as it is now, locked until the end of the transaction."""
    return Campaign.objects.select_for_update().get(pk=campaign.pk)


def _record(
    account: Any,
    act: str,
    campaign: Campaign,
    seen: trail.Seen,
    request: HttpRequest | None,
) -> None:
    """On the trail, by keys."""
    group = campaign.patient_group.externally_exposable_id
    trail.done(
        account,
        act,
        seen,
        request=request,
        subject=f"campaign/{campaign.key}",
        patient_group=str(group),
        state=campaign.state,
    )
