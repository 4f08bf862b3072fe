"""Applications: making programs known, their secrets, and ending what they hold."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from canvas_admin.audit import trail
from canvas_admin.records.admin import KeyedAdmin
from staffing.admin.acts import page
from staffing.forms.applications import ApplicationForm
from staffing.models import Application

MAY_GIVE_GROUPS = "staffing.change_staffpermissions"
ACTS = (("secret", "secret_view"), ("revoke", "revoke_view"))


@admin.register(Application)
class ApplicationAdmin(KeyedAdmin):
    """Programs, for "Integrations". None is deleted, and none gets a group here.

    The secret is shown once, on the page that answers when it is made.
    """

    form = ApplicationForm
    tells_who_acts = True
    list_display = ("name", "acts", "active", "last_token", "acting")
    list_filter = ("active", "authorization_grant_type")
    search_fields = ("name", "client_id")
    search_help_text = gettext_lazy("Name or client ID")
    readonly_fields = ("client_id", "acts", "acting", "last_token")
    change_form_template = "admin/staffing/application/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Application]:
        return super().get_queryset(request).select_related("staff__user")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def fieldsets_for(self, request: HttpRequest, obj: Any) -> Any:
        if obj is None:
            return (
                (None, {"fields": ("name", "authorization_grant_type")}),
                (gettext_lazy("Limits"), {"fields": ("redirect_uris", "scopes")}),
            )
        return (
            (None, {"fields": ("name", "client_id", "acts", "active")}),
            (gettext_lazy("Limits"), {"fields": ("redirect_uris", "scopes")}),
            (gettext_lazy("Use"), {"fields": ("acting", "last_token")}),
        )

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        acts = [
            path(
                f"<path:object_id>/{act}/",
                wrap(getattr(self, view)),
                name=f"staffing_application_{act}",
            )
            for act, view in ACTS
        ]
        return [*acts, *super().get_urls()]

    # The list and the form ----------------------------------------------------------

    @admin.display(
        description=gettext_lazy("acts"), ordering="authorization_grant_type"
    )
    def acts(self, application: Application) -> str:
        return application.get_authorization_grant_type_display()

    @admin.display(
        description=gettext_lazy("service staff"), ordering="staff__last_name"
    )
    def acting(self, application: Application) -> str:
        """By the account's name, under which the trail has what it does."""
        staff = application.staff
        name = f"{staff}, {staff.user}"
        return name if staff.active else _("%(name)s: not active") % {"name": name}

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        application = context.get("original")
        context["may_act"] = self.has_change_permission(request, application)
        context["may_give_groups"] = request.user.has_perm(MAY_GIVE_GROUPS)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(
        self,
        request: HttpRequest,
        obj: Application,
        form: ApplicationForm,
        change: bool,
    ) -> None:
        """A new one begins with a service staff and a secret."""
        if change:
            super().save_model(request, obj, form, change)
        else:
            request.new_secret = obj.begin(request.user)

    def response_add(
        self,
        request: HttpRequest,
        obj: Application,
        post_url_continue: str | None = None,
    ) -> HttpResponse:
        sentences = [
            self.saved_sentence(obj),
            _("Its service staff is “%(name)s”, who holds no group yet.")
            % {"name": obj.staff},
            _("Somebody with “Staff Permissions” decides what it may do."),
        ]
        return self._show_secret(request, obj, request.new_secret, sentences)

    # Acts ---------------------------------------------------------------------------

    def secret_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then show a new secret; the old one is good for nothing from then on."""
        application = self._which(request, object_id)
        if request.method == "POST":
            with transaction.atomic():
                secret = application.renew_secret()
                self._record(
                    request, application, "secret", _("A new secret was made.")
                )
            return self._show_secret(request, application, secret, [])
        return self._ask(
            request,
            application,
            _("Make a new secret for %(name)s?"),
            [
                _("The old secret is good for nothing from that moment."),
                _("Tokens that it has stay good until they expire, within 10 minutes."),
                _("Whoever has the secret can do what the program may do."),
                _("It is written down, with your name."),
            ],
            _("Make the secret"),
        )

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then end all tokens of the application."""
        application = self._which(request, object_id)
        if request.method == "POST":
            return self._revoke(request, application)
        return self._ask(
            request,
            application,
            _("Revoke all tokens of %(name)s?"),
            [
                _("The next request with any of them is refused."),
                _("It can get new ones; switch it off if it shall not."),
                _("People who let it act for them are asked again."),
                _("It is written down, with your name."),
            ],
            _("Revoke all tokens"),
            danger=True,
        )

    @transaction.atomic
    def _revoke(self, request: HttpRequest, application: Application) -> HttpResponse:
        count = application.revoke_tokens()
        self._record(
            request, application, "revoke", _("All tokens were revoked."), tokens=count
        )
        said = ngettext(
            "%(count)s token of %(name)s is revoked.",
            "%(count)s tokens of %(name)s are revoked.",
            count,
        )
        messages.success(request, said % {"count": count, "name": application})
        return HttpResponseRedirect(self.url_of(application))

    def _record(
        self,
        request: HttpRequest,
        application: Application,
        act: str,
        sentence: str,
        **detail: Any,
    ) -> None:
        self.enter_in_history(request, application, sentence)
        trail.done(
            request.user,
            f"application.{act}",
            request=request,
            subject=f"application/{application.key}",
            **detail,
        )

    def _ask(
        self,
        request: HttpRequest,
        application: Application,
        title: str,
        sentences: list[str],
        button: str,
        **context: Any,
    ) -> HttpResponse:
        return page(
            self,
            request,
            "admin/staffing/act.html",
            title=title % {"name": application},
            sentences=sentences,
            button=button,
            back=self.url_of(application),
            **context,
        )

    def _show_secret(
        self,
        request: HttpRequest,
        application: Application,
        secret: str,
        sentences: list[str],
    ) -> HttpResponse:
        """Here and now only: what is stored cannot be read back."""
        return page(
            self,
            request,
            "admin/staffing/application/secret.html",
            title=_("Secret of %(name)s") % {"name": application},
            application=application,
            secret=secret,
            sentences=sentences,
            may_give_groups=request.user.has_perm(MAY_GIVE_GROUPS),
            back=self.url_of(application),
        )

    def _which(self, request: HttpRequest, object_id: str) -> Application:
        """The application of this address. Raises PermissionDenied without the right."""
        application = self.get_object(request, object_id)
        if application is None or not self.has_change_permission(request, application):
            raise PermissionDenied
        return application
