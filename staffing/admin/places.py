"""Locations and visit types: the clinic's lists, for holders of "Settings"."""

from django.contrib import admin

from canvas_admin.records.admin import KeyedAdmin
from staffing.models import Location, VisitType


@admin.register(Location)
class LocationAdmin(KeyedAdmin):
    """Where the clinic works."""

    list_display = ("name", "time_zone", "active")
    list_filter = ("active",)
    search_fields = ("name",)
    fields = ("name", "time_zone", "active")


@admin.register(VisitType)
class VisitTypeAdmin(KeyedAdmin):
    """What kinds of visit the clinic offers."""

    list_display = ("name", "code", "minutes", "active")
    list_filter = ("active", "code")
    search_fields = ("name", "code")
    fields = ("name", "code", "minutes", "active")
