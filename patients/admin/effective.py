"""What a choice of auth groups would open: which screens, and how many patients."""

import re
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from canvas_admin.audit import trail
from patients import access, areas
from patients.gate import require
from patients.models import Patient
from staffing.combinations import warnings
from staffing.groups import ADMINISTER, ALL_PATIENTS, describe
from staffing.models import StaffPermissions
from staffing.permissions import grantable
from staffing.standing import Standing

MOST = 10_000
_KEY = re.compile(r"[0-9a-f]{32}")


@require_POST
def effective(request: HttpRequest) -> HttpResponse:
    """A fragment for Staff Permissions: the groups chosen at this moment, saved or not.

    It shows numbers and no patient (A9 of the design), loads after the page, and is
    audited with the groups asked about.
    """
    require(request, "staffing.view_staffpermissions")
    staff = _staff(request.POST.get("staff", ""))
    chosen = _chosen(request.POST.getlist("groups"))
    standing = _standing(staff, chosen)
    count = reached(standing)
    held = _permissions(chosen)
    trail.shown(
        request,
        "permissions.effective",
        staff=staff.key if staff else "",
        groups=[group.name for group in chosen],
    )
    context = {
        "warnings": warnings(chosen),
        "screens": areas.areas_open_to(held),
        "administration": ADMINISTER in held,
        "everyone": standing.everyone,
        "count": min(count, MOST),
        "more": count > MOST,
    }
    return render(request, "admin/patients/_effective.html", context)


def reached(standing: Standing) -> int:
    """How many patients a standing reaches; counting stops just above MOST."""
    within = Patient.objects.filter(access.condition(standing, "pk"))
    return within.order_by()[: MOST + 1].count()


def _staff(key: str) -> StaffPermissions | None:
    if not _KEY.fullmatch(key):
        return None
    return StaffPermissions.objects.filter(key=key).first()


def _chosen(names: list[str]) -> list[Group]:
    """The groups of these names; what is no group's name counts for nothing."""
    sound = [name for name in names if "\x00" not in name]
    return list(grantable().filter(name__in=sound))


def _standing(staff: Any, chosen: list[Group]) -> Standing:
    """How the person would stand, active and with these groups."""
    codes = {declared.code for g in chosen if (declared := describe(g))}
    return Standing(
        user=staff.user_id if staff else None,
        everyone=ALL_PATIENTS in codes,
        auth_groups=frozenset(group.pk for group in chosen),
    )


def _permissions(chosen: list[Group]) -> set[str]:
    rows = Permission.objects.filter(group__in=chosen)
    named = rows.values_list("content_type__app_label", "codename")
    return {f"{app_label}.{codename}" for app_label, codename in named}
