"""Rows that are part of a page's subject, and are edited with it."""

from typing import Any

from django.http import HttpRequest

from canvas_admin.records.admin import KeyedInline
from staffing.models import StaffContactPoint, StaffLicense, TeamContactPoint


class Part(KeyedInline):
    """Whoever may change the subject may change its parts."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        subject = self.admin_site.get_model_admin(self.parent_model)
        if obj is None:
            return subject.has_add_permission(request)
        return subject.has_change_permission(request, obj)

    has_add_permission = has_delete_permission = has_change_permission


class StaffContactPoints(Part):
    model = StaffContactPoint
    fields = ("system", "value", "use", "rank")


class StaffLicenses(Part):
    model = StaffLicense
    fields = ("kind", "number", "state", "expires")


class TeamContactPoints(Part):
    model = TeamContactPoint
    fields = ("system", "value", "use", "rank")
