"""decide(): may this account do this, and why. Asks the same rule as every list."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import DateTimeField, Q, QuerySet, TextField, Value
from django.db.models.functions import Concat
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from canvas_admin.records import clock
from canvas_admin.records.lookups import Prepared, Slot
from patients import access, areas
from patients.models import Patient
from staffing.explanations import how_held
from staffing.models import User
from staffing.standing import Standing

ACCESS = "access"
# So many rights of one group are named: a chart asks for more than twenty.
NAMED = 5

# What Django's own permissions of a model let people do.
VERBS = {
    "view": gettext_lazy("view %(things)s"),
    "add": gettext_lazy("add %(things)s"),
    "change": gettext_lazy("change %(things)s"),
    "delete": gettext_lazy("delete %(things)s"),
}


@dataclass(frozen=True)
class Decision:
    """An answer. `missing` names what is lacking: model permissions, or "access" (reach).

    `reasons` are sentences, written only when asked for.
    """

    allowed: bool
    missing: tuple[str, ...]
    explain: Callable[[], list[str]]

    @cached_property
    def reasons(self) -> list[str]:
        return self.explain()


def decide(user: Any, action: str, patient: Patient | None = None) -> Decision:
    """Whether an account may do something now, to a patient if one is given.

    `action` is the code of an area ("chart"), the name of a model permission
    ("patients.view_condition"), or "access", which asks for reach alone. Two queries at
    most, whatever the account holds. Raises LookupError for an unknown action, and
    ValueError when the action is about one patient and none is given.
    """
    needed = _permissions_for(action, patient)
    reach = access.Reach.of(user)
    standing = reach.standing
    held, reached = _look_up(reach, needed, patient)
    missing = [name for name in needed if name not in held]
    if patient is not None and not reached:
        missing.append(ACCESS)

    def explain() -> list[str]:
        return _sentences(reach, needed, patient, missing)

    return Decision(not missing and standing.user is not None, tuple(missing), explain)


def page_open_to(user: Any, patient: Patient) -> areas.Area | None:
    """The chart, else the profile, whichever the person may open now."""
    pages = (areas.BY_CODE["chart"], areas.BY_CODE["profile"])
    return next((a for a in pages if decide(user, a.code, patient).allowed), None)


def _permissions_for(action: str, patient: Patient | None) -> tuple[str, ...]:
    if action == ACCESS:
        if patient is None:
            raise ValueError("“access” is about one patient")
        return ()
    if area := areas.BY_CODE.get(action):
        if area.about_patient and patient is None:
            raise ValueError(f"“{action}” is about one patient")
        return area.permissions
    if "." not in action:
        known = ", ".join([ACCESS, *areas.BY_CODE])
        raise LookupError(f"“{action}” is no action; there are {known}.")
    return (action,)


def _look_up(
    reach: access.Reach, needed: tuple[str, ...], patient: Patient | None
) -> tuple[set[str], bool]:
    """Which of the permissions the account has, and whether it reaches the patient."""
    standing = reach.standing
    if standing.user is None:
        return set(), False
    if standing.superuser:
        return set(needed), True
    rows = _answers(needed, standing.everyone).tuples(
        held=standing.auth_groups,
        now=clock.now(),
        patient=patient.pk if patient else access.NOBODY,
    )
    found = {name for (name,) in rows}
    return found - {ACCESS}, ACCESS in found


@lru_cache(maxsize=256)
def _answers(needed: tuple[str, ...], everyone: bool) -> Prepared:
    """_look_up() in one query: each of these permissions that is held, and ACCESS."""

    def build() -> QuerySet[Any]:
        standing = Standing(everyone=everyone, auth_groups=Slot("held"))
        reach = access.Reach(standing, at=Slot("now", DateTimeField()))
        reached = Patient.objects.filter(access.condition(reach, "pk"))
        reached = reached.filter(pk=Slot("patient")).order_by()
        yes = reached.values_list(Value(ACCESS, output_field=TextField()))
        return _held(needed).union(yes, all=True) if needed else yes

    return Prepared(build)


def _held(needed: tuple[str, ...]) -> QuerySet[Any]:
    """Those of these permissions that auth groups carry, with a slot for the groups."""
    wanted: dict[str, list[str]] = {}
    for permission in needed:
        app_label, _dot, codename = permission.partition(".")
        wanted.setdefault(app_label, []).append(codename)
    label, codename = "permission__content_type__app_label", "permission__codename"
    one_of = [
        Q((label, app_label), (f"{codename}__in", names))
        for app_label, names in wanted.items()
    ]
    carried = Group.permissions.through.objects.filter(
        Q.create(one_of, connector=Q.OR), group__among=Slot("held")
    )
    name = Concat(label, Value("."), codename, output_field=TextField())
    return carried.order_by().values_list(name).distinct()


def _sentences(
    reach: access.Reach,
    needed: tuple[str, ...],
    patient: Patient | None,
    missing: list[str],
) -> list[str]:
    standing = reach.standing
    if standing.user is None:
        return [_("The account or the staff member is not active, so nothing is open.")]
    said = _about_permissions(standing, needed, missing)
    if patient is None:
        return said
    if ACCESS in missing:
        return [*said, _about_no_reach(standing)]
    for path in access.PATHS:
        if path.rows(reach).filter(pk=patient.pk).exists():
            said += path.reasons(reach, patient)
    return said


def _about_permissions(
    standing: Standing, needed: tuple[str, ...], missing: list[str]
) -> list[str]:
    """For each auth group what it gives of the needed, then what is missing."""
    if standing.superuser:
        return []
    user = User.objects.get(pk=standing.user)
    carriers = {name: _groups_with(name) for name in needed}
    groups = {group.pk: group for found in carriers.values() for group in found}
    said = []
    for pk in sorted(groups.keys() & standing.auth_groups):
        gives = [name for name in needed if groups[pk] in carriers[name]]
        words = {"held": how_held(user, groups[pk]), "rights": rights_in_words(gives)}
        said.append(_("%(held)s, gives the right to %(rights)s.") % words)
    alike: dict[tuple[Group, ...], list[str]] = {}
    for name in needed:
        if name in missing:
            alike.setdefault(tuple(carriers[name]), []).append(name)
    return said + [_about_missing(names, found) for found, names in alike.items()]


def _about_missing(permissions: list[str], carriers: Iterable[Group]) -> str:
    """Rights that are missing and come with the same groups."""
    words = {
        "right": rights_in_words(permissions),
        "groups": ", ".join(f"“{group.name}”" for group in carriers),
    }
    if not carriers:
        return _("The right to %(right)s is missing. No group gives it.") % words
    return _("The right to %(right)s is missing. It comes with: %(groups)s.") % words


def _groups_with(permission: str) -> list[Group]:
    """The auth groups that carry a model permission."""
    app_label, _dot, codename = permission.partition(".")
    carrying = Group.objects.filter(
        permissions__content_type__app_label=app_label, permissions__codename=codename
    )
    return list(carrying.order_by("pk"))


def rights_in_words(names: list[str]) -> str:
    """What model permissions let people do; of many, the first NAMED and how many more."""
    left = len(names) - NAMED
    shown = names[:NAMED] if left > 1 else names
    texts = [right_in_words(name) for name in shown]
    if left > 1:
        texts.append(ngettext("%(n)d more", "%(n)d more", left) % {"n": left})
    return get_text_list(texts, _("and"))


def right_in_words(name: str) -> str:
    """What a model permission lets people do: "view conditions", from its own label."""
    app_label, _dot, codename = name.partition(".")
    found = Permission.objects.filter(
        content_type__app_label=app_label, codename=codename
    ).first()
    if found is None:
        return f"“{name}”"
    model = found.content_type.model_class()
    verb, _underscore, about = codename.partition("_")
    if model and verb in VERBS and about == model._meta.model_name:
        return VERBS[verb] % {"things": model._meta.verbose_name_plural}
    return found.name.removeprefix("Can ")


def _about_no_reach(standing: Standing) -> str:
    from_groups = access.grants.opened_by(standing.auth_groups)
    names = ", ".join(
        f"“{name}”" for name in from_groups.values_list("name", flat=True)
    )
    if not names:
        return _(
            "This person holds neither “All Patients” nor a patient group that opens "
            "patients."
        )
    return _(
        "This person holds these patient groups, and the patient is in none of them "
        "now: %(names)s."
    ) % {"names": names}
