"""Protocols: what they are, their settings, and what is done with them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.protocols.admin import acts, dry_runs, events, runs
from canvas_admin.protocols.broker import check_instance
from canvas_admin.protocols.keeping import INSTANCE_NAME
from canvas_admin.protocols.models import Protocol, ProtocolSetting, Recompute
from canvas_admin.records.admin import KeyedAdmin
from canvas_admin.records.forms import KeyedForm
from staffing.admin.parts import Part

# The page's name, what follows the protocol's address, and its view.
OF_ONE = (
    ("versions", "versions", acts.versions),
    ("use", "versions/<str:version>/use", acts.use),
    ("try", "versions/<str:version>/try", dry_runs.begin),
    ("switch", "switch", acts.switch),
    ("recompute", "recompute", acts.recompute),
)
OF_ALL = (
    ("upload", "upload", acts.upload),
    ("runs", "runs", runs.runs),
    ("run", "runs/<str:run>", runs.run),
    ("dry_run", "dry-runs/<str:run>", dry_runs.dry_run),
    ("dry_file", "dry-runs/<str:run>/file", dry_runs.file),
    ("dry_stop", "dry-runs/<str:run>/stop", dry_runs.stop),
    ("events", "events", events.events),
    ("retry_all", "events/retry", events.retry_all),
    ("retry", "events/<str:event>/retry", events.retry),
)


class SettingForm(KeyedForm):
    """The value is never shown again: an empty field leaves it as it is."""

    value = forms.CharField(
        label=gettext_lazy("value"),
        max_length=ProtocolSetting.LONGEST_VALUE,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("Stored encrypted, and not shown again."),
    )

    class Meta:
        model = ProtocolSetting
        fields = ["name"]

    def clean_name(self) -> str:
        name = self.cleaned_data["name"]
        if name in ProtocolSetting.MADE:
            raise ValidationError(
                _("%(name)s is made for each run."), params={"name": name}
            )
        return name

    def clean_value(self) -> str:
        value = self.cleaned_data["value"]
        if not value and not self.instance.pk:
            raise ValidationError(_("A new setting needs a value."))
        return value

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        if found.get("name") == INSTANCE_NAME and found.get("value"):
            try:
                check_instance(found["value"])
            except ValueError as error:
                self.add_error("value", str(error))
        return found

    def save(self, commit: bool = True) -> Any:
        if value := self.cleaned_data["value"]:
            self.instance.value = value
        return super().save(commit)


class Settings(Part):
    model = ProtocolSetting
    form = SettingForm
    fields = ("name", "value")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No protocol is made on a form, so that there is one whenever it is asked."""
        subject = self.admin_site.get_model_admin(self.parent_model)
        return subject.has_change_permission(request, obj)

    has_add_permission = has_delete_permission = has_change_permission


@admin.register(Protocol)
class ProtocolAdmin(KeyedAdmin):
    """Protocols, for “Integrations”. They come by an upload, and none is deleted."""

    list_display = ("name", "title", "current", "active", "over_everybody")
    list_filter = ("active",)
    search_fields = ("name", "current__title")
    search_help_text = gettext_lazy("Name or title")
    inlines = (Settings,)
    readonly_fields = ("name", "title", "description", "current", "state", "acts_as")
    change_list_template = "admin/protocols/protocol/change_list.html"
    change_form_template = "admin/protocols/protocol/change_form.html"
    formfield_overrides = {
        **KeyedAdmin.formfield_overrides,
        models.TextField: {"widget": AdminTextareaWidget(attrs={"rows": 3})},
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Protocol]:
        rows = super().get_queryset(request)
        return rows.select_related("current", "application__staff__user")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def fieldsets_for(self, request: HttpRequest, obj: Any) -> Any:
        return (
            (None, {"fields": self.readonly_fields}),
            (gettext_lazy("Web"), {"fields": ("hosts",)}),
            (gettext_lazy("Chart"), {"fields": ("show_in_chart", "can_be_snoozed")}),
        )

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        every = [
            path(f"{tail}/", wrap(view), name=f"protocols_protocol_{name}")
            for name, tail, view in OF_ALL
        ]
        one = [
            path(f"<str:key>/{tail}/", wrap(view), name=f"protocols_protocol_{name}")
            for name, tail, view in OF_ONE
        ]
        return [*every, *one, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may_upload = request.user.has_perm(acts.ADD)
        return super().changelist_view(request, {"may_upload": may_upload})

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["may_act"] = request.user.has_perm(acts.CHANGE)
        context["may_give_groups"] = request.user.has_perm(acts.MAY_GIVE_GROUPS)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("title"), ordering="current__title")
    def title(self, protocol: Protocol) -> str:
        return protocol.current.title if protocol.current else "–"

    @admin.display(description=gettext_lazy("description"))
    def description(self, protocol: Protocol) -> str:
        return (protocol.current and protocol.current.description) or "–"

    @admin.display(description=gettext_lazy("state"))
    def state(self, protocol: Protocol) -> str:
        if not protocol.active:
            return _("Off: it does not run.")
        types = protocol.current.change_types if protocol.current else []
        if types:
            return _("It runs on changes of: %(types)s.") % {"types": ", ".join(types)}
        return _("It runs on every change of a patient's record.")

    @admin.display(description=gettext_lazy("acts as"))
    def acts_as(self, protocol: Protocol) -> str:
        staff = protocol.application.staff
        if staff.user.groups.exists():
            return f"{staff}, {staff.user}"
        words = {"staff": staff}
        return _("%(staff)s, who holds no auth group: it sees no patient.") % words

    @admin.display(description=gettext_lazy("over everybody"))
    def over_everybody(self, protocol: Protocol) -> str:
        wanted = Recompute.objects.filter(version__protocol=protocol, dry=False)
        latest = wanted.first()
        return acts.progress(latest) if latest else "–"
