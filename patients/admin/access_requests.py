"""Requests for access in the administration: the list, and where each is decided."""

from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from canvas_admin.audit import trail
from canvas_admin.records.admin import KeyedAdmin
from canvas_admin.records.models import find_row
from patients import gate, grants
from patients.admin import deciding, pages
from patients.models import AccessRequest
from patients.models.access_requests import AccessRequestQuerySet
from staffing.admin.acts import Confirming, NeedsConfirmation
from staffing.models import User

ROWS = 50
OPEN, CLOSED = "open", "closed"
STATES = {OPEN: gettext_lazy("Open"), CLOSED: gettext_lazy("Closed")}


@admin.register(AccessRequest)
class AccessRequestAdmin(Confirming, KeyedAdmin):
    """What people ask for is decided here; nothing is added, edited or deleted.

    The stock list would count its rows, and its form would offer what must not change.
    """

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        return access_requests(request)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        try:
            return deciding.decide(request, object_id)
        except NeedsConfirmation as asked:
            return self._ask(request, asked)


@require_safe
def access_requests(request: HttpRequest) -> HttpResponse:
    """Who asks for whom: name, date of birth and mark of each patient (security A8).

    ?state= is "open", the longest waiting first, or "closed", the latest first; ?after=
    is the key of the last request shown. Nothing is counted.
    """
    gate.require(request, deciding.VIEW)
    state = CLOSED if request.GET.get("state") == CLOSED else OPEN
    after = find_row(AccessRequest.objects.all(), request.GET.get("after", ""))
    found = list(_behind(state, after).with_people()[: ROWS + 1])
    rows = found[:ROWS]
    groups = _groups_of({row.staff.user_id for row in rows})
    seen = pages.seen([row.patient for row in rows])
    trail.shown(request, "admin.access_requests", seen, state=state)
    return pages.show(
        request,
        "access_requests",
        _("Access requests"),
        of=AccessRequest,
        rows=[(row, groups.get(row.staff.user_id, [])) for row in rows],
        last=rows[-1].key if len(found) > ROWS else "",
        state=state,
        states=STATES.items(),
    )


def _behind(state: str, after: AccessRequest | None) -> AccessRequestQuerySet:
    """The requests in this state, from behind one of them."""
    if state == OPEN:
        rows = AccessRequest.objects.waiting().order_by("pk")
        return rows.filter(pk__gt=after.pk) if after else rows
    rows = AccessRequest.objects.closed().order_by("-decided_at", "-pk")
    if after is None or after.is_open:
        return rows
    end = after.decided_at
    return rows.filter(Q(decided_at__lt=end) | Q(decided_at=end, pk__lt=after.pk))


def _groups_of(accounts: Collection[int]) -> dict[int, list[str]]:
    """The names of the permission patient groups that each account holds: two queries."""
    held = User.groups.through.objects.filter(user__in=accounts)
    pairs = list(held.values_list("user_id", "group_id"))
    opening = grants.opened_by({auth_group for _user, auth_group in pairs})
    names = dict(opening.values_list("auth_group_id", "name"))
    found: dict[int, list[str]] = {}
    for user, auth_group in pairs:
        if auth_group in names:
            found.setdefault(user, []).append(names[auth_group])
    return {user: sorted(groups) for user, groups in found.items()}
