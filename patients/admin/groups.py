"""Patient groups in the administration: names, the switch, and what both mean."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core import signing
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from canvas_admin.records.admin import KeyedAdmin
from canvas_admin.records.forms import VersionedForm
from patients import effects, self_gain
from patients.admin import (
    exclusions,
    front,
    member,
    members,
    pages,
    picker,
    stranded,
    switching,
)
from patients.models import PatientGroup
from staffing.models import Role, User


class PatientGroupForm(VersionedForm):
    """A patient group; moving its switch is asked about before it is saved.

    `confirmed` comes from the page that asks. It stands for this move, by this person, of
    this version; anything else in it asks again.
    """

    confirmed = forms.CharField(required=False, widget=forms.HiddenInput)
    actor: Any = None
    asking = False

    class Meta:
        model = PatientGroup
        fields = ("name", "use_for_permissions")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        moved = self.instance.pk and "use_for_permissions" in self.changed_data
        if moved and not self.errors:
            self._ask_about_the_switch(cleaned)
        return cleaned

    def _ask_about_the_switch(self, cleaned: dict[str, Any]) -> None:
        """Raises SelfGainByGroup, or a ValidationError that has the page ask first."""
        on = cleaned["use_for_permissions"]
        if on:
            self_gain.check_switching_on(self.actor, self.instance)
            if not effects.holders_of(self.instance):
                return
        if not self._is_confirmed(cleaned["confirmed"]):
            self.asking = True
            raise ValidationError(
                _("Nothing is saved yet: confirm what the switch does.")
            )

    @property
    def confirmation(self) -> str:
        """What "Yes" sends along."""
        return signing.dumps(self._move, salt="patients.switch")

    @property
    def _move(self) -> list[Any]:
        """Who moves the switch of which version; that says to which side, too."""
        return [self.actor.key, self.instance.public_id, self.instance.version]

    def _is_confirmed(self, token: str) -> bool:
        try:
            move = signing.loads(token, salt="patients.switch", max_age=15 * 60)
        except signing.BadSignature:
            return False
        return move == self._move

    @property
    def opens_to_oneself(self) -> bool:
        """Whether self_gain refused the switch."""
        return self.has_error(NON_FIELD_ERRORS, self_gain.CODE)

    @property
    def only_asks(self) -> bool:
        """Whether nothing is wrong but that the switch is to be confirmed."""
        said = self.non_field_errors()
        return self.asking and list(self.errors) == ["__all__"] and len(said) == 1


@admin.register(PatientGroup)
class PatientGroupAdmin(KeyedAdmin):
    """Groups of patients; their members and exclusions have pages of their own.

    A page per group instead of a list of all memberships: no address, search or filter
    can then say anything about a patient, and no list counts a million rows.
    """

    form = PatientGroupForm
    tells_who_acts = True
    list_display = ("name", "use_for_permissions", "held_by", "members_page")
    list_filter = ("use_for_permissions",)
    search_fields = ("name",)
    search_help_text = gettext_lazy("Search the names of patient groups")
    show_full_result_count = False
    fieldsets = ((None, {"fields": ("name", "use_for_permissions")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PatientGroup]:
        """The groups that were not deleted, with how many live accounts hold each."""
        live = User.objects.live().filter(groups=OuterRef("auth_group"))
        counted = live.order_by().values("groups").annotate(n=Count("pk")).values("n")
        groups = super().get_queryset(request).filter(retired__isnull=True)
        return groups.annotate(
            holders=Coalesce(Subquery(counted, output_field=IntegerField()), 0)
        )

    @admin.display(description=gettext_lazy("people who hold it"), ordering="holders")
    def held_by(self, group: PatientGroup) -> str:
        return str(group.holders) if group.auth_group_id else "–"

    @admin.display(description=gettext_lazy("members"))
    def members_page(self, group: PatientGroup) -> str:
        return format_html(
            '<a href="{}" aria-label="{}">{}</a>',
            pages.address("members", group),
            _("Members of %(group)s") % {"group": group},
            _("Members"),
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        who = (_("Who holds it"), {"fields": ("people", "roles")})
        return [fieldsets[0], who, *fieldsets[1:]]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("people", "roles") if obj else ()

    @admin.display(description=gettext_lazy("people"))
    def people(self, group: PatientGroup) -> str:
        """The live accounts that hold the auth group, to be changed elsewhere."""
        names = [user.get_full_name() for user in effects.holders_of(group)]
        shown = names[: effects.MOST_PEOPLE]
        text = format_html_join(", ", "{}", ((name,) for name in shown))
        if more := len(names) - len(shown):
            text = format_html(_("{} and {} more"), text, more)
        return text or _("nobody; give it to people in Staff Permissions")

    @admin.display(description=gettext_lazy("roles that start with it"))
    def roles(self, group: PatientGroup) -> str:
        names = Role.objects.filter(default_auth_groups=group.auth_group_id or 0)
        return ", ".join(names.values_list("name", flat=True)) or _("none")

    def changeform_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The form; a refused switch is recorded, when the stock transaction is over."""
        response = super().changeform_view(request, *args, **kwargs)
        context = getattr(response, "context_data", None) or {}
        form = getattr(context.get("adminform"), "form", None)
        if getattr(form, "opens_to_oneself", False):
            pages.record_self_gain(request, form.instance, "patient_group.changed")
        return response

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The form, or the question that a moved switch raises."""
        form = context["adminform"].form
        if getattr(form, "only_asks", False):
            return switching.ask(request, form)
        return super().render_change_form(request, context, *args, **kwargs)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """The stock page, with the numbers that go with the group."""
        group = self.get_object(request, object_id)
        asks = group and request.method != "POST" and group.use_for_permissions
        if asks and self.has_delete_permission(request, group):
            extra_context = (extra_context or {}) | switching.numbers(request, group)
        return super().delete_view(request, object_id, extra_context)

    def consequences(self, obj: PatientGroup) -> list[str]:
        """What deleting takes away, but for the numbers of patients."""
        said = [_("The group and its name; the history of its members is kept.")]
        if obj.auth_group_id is None:
            return said
        holders = len(effects.holders_of(obj))
        text = ngettext(
            "The auth group “%(name)s”, which %(count)d person holds.",
            "The auth group “%(name)s”, which %(count)d people hold.",
            holders,
        )
        said.append(text % {"name": obj.auth_group_name, "count": holders})
        roles = Role.objects.filter(default_auth_groups=obj.auth_group_id)
        return said + [
            _("The role “%(role)s” starts people with it; it will not any more.")
            % {"role": role.name}
            for role in roles
        ]

    def delete_model(self, request: HttpRequest, obj: PatientGroup) -> None:
        obj.retire(by=request.user)

    def get_urls(self) -> list[Any]:
        """The pages beside the stock ones; each view's first line is its gate."""
        views = {
            "unreachable/": (front.unreachable, "unreachable"),
            "numbers/": (front.numbers, "numbers"),
            "stranded/": (stranded.stranded, "stranded"),
            "unassigned/": (stranded.unassigned, "unassigned"),
            "hand-over/": (stranded.hand_over, "hand_over"),
            "picker/": (picker.suggest, "picker"),
            "<uuid:group_id>/effect/": (switching.effect, "effect"),
            "<uuid:group_id>/members/": (members.members, "members"),
            "<uuid:group_id>/members/add/": (members.add, "member_add"),
            "<uuid:group_id>/members/<str:key>/": (member.member, "member"),
            "<uuid:group_id>/members/<str:key>/remove/": (
                member.remove,
                "member_remove",
            ),
            "<uuid:group_id>/members/<str:key>/restore/": (
                member.restore,
                "member_restore",
            ),
            "<uuid:group_id>/exclusions/": (exclusions.exclusions, "exclusions"),
            "<uuid:group_id>/exclusions/add/": (exclusions.add, "exclusion_add"),
            "<uuid:group_id>/exclusions/<str:key>/lift/": (
                exclusions.lift,
                "exclusion_lift",
            ),
        }
        wrap = self.admin_site.admin_view
        return [
            path(route, wrap(view), name=f"patients_patientgroup_{name}")
            for route, (view, name) in views.items()
        ] + super().get_urls()
