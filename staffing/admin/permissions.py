"""Staff Permissions: the screen of S2 on which groups are given and taken by hand."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.records.admin import KeyedAdmin
from staffing import groups
from staffing.admin.acts import Confirming, require_confirmation
from staffing.admin.filters import HoldsGroup, WithAccountFirst
from staffing.combinations import in_use, warnings
from staffing.explanations import last_grants, origin
from staffing.forms.permissions import PermissionsForm
from staffing.models import GroupChange, StaffPermissions
from staffing.permissions import grantable, meaning, powerful

ADMINISTRATION = [
    declared.code
    for declared in groups.MANAGED_GROUPS
    if declared.kind is groups.Kind.ADMINISTRATION
]
PER_PAGE = 50


@admin.register(StaffPermissions)
class StaffPermissionsAdmin(Confirming, KeyedAdmin):
    """Who may do what. It is changed here for others, never for oneself.

    People without an account have nothing to give or take. People who are not active may
    be edited: so a return is prepared, and a leaver's rights are taken for good.
    """

    form = PermissionsForm
    list_display = (
        "name",
        "role_names",
        "group_count",
        "reaches_everyone",
        "administers",
        "active",
    )
    list_display_links = ("name",)
    list_filter = (HoldsGroup, WithAccountFirst, "active", "service")
    search_fields = ("first_name", "last_name", "npi", "user__username")
    search_help_text = gettext_lazy("Name, NPI or user name")
    change_form_template = "admin/staffing/staffpermissions/change_form.html"
    object_history_template = "admin/staffing/staffpermissions/object_history.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[StaffPermissions]:
        held = Group.user_set.through.objects.filter(user=OuterRef("user"))
        return (
            super()
            .get_queryset(request)
            .select_related("user")
            .prefetch_related("staff_roles__role")
            .annotate(
                held=Count("user__groups", distinct=True),
                everyone=Exists(held.filter(group__managed__code=groups.ALL_PATIENTS)),
                administration=Exists(
                    held.filter(group__managed__code__in=ADMINISTRATION)
                ),
            )
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (
            obj and why_fixed(request, obj)
        )

    def fieldsets_for(self, request: HttpRequest, obj: Any) -> Any:
        if obj and not self.has_change_permission(request, obj):
            return []
        return [(None, {"fields": ["groups", "made_from"]})]

    # The list -----------------------------------------------------------------------

    @admin.display(description=gettext_lazy("person"), ordering="last_name")
    def name(self, staff: StaffPermissions) -> str:
        return staff.name

    @admin.display(description=gettext_lazy("roles"))
    def role_names(self, staff: StaffPermissions) -> str:
        return ", ".join(str(held.role) for held in staff.staff_roles.all()) or "–"

    @admin.display(description=gettext_lazy("groups"), ordering="held")
    def group_count(self, staff: StaffPermissions) -> Any:
        return staff.held if staff.user_id else _("no account")

    @admin.display(description=gettext_lazy("All Patients"), ordering="everyone")
    def reaches_everyone(self, staff: StaffPermissions) -> str:
        return _("all") if staff.everyone else "–"

    @admin.display(description=gettext_lazy("administers"), ordering="administration")
    def administers(self, staff: StaffPermissions) -> str:
        return _("yes") if staff.administration else "–"

    # The form -----------------------------------------------------------------------

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        staff = context["original"]
        held = [] if staff.user is None else list(staff.user.groups.all())
        context["fixed"] = why_fixed(request, staff)
        context["table"] = explain(staff, held)
        mine = {group.pk for group in held}
        context["warnings"] = warnings(g for g in grantable() if g.pk in mine)
        context["show_save_and_add_another"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: Any, form: PermissionsForm, change: bool
    ) -> None:
        added = powerful(form.added_groups())
        if added:
            require_confirmation(
                request,
                ["permissions", obj.key, *form.difference],
                [
                    _("%(name)s gets “%(group)s”: %(meaning)s")
                    % {"name": obj, "group": group.name, "meaning": meaning(group)}
                    for group in added
                ],
            )
        form.apply()

    def saved_sentence(self, obj: Any) -> str:
        return _("The permissions of %(name)s are saved.") % {"name": obj}

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """The grants and revocations of this person, newest first."""
        staff = self.get_object(request, object_id)
        changes = GroupChange.objects.filter(
            user=staff.user_id if staff else None
        ).select_related("role")
        pages = Paginator(changes, PER_PAGE)
        shown = pages.get_page(request.GET.get("p"))
        context = {"changes": shown, "origin": origin, **(extra_context or {})}
        return super().history_view(request, object_id, context)


def why_fixed(request: HttpRequest, staff: StaffPermissions) -> str:
    """Why nobody, or not this person, changes these permissions here; "" if one may."""
    if staff.user is None:
        return _("This person has no account, so there is nothing to give or take.")
    if staff.user.is_superuser:
        return _("This is an operator's account. It is changed at the shell only.")
    if staff.user == request.user:
        return _(
            "This is your own account. Nobody changes permissions of one's own; "
            "another administrator can."
        )
    return ""


def explain(staff: StaffPermissions, held: list[Group]) -> list[dict[str, Any]]:
    """Each group with its meaning, and where the person got it."""
    mine = {group.pk for group in held}
    grants = last_grants(staff.user) if staff.user else {}
    rows = [
        {
            "name": group.name,
            "meaning": meaning(group),
            "in_use": in_use(group),
            "held": group.pk in mine,
            "origin": origin(grants.get(group.pk)) if group.pk in mine else "",
        }
        for group in grantable()
    ]
    return sorted(rows, key=lambda row: not row["held"])
