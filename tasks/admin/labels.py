"""Task labels: the clinic's list, for holders of "Settings"."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from canvas_admin.records.admin import KeyedAdmin
from tasks.forms.labels import LabelForm
from tasks.models import TaskLabel


@admin.register(TaskLabel)
class TaskLabelAdmin(KeyedAdmin):
    """A label is made inactive, never deleted: tasks that have it keep it."""

    form = LabelForm
    list_display = ("name", "color", "position", "active", "put_on")
    list_filter = ("active",)
    search_fields = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "color", "position", "active")}),
        (_("Automated tasks"), {"fields": ("origins",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaskLabel]:
        return super().get_queryset(request).prefetch_related("origins")

    @admin.display(description=_("put on automated tasks"))
    def put_on(self, label: TaskLabel) -> str:
        return ", ".join(str(origin) for origin in label.origins.all()) or "–"

    def save_model(
        self, request: HttpRequest, obj: TaskLabel, form: Any, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        form.save_parts()
