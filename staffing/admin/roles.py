"""Roles of staff, and roles in a patient's care."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from canvas_admin.records.admin import KeyedAdmin
from staffing.forms.fields import GroupChoices
from staffing.models import CareTeamRole, Role


@admin.register(Role)
class RoleAdmin(KeyedAdmin):
    """What people are here, and the auth groups with which they start (S2)."""

    list_display = ("name", "internal_code", "domain", "role_type", "people")
    list_filter = ("domain", "role_type")
    search_fields = ("name", "internal_code", "public_abbreviation")
    fieldsets = (
        (
            None,
            {"fields": ("name", "internal_code", "public_abbreviation", "role_type")},
        ),
        (_("Domain"), {"fields": ("domain", "domain_privilege_level")}),
        (_("Permissions"), {"fields": ("default_auth_groups",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Role]:
        return super().get_queryset(request).annotate(holders=Count("staff_roles"))

    @admin.display(description=_("people"), ordering="holders")
    def people(self, role: Role) -> int:
        return role.holders

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        return GroupChoices(
            label=_("Default auth groups"), help_text=db_field.help_text, required=False
        )


@admin.register(CareTeamRole)
class CareTeamRoleAdmin(KeyedAdmin):
    """The roles that staff can have in one patient's care (S1)."""

    list_display = ("display", "code", "system", "active")
    list_filter = ("active", "system")
    search_fields = ("display", "code")
    fields = ("display", "system", "system_version", "code", "active")
