"""No integer id is in any page, address or form value of this administration."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.urls import reverse

from canvas_admin.testing import make_cast
from staffing.models import (
    Location,
    Staff,
    StaffContactPoint,
    StaffLicense,
    Team,
    TeamContactPoint,
    TeamMember,
    TeamResponsibility,
    User,
)

# Ids that nothing else on a page looks like.
BEGIN = 770_000_000
ID = re.compile(r"77000\d{4}")
OURS = {"staffing", "auth"}


def start_ids_high() -> None:
    """Let every table go on from BEGIN."""
    tables = [
        model._meta.db_table
        for model in apps.get_models()
        if model._meta.managed and model._meta.auto_field
    ]
    with connection.cursor() as cursor:
        for table in tables:
            if connection.vendor == "sqlite":
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute(
                    "INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)",
                    [table, BEGIN],
                )
            else:
                cursor.execute(
                    "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)",
                    [table, BEGIN],
                )


@pytest.fixture
def world(db: None) -> SimpleNamespace:
    """The cast and one of everything, with ids that stand out."""
    start_ids_high()
    cast = make_cast()
    cast.home = Location.objects.create(name="Main street")
    user = User.objects.create_superuser("boss", "", "x" * 20)
    cast.boss = Staff.objects.create(
        user=user, first_name="Bo", last_name="Ss", primary_location=cast.home
    )
    Staff.objects.create(first_name="Dora", last_name="Duval")
    StaffContactPoint.objects.create(staff=cast.nora, system="phone", value="1")
    StaffContactPoint.objects.create(staff=cast.boss, system="phone", value="1")
    StaffLicense.objects.create(staff=cast.nora, kind="DEA", number="1")
    cast.nora.primary_location = cast.home
    cast.nora.save()
    team = Team.objects.create(name="Front")
    TeamMember.objects.create(team=team, staff=cast.nora)
    TeamResponsibility.objects.create(team=team, code="REVIEW_COVERAGES")
    TeamContactPoint.objects.create(team=team, system="phone", value="1")
    return cast


def addresses(request: Any) -> list[str]:
    """Every page of every admin of ours that this person may open."""
    found = ["/admin/", "/admin/staffing/"]
    for model, pages in admin.site._registry.items():
        if model._meta.app_label not in OURS or not pages.has_view_permission(request):
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"{name}_changelist"))
        if pages.has_add_permission(request):
            found.append(reverse(f"{name}_add"))
        for row in pages.get_queryset(request):
            found += [pages.url_of(row), pages.url_of(row, "history")]
            if pages.has_delete_permission(request, row):
                found.append(pages.url_of(row, "delete"))
    return found


def leaks(answer: Any, url: str) -> list[str]:
    """Ids in an answer's body, or in where it leads."""
    text = answer.content.decode() + answer.get("Location", "")
    return [f"{url}: …{text[m.start() - 60 : m.end()]}" for m in ID.finditer(text)]


@pytest.mark.parametrize("name", ["ruth", "boss"])
def test_no_page_carries_an_integer_id(
    world: SimpleNamespace, client: Any, rf: Any, name: str
) -> None:
    user = getattr(world, name).user
    assert user.pk > BEGIN
    client.force_login(user, backend="staffing.backends.StaffBackend")
    request = rf.get("/")
    request.user = user
    urls = addresses(request)
    assert len(urls) > 80
    found = []
    for url in urls:
        answer = client.get(url)
        assert answer.status_code == 200, url
        found += leaks(answer, url)
        if "/add/" in url or "/change/" in url:
            found += leaks(client.post(url, {"_popup": "1", "_to_field": "id"}), url)
    assert found == []


def test_filters_and_acts_carry_none(world: SimpleNamespace, client: Any) -> None:
    client.force_login(world.ruth.user, backend="staffing.backends.StaffBackend")
    lists = [
        "/admin/staffing/staff/?role=RN",
        "/admin/staffing/staff/?_popup=1&_to_field=id",
        "/admin/staffing/staffpermissions/?group=Patients: North",
        "/admin/staffing/groupchange/?person=nora&added__exact=1&o=2",
        "/admin/auth/group/?kind=patients",
        f"/admin/staffing/staff/{world.nora.key}/deactivate/",
        f"/admin/staffing/user/{world.nora.user.key}/link/",
    ]
    for url in lists:
        assert leaks(client.get(url), url) == []
    link = f"/admin/staffing/user/{world.nora.user.key}/link/"
    assert leaks(client.post(link), link) == []


def test_an_integer_id_opens_nothing(world: SimpleNamespace, client: Any) -> None:
    client.force_login(world.boss.user, backend="staffing.backends.StaffBackend")
    north = Group.objects.get(name="Patients: North")
    for url in (
        f"/admin/staffing/staff/{world.nora.pk}/change/",
        f"/admin/staffing/staffpermissions/{world.nora.pk}/change/",
        f"/admin/staffing/user/{world.nora.user.pk}/change/",
        f"/admin/auth/group/{north.pk}/change/",
    ):
        answer = client.get(url)
        assert answer.status_code != 200, url
