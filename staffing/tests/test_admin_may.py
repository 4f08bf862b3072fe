"""What the administration lets be done with each model, however much somebody holds.

Over HTTP the auth groups are tried; a group rarely holds what these refuse, so that there
nobody would miss it.
"""

from types import SimpleNamespace

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import RequestFactory

from canvas_admin.testing import make_application
from staffing.forms.fields import GroupChoices
from staffing.group_keeping import changing_auth_groups
from staffing.models import Staff, StaffPermissions, User

EVERYTHING = {"view", "add", "change", "delete"}
TELLS, CHANGES, STAYS = {"view"}, {"view", "change"}, {"view", "add", "change"}
TABLE = {
    "auth.Group": TELLS,
    "patients.AccessRequest": CHANGES,
    "patients.ConsentCoding": EVERYTHING,
    "patients.PatientGroup": EVERYTHING,
    "protocols.ApiKey": {"view", "add"},
    "protocols.Protocol": CHANGES,
    "staffing.Application": STAYS,
    "staffing.CareTeamRole": EVERYTHING,
    "staffing.GroupChange": TELLS,
    "staffing.Location": EVERYTHING,
    "staffing.Role": EVERYTHING,
    "staffing.Staff": STAYS,
    "staffing.StaffPermissions": CHANGES,
    "staffing.Team": EVERYTHING,
    "staffing.User": CHANGES,
    "staffing.VisitType": EVERYTHING,
    "tasks.RoutingRule": EVERYTHING,
    "tasks.TaskLabel": EVERYTHING,
}
PAGES = {model._meta.label: page for model, page in admin.site._registry.items()}


def request_of(*, holds):
    """A request of somebody who holds every permission, or none."""
    request = RequestFactory().get("/")
    request.user = SimpleNamespace(
        has_perm=lambda *about: holds, has_perms=lambda *about: holds
    )
    return request


def may(page, request):
    """What the person may do there."""
    verbs = {"view", "change", "delete"}
    found = {v for v in verbs if getattr(page, f"has_{v}_permission")(request)}
    inline = isinstance(page, admin.options.InlineModelAdmin)
    if page.has_add_permission(request, *([None] if inline else [])):
        found.add("add")
    return found


@pytest.mark.parametrize("label", PAGES)
def test_what_is_done_with_a_model(label):
    page = PAGES[label]
    assert may(page, request_of(holds=True)) == TABLE[label]
    assert may(page, request_of(holds=False)) == set()


@pytest.mark.parametrize("label", PAGES)
def test_the_parts_of_a_page_are_changed_by_whoever_changes_the_page(label):
    for part in PAGES[label].inlines:
        page = part(PAGES[label].model, admin.site)
        assert may(page, request_of(holds=True)) == EVERYTHING
        assert may(page, request_of(holds=False)) == {"view"}


@pytest.fixture
def people(cast):
    """By name: a person, an operator, a program, and one without an account."""
    operator = User.objects.create_superuser("root", password=None)
    directory = Staff.objects.create(first_name="Dee", last_name="Dir")
    return {
        "person": cast.nora,
        "operator": Staff.objects.create(
            first_name="Op", last_name="Erator", user=operator
        ),
        "program": make_application("Lab feed").staff,
        "directory": directory,
    }


@pytest.mark.parametrize(
    ("label", "changed"),
    [
        ("staffing.Staff", {"person", "directory"}),
        ("staffing.User", {"person"}),
        ("staffing.StaffPermissions", {"person", "program"}),
    ],
)
def test_whose_rows_are_changed(people, label, changed):
    page, request = PAGES[label], request_of(holds=True)
    rows = {
        "staffing.Staff": lambda staff: staff,
        "staffing.User": lambda staff: staff.user,
        "staffing.StaffPermissions": lambda s: StaffPermissions.objects.get(pk=s.pk),
    }
    found = {name: rows[label](staff) for name, staff in people.items()}
    may_change = page.has_change_permission
    assert {
        n for n, row in found.items() if row and may_change(request, row)
    } == changed
    for part in page.inlines:
        of_part = part(page.model, admin.site).has_change_permission
        assert {n for n, row in found.items() if of_part(request, row)} == changed


def test_nobody_changes_the_own_permissions(people):
    own = StaffPermissions.objects.get(pk=people["person"].pk)
    request = request_of(holds=True)
    request.user = own.user
    request.user.has_perm = lambda *about: True
    page = PAGES["staffing.StaffPermissions"]
    assert not page.has_change_permission(request, own)


def test_a_group_that_is_neither_managed_nor_a_patient_groups_is_not_given(db):
    with changing_auth_groups():
        Group.objects.create(name="Stray")
    offered = GroupChoices().queryset.values_list("name", flat=True)
    assert "Stray" not in offered
    assert "All Patients" in offered
