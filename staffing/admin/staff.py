"""Staff: making them with account and roles, and switching them off and on."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from canvas_admin.records.addresses import linked
from canvas_admin.records.admin import KeyedAdmin
from staffing.admin.acts import Confirming, page, require_confirmation, show_link
from staffing.admin.filters import NO, HasRole, WithAccountFirst
from staffing.admin.parts import StaffContactPoints, StaffLicenses
from staffing.combinations import REACH, codes_of
from staffing.forms.staff import ACCOUNT_FIELDS, StaffForm
from staffing.models import Staff
from staffing.permissions import grantable, meaning, powerful

# The admin's script puts the cursor into the first field: everybody has a first name.
NAMES = ("first_name", "middle_name", "last_name", "prefix", "suffix")


@admin.register(Staff)
class StaffAdmin(Confirming, KeyedAdmin):
    """The people who work here. They are switched off, never deleted."""

    form = StaffForm
    list_display = ("name", "role_names", "user", "npi", "active")
    list_display_links = ("name",)
    list_filter = ("active", HasRole, WithAccountFirst, "service")
    list_select_related = ("user",)
    search_fields = ("first_name", "last_name", "npi", "user__username")
    search_help_text = gettext_lazy("Name, NPI or user name")
    inlines = (StaffContactPoints, StaffLicenses)
    change_form_template = "admin/staffing/staff/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Staff]:
        staff = super().get_queryset(request).select_related("user")
        return staff.prefetch_related("staff_roles__role")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody touches the staff member of an operator's account here, nor a program."""
        return self._may_touch(request, obj) and not (obj and obj.service)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple:
        return ("state", "signs_in_as", "acts_as", "role_names") if obj else ()

    def fieldsets_for(self, request: HttpRequest, obj: Any) -> Any:
        may_change = not obj or self.has_change_permission(request, obj)
        has_account = obj and (obj.user_id or not may_change)
        account = "acts_as" if obj and obj.service else "signs_in_as"
        return (
            (None, {"fields": (*NAMES, *(("state",) if obj else ()))}),
            (
                gettext_lazy("Roles"),
                {"fields": ("roles" if may_change else "role_names",)},
            ),
            (
                gettext_lazy("Account"),
                {"fields": (account,) if has_account else ACCOUNT_FIELDS},
            ),
            (
                gettext_lazy("More"),
                {"fields": ("date_of_birth", "npi", "primary_location")},
            ),
        )

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        acts = [
            path(
                f"<path:object_id>/{act}/",
                wrap(self.switch_view),
                {"active": active},
                name=f"staffing_staff_{act}",
            )
            for act, active in (("deactivate", False), ("activate", True))
        ]
        return [*acts, *super().get_urls()]

    # The list and the form ----------------------------------------------------------

    @admin.display(description=gettext_lazy("name"), ordering="last_name")
    def name(self, staff: Staff) -> str:
        return staff.credentialed_name

    @admin.display(description=gettext_lazy("roles"))
    def role_names(self, staff: Staff) -> str:
        return ", ".join(str(held.role) for held in staff.staff_roles.all()) or "–"

    @admin.display(description=gettext_lazy("state"))
    def state(self, staff: Staff) -> str:
        return _("active") if staff.active else _("not active: nothing is open")

    @admin.display(description=gettext_lazy("signs in as"))
    def signs_in_as(self, staff: Staff) -> str:
        return linked(staff.user, self.admin_site.name) if staff.user else "–"

    @admin.display(description=gettext_lazy("acts as"))
    def acts_as(self, staff: Staff) -> str:
        return self.signs_in_as(staff)

    def save_model(
        self, request: HttpRequest, obj: Staff, form: StaffForm, change: bool
    ) -> None:
        self._confirm_powerful_roles(request, obj, form)
        request.new_account = form.save_staff(request.user, request)

    def response_add(
        self, request: HttpRequest, obj: Staff, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._link_or_list(request, obj)

    def response_change(self, request: HttpRequest, obj: Staff) -> HttpResponse:
        return self._link_or_list(request, obj)

    def _link_or_list(self, request: HttpRequest, obj: Staff) -> HttpResponse:
        """After making an account, its first link; otherwise on as usual."""
        if account := request.new_account:
            return show_link(
                self,
                request,
                account,
                self.url_of(obj),
                sentences=[self.saved_sentence(obj), *_holds(obj)],
                staff=obj,
            )
        return self._saved(request, obj)

    def list_with(self, obj: Staff) -> str:
        """People without an account are in the list that is asked for them."""
        found = super().list_with(obj)
        return found if obj.user_id else f"{found}?account={NO}"

    def _confirm_powerful_roles(
        self, request: HttpRequest, obj: Staff, form: StaffForm
    ) -> None:
        given = {
            role: powerful(grantable().filter(default_of_roles=role))
            for role in form.giving_roles
        }
        sentences = [
            _("The role “%(role)s” gives “%(group)s”: %(meaning)s")
            % {"role": role, "group": group.name, "meaning": meaning(group)}
            for role, found in given.items()
            for group in found
        ]
        cleaned = form.cleaned_data
        if account := cleaned.get("account"):
            sentences += [
                _("The account “%(account)s” holds “%(group)s”: %(meaning)s")
                % {"account": account, "group": group.name, "meaning": meaning(group)}
                for group in powerful(grantable().filter(user=account))
            ]
        if sentences:
            what = [
                "staff",
                obj.key if obj.pk else "",
                str(obj),
                cleaned.get("user_name") or "",
                account.key if account else "",
                sorted(role.key for role in form.giving_roles),
            ]
            require_confirmation(request, what, sentences)

    # Switching off and on -----------------------------------------------------------

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["may_switch"] = self._may_switch(request, context.get("original"))
        return super().render_change_form(request, context, *args, **kwargs)

    def switch_view(
        self, request: HttpRequest, object_id: str, active: bool
    ) -> HttpResponse:
        """Say what ends (or begins again), then do it."""
        staff = self.get_object(request, object_id)
        if staff is None or not self._may_switch(request, staff):
            raise PermissionDenied
        back = self.url_of(staff)
        if request.method == "POST":
            return self._switch(request, staff, active, back)
        words = {"name": staff}
        title = _("Activate %(name)s?") if active else _("Deactivate %(name)s?")
        return page(
            self,
            request,
            "admin/staffing/act.html",
            title=title % words,
            sentences=_begins_again(staff) if active else _ends(staff),
            button=_("Activate") if active else _("Deactivate"),
            danger=not active,
            back=back,
        )

    def _switch(
        self, request: HttpRequest, staff: Staff, active: bool, back: str
    ) -> HttpResponse:
        act = "activate" if active else "deactivate"
        try:
            self._switch_and_enter(request, staff, active)
        except ValidationError as refusal:
            self.record_refusal(request, act, staff.key, refusal)
            messages.error(request, " ".join(refusal.messages))
        else:
            words = {"name": staff}
            said = _("%(name)s is active.") if active else _("%(name)s is not active.")
            messages.success(request, said % words)
        return HttpResponseRedirect(back)

    @transaction.atomic
    def _switch_and_enter(
        self, request: HttpRequest, staff: Staff, active: bool
    ) -> None:
        changes = staff.active != active
        staff.active = active
        staff.save(by=request.user)
        if changes:
            done = _("The person was activated.")
            ended = _("The person was deactivated.")
            self.enter_in_history(request, staff, done if active else ended)

    def _may_switch(self, request: HttpRequest, staff: Staff | None) -> bool:
        """A program, too: its tokens are refused from then on."""
        return bool(
            staff
            and staff.user_id != request.user.pk
            and self._may_touch(request, staff)
        )

    def _may_touch(self, request: HttpRequest, staff: Staff | None) -> bool:
        may = super().has_change_permission(request, staff)
        return may and not (staff and staff.user and staff.user.is_superuser)


def _holds(staff: Staff) -> list[str]:
    """What somebody with a new account holds by the roles, in sentences."""
    held = list(grantable().filter(user=staff.user))
    names = ", ".join(f"“{group.name}”" for group in held)
    sentences = [
        _("The roles gave these groups: %(names)s.") % {"names": names}
        if held
        else _("The roles gave no group.")
    ]
    if not codes_of(held) & REACH:
        sentences.append(
            _(
                "No patient is open to this person yet: give a patient group or “All "
                "Patients” under Staff Permissions."
            )
        )
    return sentences


def _ends(staff: Staff) -> list[str]:
    """What a deactivation ends, in sentences."""
    if staff.user is None:
        return [_("The person is not offered any more. Nothing is deleted.")]
    if staff.service:
        return [
            _("Every token of the program is refused, and it gets no new one."),
            _("Nothing is deleted: history and groups stay."),
        ]
    groups = staff.user.groups.count()
    return [
        _("Every session of “%(account)s” ends at once, on every device.")
        % {"account": staff.user},
        _("Nobody can sign in with this account, and no patient is open to it."),
        ngettext(
            "The %(count)s group held opens nothing until the person is active again.",
            "The %(count)s groups held open nothing until the person is active again.",
            groups,
        )
        % {"count": groups},
        _("Nothing is deleted: history, roles and team memberships stay."),
    ]


def _begins_again(staff: Staff) -> list[str]:
    """What an activation opens again, in sentences."""
    names = (
        [] if staff.user is None else staff.user.groups.values_list("name", flat=True)
    )
    if not names:
        return [_("The person holds no groups, so nothing opens by this.")]
    signs_in = _("The person can sign in again with the same password.")
    tokens = _("The program can get tokens again, if its application is switched on.")
    return [
        tokens if staff.service else signs_in,
        _("These groups open again what they opened: %(names)s.")
        % {"names": ", ".join(f"“{name}”" for name in names)},
    ]
