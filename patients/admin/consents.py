"""What the clinic asks its patients to agree to, for holders of "Settings"."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from canvas_admin.records.admin import KeyedAdmin
from patients.models import ConsentCoding


@admin.register(ConsentCoding)
class ConsentCodingAdmin(KeyedAdmin):
    """Kinds of consent; the code of one that is saved stays (facts 6.9)."""

    list_display = ("display", "code", "system_version", "expiration_rule", "active")
    list_filter = ("active", "mandatory")
    search_fields = ("display", "code")
    fields = (
        "display",
        "system",
        "system_version",
        "code",
        "expiration_rule",
        "mandatory",
        "proof_required",
        "summary",
        "active",
    )

    def get_readonly_fields(
        self, request: HttpRequest, obj: Any = None
    ) -> tuple[str, ...]:
        return ("code",) if obj else ()
