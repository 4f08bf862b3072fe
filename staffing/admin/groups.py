"""Auth groups, to be read, and the record of who was given which, when and by whom."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Count, F, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.records.admin import KeyedAdmin
from staffing.admin.filters import KindOfGroup, Person, When
from staffing.explanations import origin
from staffing.models import GroupChange, StaffPermissions
from staffing.permissions import grantable, meaning

# As many holders as one page names; the list of Staff Permissions has them all.
MOST_HOLDERS = 200


class ReadOnlyAdmin(KeyedAdmin):
    """Nobody adds, changes or deletes here, whatever they hold."""

    form = forms.ModelForm

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Group)
class GroupAdmin(ReadOnlyAdmin):
    """What each auth group means, and who holds it. Groups are known by their names."""

    list_display = ("name", "meaning", "holders_count")
    list_filter = (KindOfGroup,)
    search_fields = ("name",)
    fields = ("name", "meaning", "may", "default_of", "holders")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        return grantable().annotate(holder_count=Count("user", distinct=True))

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        return (F("managed__pk").asc(nulls_last=True), "name")

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        if "\x00" in object_id:
            return None
        group = self.get_queryset(request).filter(name=object_id).first()
        return named(group) if group else None

    def url_of(self, obj: Any, page: str = "change") -> str:
        return super().url_of(named(obj) if isinstance(obj, Group) else obj, page)

    @admin.display(description=gettext_lazy("meaning"))
    def meaning(self, group: Group) -> str:
        return meaning(group)

    @admin.display(description=gettext_lazy("people"), ordering="holder_count")
    def holders_count(self, group: Group) -> int:
        return group.holder_count

    @admin.display(description=gettext_lazy("what it allows"))
    def may(self, group: Group) -> str:
        names = group.permissions.order_by("content_type__app_label", "name")
        return _bullets(names.values_list("name", flat=True))

    @admin.display(description=gettext_lazy("given with the roles"))
    def default_of(self, group: Group) -> str:
        return _bullets(group.default_of_roles.values_list("name", flat=True))

    @admin.display(description=gettext_lazy("who holds it"))
    def holders(self, group: Group) -> str:
        changes = GroupChange.objects.filter(group=group, added=True)
        last = {c.user_id: c for c in changes.select_related("role").order_by("pk")}
        people = StaffPermissions.objects.filter(user__groups=group)
        lines = [
            format_html(
                '<a href="{}">{}</a>, {}',
                self.url_of(staff),
                staff,
                origin(last.get(staff.user_id)),
            )
            for staff in people[:MOST_HOLDERS]
        ]
        if group.holder_count > MOST_HOLDERS:
            lines.append(_("and more; see Staff Permissions"))
        return _bullets(lines)


def named(group: Group) -> Group:
    """The group, with its name as the id that addresses carry."""
    group.public_id = group.name
    return group


def _bullets(lines: Any) -> str:
    found = format_html_join("", "<li>{}</li>", ((line,) for line in lines))
    return format_html("<ul>{}</ul>", found) if found else "–"


@admin.register(GroupChange)
class GroupChangeAdmin(ReadOnlyAdmin):
    """Every grant and every revocation, newest first."""

    list_display = ("when", "user", "act", "group_name", "how", "by")
    list_display_links = ("when",)
    list_filter = (Person, "added", "via", When)
    list_select_related = ("user", "role")
    search_fields = (
        "user__username",
        "user__staff__first_name",
        "user__staff__last_name",
        "group_name",
        "by",
    )
    search_help_text = gettext_lazy(
        "A person's name or user name, a group, or who did it"
    )
    fields = ("when", "user", "act", "group_name", "how", "by")

    @admin.display(description=gettext_lazy("change"), ordering="added")
    def act(self, change: GroupChange) -> str:
        return _("given") if change.added else _("taken away")

    @admin.display(description=gettext_lazy("how"), ordering="via")
    def how(self, change: GroupChange) -> str:
        if change.role:
            return _("by the role %(role)s") % {"role": change.role}
        return change.get_via_display()
