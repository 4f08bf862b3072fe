"""What a protocol may have done: messages about groups and tasks (facts 7.4).

They are data of a stranger. All are read and checked before the first is done; one that is
wrong says what is wrong with it, and nothing of any is done (security P55). The protocol's
account needs the permissions that the same change needs over the API, and a message is
about the patient of the run, nobody else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, make_aware
from django.utils.translation import gettext as _

from canvas_admin.audit import trail
from canvas_admin.records import clock
from patients import access, areas
from patients.api.group import ADMINISTER_GROUPS, readable
from patients.models import (
    LockedMember,
    Patient,
    PatientGroup,
    PatientGroupExclusion,
)
from staffing.models import Staff, Team, User
from tasks.api.task_writing import labels_named
from tasks.models import Task

MOST, LABELS = 50, 20
LONGEST_LABEL = 100
KINDS_OF_GROUP = ("patientgroup", "person")

Json = dict[str, Any]


class Wrong(Exception):
    """A message that cannot be done; says which, and why."""


class Done(NamedTuple):
    """What became of an effect: in words, and in words that name nobody."""

    words: str
    plain: str


@dataclass(frozen=True)
class ChangeGroup:
    """Let the patient be in a group, or not."""

    group: PatientGroup
    patient: Patient
    inside: bool

    def do(self, account: User) -> Done:
        """Change the membership where it has to be; says what became of it.

        A locked member stays in, and an excluded patient out (facts 6.6).
        """
        told = self._add(account) if self.inside else self._remove(account)
        words = told % {"group": self.group.name}
        return Done(words, words)

    def _remove(self, account: User) -> str:
        try:
            ended = self.group.remove(self.patient, by=account, automatic=True)
        except LockedMember:
            return _("stays in “%(group)s”: the membership is locked")
        return _("taken out of “%(group)s”") if ended else _("not in “%(group)s”")

    def _add(self, account: User) -> str:
        excluded = PatientGroupExclusion.objects.filter(
            patient_group=self.group, patient=self.patient
        )
        if excluded.exists():
            return _("stays out of “%(group)s”: excluded from it")
        if self.group.memberships.in_force(member=self.patient).exists():
            return _("in “%(group)s” already")
        self.group.add(self.patient, by=account)
        return _("put into “%(group)s”")


@dataclass(frozen=True)
class MakeTask:
    """Make a task about the patient."""

    patient: Patient
    title: str
    status: str
    creator: Staff | None
    assignee: Staff | None
    team: Team | None
    due: datetime | None
    created: datetime | None
    labels: tuple[str, ...]

    def do(self, account: User) -> Done:
        """Make it; unknown labels are made, too."""
        task = Task(
            patient=self.patient,
            title=self.title,
            creator=self.creator or account.staff,
            assignee=self.assignee,
            team=self.team,
            due=self.due,
            created=self.created or clock.now(),
        )
        if self.status != Task.Status.OPEN:
            task.set_status(self.status, account.staff)
        task.begin_with(labels_named(self.labels))
        task.save()
        trail.done(
            account,
            "task.create",
            access.paths_to(account, [self.patient]),
            subject=f"task/{task.key}",
        )
        words = _("task “%(title)s” made") % {"title": self.title}
        return Done(words, _("a task made"))


Effect = ChangeGroup | MakeTask


def read(messages: Any, patient: Patient, account: User) -> list[Effect]:
    """The messages of a run over this patient. Raises Wrong for the first that is wrong."""
    if not isinstance(messages, list) or len(messages) > MOST:
        raise Wrong(_("The updates are a list of at most %(most)d.") % {"most": MOST})
    found = []
    for number, message in enumerate(messages, 1):
        try:
            found += _read(message, patient, account)
        except Wrong as error:
            words = {"number": number, "why": error}
            raise Wrong(_("Update %(number)d: %(why)s") % words) from error
    return found


def apply(effects: Sequence[Effect], account: User) -> list[Done]:
    """Do all of them, within a transaction; what became of each."""
    return [effect.do(account) for effect in effects]


def _read(message: Any, patient: Patient, account: User) -> Iterable[Effect]:
    if not isinstance(message, dict):
        raise Wrong(_("it is no object"))
    readers = {"Group": _group, "Task": _task}
    kind = message.get("integration_type")
    if not isinstance(kind, str) or kind not in readers:
        raise Wrong(_("its integration_type is neither Group nor Task"))
    payload = message.get("integration_payload")
    if not isinstance(payload, dict):
        raise Wrong(_("it has no integration_payload"))
    return readers[kind](message, payload, patient, account)


def _group(
    _message: Json, payload: Json, patient: Patient, account: User
) -> Iterable[Effect]:
    _allow(account, ADMINISTER_GROUPS)
    if payload.get("group_type") not in KINDS_OF_GROUP:
        raise Wrong(_("its group_type is not patientgroup"))
    named = _uuid(payload.get("externally_exposable_id"))
    groups = readable(account, access.Reach.of(account))
    group = named and groups.filter(externally_exposable_id=named).first()
    if not group:
        raise Wrong(_("there is no such patient group"))
    members = payload.get("members")
    if not isinstance(members, dict) or members.get("mode") != "appendOrRemove":
        raise Wrong(_("the mode of its members is not appendOrRemove"))
    entries = members.get("entries")
    if not isinstance(entries, list) or not entries or len(entries) > MOST:
        raise Wrong(_("its members have no entries"))
    return [_entry(entry, group, patient) for entry in entries]


def _entry(entry: Any, group: PatientGroup, patient: Patient) -> ChangeGroup:
    if not isinstance(entry, dict) or entry.get("uuid") != patient.key:
        raise Wrong(_("a member is another than the patient of this run"))
    return ChangeGroup(group, patient, inside=entry.get("inactive") is not True)


def _task(
    message: Json, payload: Json, patient: Patient, account: User
) -> Iterable[Effect]:
    _allow(account, areas.WRITE_TASKS)
    if _key(message.get("patient_identifier")) != patient.key:
        raise Wrong(_("it is about another than the patient of this run"))
    status = payload.get("status", Task.Status.OPEN)
    if status not in Task.Status.values:
        raise Wrong(_("its status is none of OPEN, COMPLETED, CLOSED"))
    title = _text(payload, "title", Task.LONGEST_TITLE)
    if not title:
        raise Wrong(_("it has no title"))
    labels = payload.get("labels") or []
    if not isinstance(labels, list) or len(labels) > LABELS:
        raise Wrong(_("its labels are no list of at most %(most)d") % {"most": LABELS})
    names = [_text({"label": each}, "label", LONGEST_LABEL) for each in labels]
    return [
        MakeTask(
            patient=patient,
            title=title,
            status=str(status),
            creator=_staff(payload, "creator"),
            assignee=_staff(payload, "assignee"),
            team=_team(payload.get("team_identifier")),
            due=_moment(payload, "due"),
            created=_moment(payload, "created"),
            labels=tuple(dict.fromkeys(name for name in names if name)),
        )
    ]


def _allow(account: User, permissions: tuple[str, ...]) -> None:
    if not account.has_perms(permissions):
        raise Wrong(_("the protocol's account has not the permissions for it"))


def _key(identifier: Any) -> str:
    """The key in {"identifier_type": "key", "identifier": {"key": …}}; "" for none."""
    if identifier is None:
        return ""
    inner = identifier.get("identifier") if isinstance(identifier, dict) else None
    key = inner.get("key") if isinstance(inner, dict) else None
    if not isinstance(key, str | None):
        raise Wrong(_("a key is no text"))
    return key or ""


def _staff(payload: Json, name: str) -> Staff | None:
    key = _key(payload.get(name))
    if not key:
        return None
    found = Staff.objects.filter(key=key, active=True).first()
    if found is None or (name == "assignee" and found.service):
        raise Wrong(_("its %(name)s is no active staff member") % {"name": name})
    return found


def _team(named: Any) -> Team | None:
    if not named:
        return None
    key = _uuid(named)
    found = key and Team.objects.filter(externally_exposable_id=key).first()
    if not found:
        raise Wrong(_("there is no such team"))
    return found


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(text.removeprefix("Group/"))
    except (AttributeError, ValueError):
        return None


def _text(payload: Json, name: str, longest: int) -> str:
    text = payload.get(name) or ""
    if not isinstance(text, str):
        raise Wrong(_("its %(name)s is no text") % {"name": name})
    text = " ".join(text.split())
    if len(text) > longest:
        words = {"name": name, "longest": longest}
        raise Wrong(_("its %(name)s has more than %(longest)d characters") % words)
    return text


def _moment(payload: Json, name: str) -> datetime | None:
    said = payload.get(name)
    if not said:
        return None
    try:
        moment = parse_datetime(said)
    except (TypeError, ValueError):
        moment = None
    if moment is None:
        raise Wrong(_("its %(name)s is no date and time") % {"name": name})
    return make_aware(moment) if is_naive(moment) else moment
