"""API keys: made for oneself, shown once, revoked by whoever administers programs."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.audit import trail
from canvas_admin.protocols.models import ApiKey
from canvas_admin.records.admin import KeyedAdmin
from canvas_admin.records.forms import KeyedForm
from staffing.admin.acts import page


class ApiKeyForm(KeyedForm):
    class Meta:
        model = ApiKey
        fields = ["name"]


@admin.register(ApiKey)
class ApiKeyAdmin(KeyedAdmin):
    """Keys of the workflow kit's program. None is changed, and none deleted."""

    form = ApiKeyForm
    list_display = ("name", "user", "created", "last_used", "revoked")
    search_fields = ("name", "user__username")
    search_help_text = gettext_lazy("Name or user name")
    fields = ("name", "user", "created", "last_used", "revoked")
    change_form_template = "admin/protocols/apikey/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        return super().get_queryset(request).select_related("user")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def fieldsets_for(self, request: HttpRequest, obj: Any) -> Any:
        return [(None, {"fields": self.fields if obj else ("name",)})]

    def get_urls(self) -> list[Any]:
        revoke = self.admin_site.admin_view(self.revoke_view)
        own = path("<path:object_id>/revoke/", revoke, name="protocols_apikey_revoke")
        return [own, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context.get("original")
        context["may_revoke"] = bool(row and not row.revoked and self._may(request))
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: ApiKey, form: Any, change: bool
    ) -> None:
        """A new key acts as the person who makes it."""
        obj.user = request.user
        request.new_secret = obj.begin()

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Its secret, here and now only."""
        return page(
            self,
            request,
            "admin/protocols/apikey/secret.html",
            title=_("API key “%(name)s”") % {"name": obj},
            secret=request.new_secret,
            back=self.url_of(obj),
        )

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then let a key be good for nothing."""
        row = self.get_object(request, object_id)
        if row is None or not self._may(request):
            raise PermissionDenied
        if request.method != "POST":
            return page(
                self,
                request,
                "admin/staffing/act.html",
                title=_("Revoke “%(name)s”?") % {"name": row},
                sentences=[
                    _("Whatever uses it is refused from that moment."),
                    _("It cannot be taken back; a new key can be made."),
                ],
                button=_("Revoke the key"),
                back=self.url_of(row),
                danger=True,
            )
        with transaction.atomic():
            row.revoke()
            trail.done(
                request.user,
                "apikey.revoked",
                request=request,
                subject=f"apikey/{row.key}",
            )
            self.enter_in_history(request, row, _("Revoked."))
        messages.success(request, _("“%(name)s” is revoked.") % {"name": row})
        return HttpResponseRedirect(self.url_of(row))

    def _may(self, request: HttpRequest) -> bool:
        return request.user.has_perm("protocols.change_apikey")
