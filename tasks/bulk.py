"""Several tasks at once: each is changed as it would be alone, all in one transaction.

A task that is no longer as the person saw it is passed over, and the person is told so.
One out of reach is like one that there is not.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core import signing
from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from canvas_admin.audit import trail
from patients import access
from patients.models import Patient
from patients.search import stream_keys
from patients.work import work_keys
from staffing.models import staff_of
from tasks import acts
from tasks.models import Task

# A page of the list: one transaction holds SQLite's write lock for less than 200 ms.
MOST = 25
# For so long what was ended together can be opened again together.
UNDO = timedelta(minutes=15)
SALT = "tasks.bulk.undo"

_CHOSEN = re.compile(r"([0-9a-f]{32})\.([0-9]{1,9})")

# A task's key → the version that the person saw; None for a text that names neither.
Chosen = Mapping[str, int | None]


@dataclass
class Look:
    """The chosen tasks as they are at this moment.

    `ready` are as the person saw them; `paths` holds, by a task's primary key, what the
    trail says of its patient. `gone` are those that are not there, or out of reach.
    """

    ready: list[Task] = field(default_factory=list)
    ended: list[Task] = field(default_factory=list)
    changed: list[Task] = field(default_factory=list)
    gone: int = 0
    paths: dict[int, list[tuple[str, str]]] = field(default_factory=dict)

    @property
    def there(self) -> list[Task]:
        """All that the person may see."""
        return [*self.ready, *self.ended, *self.changed]

    @property
    def skipped(self) -> list[tuple[Task, str]]:
        """Each task that is there and is passed over, with the reason."""
        over, other = (
            _("It has ended meanwhile."),
            _("Somebody has changed it meanwhile."),
        )
        return [(t, over) for t in self.ended] + [(t, other) for t in self.changed]


@dataclass
class Done:
    """What was done to which tasks, in a sentence; `alike` were so before.

    `undo` opens them again.
    """

    tasks: list[Task] = field(default_factory=list)
    alike: list[Task] = field(default_factory=list)
    said: str = ""
    undo: str = ""


def chosen(sent: QueryDict) -> dict[str, int | None]:
    """The tasks that a form names, in its order: those ticked, or all that were shown."""
    found: dict[str, int | None] = {}
    for text in sent.getlist("shown" if "all" in sent else "task"):
        match = _CHOSEN.fullmatch(text)
        found[match[1] if match else text] = int(match[2]) if match else None
    return found


def look(account: Any, chosen: Chosen, *, lock: bool = False) -> Look:
    """The chosen tasks; locked until the end of the transaction if wanted.

    `account` is whatever access.Reach.of() takes. A constant number of queries.
    """
    keys = [key for key, version in chosen.items() if version is not None]
    paths = paths_of(account, Task.objects.filter(key__in=keys))
    if lock:
        lock_in_order(paths)
    rows = {row.key: row for row in Task.objects.with_people().filter(pk__in=paths)}
    found = Look(paths=paths)
    for key, version in chosen.items():
        row = rows.get(key)
        if row is None:
            found.gone += 1
        elif not row.is_open:
            found.ended.append(row)
        else:
            (found.ready if row.version == version else found.changed).append(row)
    return found


def lock_in_order(pks: Collection[int]) -> None:
    """Lock these tasks (primary keys), then their patients, each in order.

    So that of two people who change some of the same tasks neither waits for the other.
    """
    locked = Task.objects.select_for_update().filter(pk__in=pks).order_by("pk")
    patients = {row.patient_id for row in locked} - {None}
    lock_patients(patients)


def lock_patients(pks: Collection[int]) -> None:
    """Lock these patients (primary keys), in order, as keeping their keys does."""
    rows = Patient.objects.select_for_update(no_key=True).filter(pk__in=pks)
    list(rows.order_by("pk").values_list("pk", flat=True))


def paths_of(account: Any, tasks: Iterable[Task]) -> dict[int, list[tuple[str, str]]]:
    """gate.still_open() of many: those within reach, by primary key."""
    rows = list(tasks)
    found = access.opened(account, {row.patient_id for row in rows} - {None})
    by_pk = {patient.pk: (patient.key, path) for patient, path in found.items()}
    paths = {row.pk: [by_pk[row.patient_id]] for row in rows if row.patient_id in by_pk}
    return paths | {row.pk: [] for row in rows if row.patient_id is None}


def keep_keys(tasks: Collection[Task]) -> None:
    """Make the keys of tasks that were saved with `keys_later` what they must be."""
    if patients := {row.patient_id for row in tasks} - {None}:
        stream_keys.refresh(patients, work_keys.WORK)
    for row in tasks:
        row.keys_later = False
        if row.patient_id is None:
            row.keep_keys()


@transaction.atomic
def attempt(
    request: HttpRequest, chosen: Chosen, form_class: Any
) -> tuple[Look, Any, Done | None]:
    """Do what a form says to the chosen tasks that are as the person saw them.

    Nothing is done, and None returned, where the form is wrong or has to be confirmed.
    """
    found = look(request.user, chosen, lock=True)
    form = form_class(request.POST, tasks=found.ready, actor=request.user)
    if not found.ready or not form.is_valid() or form.unconfirmed:
        return found, form, None
    done = Done()
    for task in found.ready:
        task.keys_later = True
        said = form.apply(task)
        (done.alike if said is None else done.tasks).append(task)
        if said is not None:
            acts.record(request, form.act, task, found.paths[task.pk], **said)
    keep_keys(done.tasks)
    done.tasks = _read_again(done.tasks)
    done.said = form.said(len(done.tasks))
    if form.ends:
        done.undo = _undo(request, done.tasks)
    return found, form, done


@transaction.atomic
def reopen(request: HttpRequest, handle: str) -> tuple[int, int] | None:
    """Open again what was ended together: how many, and how many stay as they are now.

    None for a handle that is old, altered or another account's.
    """
    known = _undone(request, handle)
    if known is None:
        return None
    found = look(request.user, known, lock=True)
    tasks = [row for row in found.ended if row.version == known[row.key]]
    for task in tasks:
        task.keys_later = True
        task.set_status(Task.Status.OPEN, staff_of(request.user))
        task.save()
        seen: trail.Seen = found.paths[task.pk]
        acts.record(request, "task.status", task, seen, status=task.status)
    keep_keys(tasks)
    return len(tasks), len(known) - len(tasks)


def _read_again(tasks: list[Task]) -> list[Task]:
    """These tasks with what they have now, in the same order."""
    rows = Task.objects.with_people().in_bulk([row.pk for row in tasks])
    return [rows[row.pk] for row in tasks]


def _undo(request: HttpRequest, tasks: list[Task]) -> str:
    """A handle of these tasks as they are now, good for this account alone."""
    versions = {row.key: row.version for row in tasks}
    about = {"who": request.user.key, "tasks": versions}
    return signing.dumps(about, salt=SALT, compress=True) if versions else ""


def _undone(request: HttpRequest, handle: str) -> dict[str, int] | None:
    try:
        about = signing.loads(handle, salt=SALT, max_age=UNDO)
    except signing.BadSignature:
        return None
    return about["tasks"] if about["who"] == request.user.key else None
