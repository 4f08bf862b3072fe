"""Filters of the lists; every value in an address is a code or a name, never an id."""

from datetime import timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.auth.models import Group
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from staffing.models import GroupChange, Role, StaffRole, User
from staffing.permissions import grantable

YES, NO, ALL = "yes", "no", "all"
# With more people than this the list of a filter is no help: search by name instead.
MOST_PEOPLE = 40


class YesNo(SimpleListFilter):
    """Rows that have something, or lack it."""

    missing: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(YES, _("Yes")), (NO, _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() in (YES, NO):
            return queryset.filter(**{self.missing: self.value() == NO})
        return queryset


class WithStaff(YesNo):
    """Accounts with a staff member."""

    title, parameter_name = _("staff member"), "staff"
    missing = "staff__isnull"


class WithAccountFirst(SimpleListFilter):
    """Staff with an account, unless others are asked for: only they hold groups.

    An import can bring many more people who are only named.
    """

    title, parameter_name = _("account"), "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(NO, _("No")), (ALL, _("All"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == ALL:
            return queryset
        return queryset.filter(user__isnull=self.value() == NO)

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [first | {"display": _("Yes")}, *others]


class HasRole(SimpleListFilter):
    """Staff with a role, by the role's code."""

    title, parameter_name = _("role"), "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Role.objects.values_list("internal_code", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        held = StaffRole.objects.filter(
            staff=OuterRef("pk"), role__internal_code=self.value()
        )
        return queryset.filter(Exists(held))


class HoldsGroup(SimpleListFilter):
    """Staff who hold an auth group, by its name; or who hold nothing."""

    title, parameter_name = _("group"), "group"
    NOTHING = "-"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        names = [(group.name, group.name) for group in grantable()]
        return [(self.NOTHING, _("Holds nothing")), *names]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        if self.value() == self.NOTHING:
            held = User.groups.through.objects.filter(user=OuterRef("user"))
            return queryset.exclude(Exists(held))
        held = User.groups.through.objects.filter(
            user=OuterRef("user"), group__name=self.value()
        )
        return queryset.filter(Exists(held))


class Person(SimpleListFilter):
    """Permission changes of one person, by user name."""

    title, parameter_name = _("person"), "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        changed = GroupChange.objects.filter(user=OuterRef("pk"))
        people = User.objects.filter(Exists(changed)).values_list("username", flat=True)
        few = list(people[: MOST_PEOPLE + 1])
        chosen = request.GET.get(self.parameter_name)
        if len(few) > MOST_PEOPLE:
            few = list(people.filter(username=chosen))
        return [(name, name) for name in few]

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        return queryset.filter(user__username=self.value())


class When(SimpleListFilter):
    """Permission changes of the last days; an address carries a code, not a date."""

    title, parameter_name = _("when"), "when"
    DAYS = {"today": 1, "week": 7, "month": 31, "year": 366}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("today", _("Last 24 hours")),
            ("week", _("Last 7 days")),
            ("month", _("Last 31 days")),
            ("year", _("Last 12 months")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if days := self.DAYS.get(self.value()):
            return queryset.filter(when__gte=clock.now() - timedelta(days=days))
        return queryset


class KindOfGroup(SimpleListFilter):
    """Auth groups by what they are for."""

    title, parameter_name = _("kind"), "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("managed", _("What one may do")), ("patients", _("Whose patients"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet[Group]:
        managed = Q(managed__isnull=False) & ~Q(managed__code="all-patients")
        if self.value() == "managed":
            return queryset.filter(managed)
        if self.value() == "patients":
            return queryset.exclude(managed)
        return queryset
