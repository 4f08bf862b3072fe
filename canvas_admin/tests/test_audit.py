"""Every answer that shows a patient leaves its rows, and none leaves without them."""

import pytest
from django.db import connection
from django.urls import reverse

from canvas_admin.audit.models import AuditRow

PAGES = {
    "chart": (
        "patient.chart",
        lambda cast: reverse("patients:chart", args=[cast.ada.key]),
    ),
    "profile": (
        "patient.profile",
        lambda cast: reverse("patients:profile", args=[cast.ada.key]),
    ),
    "list": ("patient.list", lambda cast: reverse("patients:list")),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_leaves_one_row_and_one_per_patient_shown(cast, signed_in, page):
    action, address = PAGES[page]
    response = signed_in("nora").get(address(cast))
    assert response.status_code == 200
    rows = AuditRow.objects.filter(action=action).order_by("pk")
    assert [row.patient for row in rows] == ["", cast.ada.key]
    assert {row.event for row in rows} == {rows[0].event}
    assert rows[1].access_path == "patient-group"
    assert {row.actor for row in rows} == {cast.nora.user.key}
    assert {row.outcome for row in rows} == {"shown"}
    assert rows[0].correlation == response["X-Correlation-Id"]


def test_a_search_leaves_the_patients_that_it_suggests(cast, signed_in):
    signed_in("max").post(reverse("patients:search"), {"q": "al"})
    rows = AuditRow.objects.filter(action="patient.search").order_by("pk")
    assert [row.patient for row in rows] == ["", cast.ada.key]
    assert rows[1].access_path == "all-patients"


def test_a_refusal_is_written_with_the_key_that_was_asked_for(cast, signed_in):
    signed_in("nora").get(reverse("patients:chart", args=[cast.ben.key]))
    rows = AuditRow.objects.filter(outcome="refused")
    assert [row.patient for row in rows.order_by("pk")] == ["", cast.ben.key]
    assert rows[0].actor == cast.nora.user.key


@pytest.mark.parametrize("page", [*PAGES, "refused"])
def test_nothing_is_shown_when_the_trail_cannot_be_written(cast, signed_in, page):
    client = signed_in("nora")
    target = (
        PAGES[page][1](cast)
        if page in PAGES
        else reverse("patients:chart", args=[cast.ben.key])
    )
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditrow RENAME TO audit_elsewhere")
    response = client.get(target)
    assert response.status_code == 503
    assert "Alvarez" not in response.content.decode()
    assert "Brandt" not in response.content.decode()


def test_grants_and_revocations_are_in_the_trail(cast):
    group = cast.north.auth_group
    cast.sam.grant(group, by=cast.ruth.user)
    cast.sam.revoke(group, by=cast.ruth.user)
    rows = AuditRow.objects.filter(
        subject=f"staff/{cast.sam.key}", actor=cast.ruth.user.key
    ).order_by("pk")
    assert [row.action for row in rows] == ["staff.grant", "staff.revoke"]
    assert rows[0].detail["group"] == "Patients: North"
