"""Accounts: who can sign in, their address, and help for who cannot any more."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.audit import trail
from canvas_admin.records.admin import KeyedAdmin
from staffing.admin.acts import page, show_link
from staffing.admin.filters import WithStaff
from staffing.forms.accounts import AccountForm
from staffing.models import User, staff_of
from staffing.second_step import has_second_step, switch_off


@admin.register(User)
class AccountAdmin(KeyedAdmin):
    """Accounts are made with staff, end with staff, and are never deleted.

    No page writes `is_superuser` or a password, or touches a superuser's account; a
    program's has neither password nor address.
    """

    form = AccountForm
    list_display = ("username", "person", "email", "is_active", "last_login")
    list_filter = ("is_active", WithStaff)
    list_select_related = ("staff",)
    search_fields = ("username", "email", "staff__first_name", "staff__last_name")
    readonly_fields = ("username", "person", "is_active", "last_login", "date_joined")
    change_form_template = "admin/staffing/user/change_form.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_change_permission(request, obj)
        return may and not (obj and (obj.is_superuser or _of_a_program(obj)))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def fieldsets_for(self, request: HttpRequest, obj: Any) -> Any:
        """Who may only look is shown the address without the form's hidden part."""
        may_change = self.has_change_permission(request, obj)
        return (
            (None, {"fields": ("username", "person", "is_active")}),
            (
                gettext_lazy("Address"),
                {"fields": ("email", "address_was") if may_change else ("email",)},
            ),
            (gettext_lazy("History"), {"fields": ("date_joined", "last_login")}),
        )

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        acts = [
            path(f"<path:object_id>/{act}/", wrap(view), name=f"staffing_user_{name}")
            for act, name, view in (
                ("link", "link", self.link_view),
                ("second-step-off", "second_step_off", self.second_step_view),
            )
        ]
        return [*acts, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).select_related("staff")

    def save_model(
        self, request: HttpRequest, obj: User, form: AccountForm, change: bool
    ) -> None:
        """Write the address alone, so that nothing else of a stale row comes back."""
        obj.save(update_fields=["email"])
        if obj.email != form.before:
            trail.done(
                request.user,
                "account.address",
                request=request,
                subject=f"user/{obj.key}",
                was=form.before,
                now=obj.email,
            )

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        user = context.get("original")
        context["may_help"] = may = self._may_help(request, user)
        context["may_switch_off"] = may and has_second_step(user)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(
        description=gettext_lazy("staff member"), ordering="staff__last_name"
    )
    def person(self, user: User) -> str:
        if user.is_superuser:
            return _("Operator (superuser)")
        staff = staff_of(user)
        if staff is None:
            return "–"
        return format_html('<a href="{}">{}</a>', self.url_of(staff), staff)

    def link_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then show a one-time link; nobody types another's password."""
        user = self._whom_to_help(request, object_id)
        back = self.url_of(user)
        if request.method == "POST":
            with transaction.atomic():
                return show_link(self, request, user, back)
        return page(
            self,
            request,
            "admin/staffing/act.html",
            title=_("Make a sign-in link for %(name)s?") % {"name": user},
            sentences=[
                _("Whoever opens the link within 24 hours can choose this password."),
                _("It works once. Hand it to the person, and to nobody else."),
                _("Making it is written down, with your name."),
            ],
            button=_("Make the link"),
            back=back,
        )

    def second_step_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then switch the second step off: for somebody who lost the phone."""
        user = self._whom_to_help(request, object_id)
        if request.method == "POST":
            self._switch_off(request, user)
            return HttpResponseRedirect(self.url_of(user))
        return page(
            self,
            request,
            "admin/staffing/act.html",
            title=_("Switch off the second step of %(name)s?") % {"name": user},
            sentences=[
                _(
                    "The password alone signs in, until the person sets up a second "
                    "step again."
                ),
                _(
                    "The codes of the authenticator app and the recovery codes are gone."
                ),
                _("Every session of “%(account)s” ends at once, on every device.")
                % {"account": user},
                _("A sign-in link that was made before does not work any more."),
                _(
                    "Be sure that it is the person who asks. It is written down, with "
                    "your name."
                ),
            ],
            button=_("Switch off"),
            danger=True,
            back=self.url_of(user),
        )

    @transaction.atomic
    def _switch_off(self, request: HttpRequest, user: User) -> None:
        words = {"name": user}
        if switch_off(user, request.user, request):
            sentence = _("The second step was switched off.")
            self.enter_in_history(request, user, sentence)
            said = _("The second step of %(name)s is off: the password alone signs in.")
            messages.success(request, said % words)
        else:
            messages.info(request, _("%(name)s has no second step.") % words)

    def _whom_to_help(self, request: HttpRequest, object_id: str) -> User:
        """The account of this address. Raises PermissionDenied for one not to touch."""
        user = self.get_object(request, object_id)
        if user is None or not self._may_help(request, user):
            raise PermissionDenied
        return user

    def _may_help(self, request: HttpRequest, user: User | None) -> bool:
        """For living accounts of others; one's own is looked after on its own page."""
        return bool(
            user
            and user.live
            and user != request.user
            and self.has_change_permission(request, user)
        )


def _of_a_program(user: User) -> bool:
    staff = staff_of(user)
    return bool(staff and staff.service)
