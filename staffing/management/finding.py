"""People and groups as an operator types them, with help when the name is not right."""

from difflib import get_close_matches
from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import CommandError
from django.db.models import Q

from staffing.models import Role, Staff, User
from staffing.permissions import grantable


def find_staff(text: str) -> Staff:
    """A staff member by user name or by key. Raises CommandError with close matches."""
    people = Staff.objects.select_related("user")
    staff = people.filter(Q(user__username=text.lower()) | Q(key=text)).first()
    if staff is None:
        names = Staff.objects.filter(user__isnull=False)
        raise _unknown("staff member", text, names.values_list("user__username"))
    return staff


def find_user(text: str) -> User:
    """An account by user name. Raises CommandError with close matches."""
    user = User.objects.filter(username=text.lower()).first()
    if user is None:
        raise _unknown("account", text, User.objects.values_list("username"))
    return user


def find_group(text: str) -> Group:
    """An auth group by its exact name. Raises CommandError with close matches."""
    group = grantable().filter(name=text).first()
    if group is None:
        raise _unknown("auth group", text, grantable().values_list("name"))
    return group


def find_role(text: str) -> Role:
    """A role by its internal code. Raises CommandError with close matches."""
    role = Role.objects.filter(internal_code=text).first()
    if role is None:
        raise _unknown("role", text, Role.objects.values_list("internal_code"))
    return role


def _unknown(kind: str, text: str, known: Any) -> CommandError:
    names = {name.casefold(): name for (name,) in known}
    close = get_close_matches(text.casefold(), names, n=3, cutoff=0.5)
    if close:
        hint = "Did you mean " + " or ".join(f"“{names[name]}”" for name in close) + "?"
    elif names:
        hint = "There are: " + ", ".join(sorted(names.values())[:20]) + "."
    else:
        hint = "There is none yet."
    return CommandError(f"There is no {kind} “{text}”. {hint}")
