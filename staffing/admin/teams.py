"""Teams: their members, what they are responsible for, and how to reach them."""

from typing import Any

from django.contrib import admin
from django.db.models import PROTECT, Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.records.admin import KeyedAdmin
from staffing.admin.parts import TeamContactPoints
from staffing.forms.teams import TeamForm
from staffing.models import Team, TeamResponsibility


class Responsibility(admin.SimpleListFilter):
    """Teams by a responsibility that they hold."""

    title, parameter_name = gettext_lazy("responsibility"), "responsibility"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return TeamResponsibility.Code.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet[Team]:
        if not self.value():
            return queryset
        return queryset.filter(responsibilities__code=self.value())


@admin.register(Team)
class TeamAdmin(KeyedAdmin):
    """S1: "Teams are used to group work." A team in use cannot be deleted."""

    form = TeamForm
    list_display = ("name", "people", "responsible_for")
    list_filter = (Responsibility,)
    search_fields = ("name", "members__staff__first_name", "members__staff__last_name")
    search_help_text = gettext_lazy("The name of a team, or of a member")
    inlines = (TeamContactPoints,)
    fieldsets = (
        (None, {"fields": ("name", "members")}),
        (gettext_lazy("Responsibilities"), {"fields": ("responsibilities",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        teams = super().get_queryset(request).prefetch_related("responsibilities")
        return teams.annotate(people_count=Count("members", distinct=True))

    @admin.display(description=gettext_lazy("members"), ordering="people_count")
    def people(self, team: Team) -> int:
        return team.people_count

    @admin.display(description=gettext_lazy("responsible for"))
    def responsible_for(self, team: Team) -> str:
        return ", ".join(str(held) for held in team.responsibilities.all()) or "–"

    def save_model(
        self, request: HttpRequest, obj: Team, form: TeamForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        form.save_parts()

    def consequences(self, obj: Team) -> list[str]:
        return [_("The team “%(name)s” and its contact points.") % {"name": obj}]

    def protected_by(self, obj: Team) -> list[str]:
        """A team is in use while it has members, responsibilities, or work of its own."""
        said = []
        if count := obj.members.count():
            said.append(_("It has members: %(count)s.") % {"count": count})
        said += [
            _("It is responsible for “%(what)s”.") % {"what": held}
            for held in obj.responsibilities.all()
        ]
        named_by = [r.related_model for r in _protecting(obj) if _names(r, obj)]
        # Which work is not said: that would tell of patients out of reach.
        if any(_is_work(model) for model in named_by):
            said.append(_("It has work, open or done."))
        return said + [
            _("It is named here: %(what)s.") % {"what": model._meta.verbose_name}
            for model in named_by
            if not _is_work(model)
        ]


def _protecting(obj: Team) -> list[Any]:
    """The relations by which other rows keep a team."""
    relations = obj._meta.get_fields(include_hidden=True)
    return [r for r in relations if r.one_to_many and r.on_delete is PROTECT]


def _is_work(model: Any) -> bool:
    """Whether rows of this model may be about a patient."""
    return hasattr(model, "patient")


def _names(relation: Any, obj: Team) -> bool:
    rows = relation.related_model._base_manager
    return rows.filter(**{relation.field.name: obj}).exists()
