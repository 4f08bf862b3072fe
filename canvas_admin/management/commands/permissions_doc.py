"""manage.py permissions_doc: docs/permissions.md, from the data that the app runs on."""

from typing import Any

from django.contrib import admin
from django.core.management.base import BaseCommand

from patients.areas import AREAS, Area
from staffing.combinations import COMBINATIONS
from staffing.groups import ADMINISTER, BY_NAME, MANAGED_GROUPS, Kind, ManagedGroup

HEAD = """\
# What each auth group opens

For the person who administers a clinic. This page is written by
`python manage.py permissions_doc`, from the same data that the application runs on; a
test holds the two together.

Every access needs two things:

- **what** the person may do: an auth group from the lists below;
- **whose** data: the patient is a member, now, of a patient group whose auth group
  (“Patients: …”) the person holds, or the person holds “All Patients”.

Something of patients who are out of reach is shown in three places, to whoever may use the
screen, and the audit trail says to whom:

- **The schedule** shows every visit: when it is and how long, where and with whom, its kind
  and status, the patient's name and date of birth. Nothing there leads to the patient.
- **“See all patients”** in a search shows names and dates of birth, twenty at a time and
  thirty times an hour, so that access can be asked for.
- **The form for a new patient** says that somebody of this name and date of birth is on file
  already; it does not say who.

Nothing is open by default. A person with none of the first twelve groups sees their own
account page, and the administration if they hold one of its groups.

Groups come from a person's roles when the role is given, and from **Staff Permissions**
by hand. Changing a role's default groups changes nobody who has the role; taking a role
away takes no group away.
"""


ANY = "any of the twelve"


class Command(BaseCommand):
    """Prints docs/permissions.md."""

    help = "Print docs/permissions.md from the data of the application."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(document(), ending="")


def document() -> str:
    """The page as Markdown."""
    parts = [
        HEAD,
        "## What a person may do: the twelve\n",
        _table(Kind.AREA),
        "The screens that exist now, and what each needs:\n",
        _screens(),
        "“Profile write” and “Document write” open no screen by themselves: they add to what "
        "“Profile read” and “Document read” open, as the list of screens says.\n",
        "## Whose data: everyone\n",
        _table(Kind.EVERYONE),
        "## Administration\n",
        _table(Kind.ADMINISTRATION),
        "## Combinations that cannot work\n",
        "Staff Permissions warns about these while groups are chosen:\n",
        _warnings(),
    ]
    return "\n".join(parts)


def _table(kind: Kind) -> str:
    rows = [f"| {g.name} | {g.meaning} | {_opens(g)} |" for g in _of(kind)]
    return "\n".join(["| group | what it is for | opens |", "|---|---|---|", *rows, ""])


def _of(kind: Kind) -> list[ManagedGroup]:
    return [group for group in MANAGED_GROUPS if group.kind is kind]


def _opens(group: ManagedGroup) -> str:
    if group.kind is Kind.EVERYONE:
        return "no screen by itself; every patient on the screens that others open"
    opened = [
        str(area.meaning)
        for area in AREAS
        if set(area.permissions) <= set(group.permissions)
    ]
    if ADMINISTER in group.permissions:
        empty = not opened and not _registered() & set(group.permissions)
        opened.append("the administration" + (", so far empty" if empty else ""))
    return "; ".join(opened)


def _registered() -> set[str]:
    """The permissions that show a model in the administration."""
    return {
        f"{model._meta.app_label}.view_{model._meta.model_name}"
        for model in admin.site._registry
    }


def _screens() -> str:
    rows = [
        f"| {area.title} | {_groups_for(area)} | {_reach(area)} |" for area in AREAS
    ]
    head = [
        "| screen | any of these groups | the patient within reach |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows, ""])


def _groups_for(area: Area) -> str:
    """The groups that open a screen alone; where none does, what is needed of each kind."""
    if alone := _holders(*area.permissions):
        return alone
    needed = dict.fromkeys(_holders(name) for name in area.permissions)
    # Whoever holds one of the others holds one of the twelve.
    needed.pop(ANY, None)
    return "; together with ".join(needed)


def _holders(*permissions: str) -> str:
    holders = [
        name
        for name, group in BY_NAME.items()
        if set(permissions) <= set(group.permissions)
    ]
    twelve = [group.name for group in _of(Kind.AREA)]
    return ANY if holders == twelve else ", ".join(holders)


def _reach(area: Area) -> str:
    if ADMINISTER in area.permissions:
        return "not asked"
    if area.about_patient:
        return "needed"
    return f"of what is listed; {area.beyond}" if area.beyond else "of what is listed"


def _warnings() -> str:
    return "\n".join([*(f"- {entry.warning}" for entry in COMBINATIONS), ""])
