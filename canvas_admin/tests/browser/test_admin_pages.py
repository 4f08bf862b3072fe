"""The administration in Chromium: axe on every page, the chooser by keyboard."""

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.db import connection
from django.http import HttpRequest
from django.urls import reverse
from playwright.sync_api import Page, expect

from canvas_admin.testing import give
from canvas_admin.tests import proof
from canvas_admin.tests.addresses import address, every_name
from canvas_admin.tests.browser.conftest import axe, inspect

pytestmark = [pytest.mark.browser, pytest.mark.furnished]


@pytest.fixture
def clinic(site: SimpleNamespace) -> SimpleNamespace:
    """The site with a row of everything, and ruth holding every administration group."""
    give(site.ruth, "Settings", "Integrations", "Audit read")
    return site


PARTS = 3
PROTOCOLS = "admin:protocols_protocol_"


def addresses(user: Any, part: int) -> Iterator[str]:
    """A part of all pages: of each registered model, about its first row if about one."""
    request = HttpRequest()
    request.user = user
    for model, model_admin in list(admin.site._registry.items())[part::PARTS]:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        yield reverse(f"{name}_add")
        row = model_admin.get_queryset(request).first()
        assert row is not None, f"furnish() makes no {model.__name__}"
        for page in ("change", "history", "delete"):
            yield model_admin.url_of(row, page)


@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_of_the_administration_passes_axe(
    request: Any, clinic: SimpleNamespace, open_page: Any, part: int
) -> None:
    """`make test` looks at some pages, drawn by the seed; the proof at all."""
    page, started = open_page("ruth", "/admin/"), time.monotonic()
    broken, seen_refused = complaints(page), False
    fronts = [] if part else ["/admin/", "/admin/staffing/"]
    every = [*fronts, *addresses(clinic.ruth.user, part)]
    some = proof.some(every, len(every) // 4)
    for path in some:
        answer = page.goto(path)
        refused = answer.status == 403
        assert refused or answer.status == 200, path
        if not (refused and seen_refused):
            inspect(page)
        seen_refused |= refused
        add_rows(page)
    proof.record(
        "administration_pages",
        connection.vendor,
        proof.SEED,
        len(some),
        len(broken),
        time.monotonic() - started,
        part=request.node.callspec.id,
    )
    assert broken == []


def add_rows(page: Page) -> None:
    """Open an empty row in every table of parts, and look again."""
    links = page.locator(".add-row a")
    for number in range(links.count()):
        links.nth(number).click()
    if links.count():
        inspect(page)


def test_the_audit_report_and_a_trial_pass_axe(
    clinic: SimpleNamespace, open_page: Any
) -> None:
    page = open_page("ruth", reverse("audit-report"))
    inspect(page)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("region", name="Audit report")).to_be_visible()
    inspect(page)
    # Once with numbers alone, and once with rows.
    trial = reverse("admin:tasks_routingrule_trial", args=[clinic.rule.key])
    for groups in ((), ("Tasking access", "All Patients")):
        give(clinic.ruth, *groups)
        page.goto(trial)
        expect(page.get_by_text("It would have matched", exact=True)).to_be_visible()
        inspect(page)


def test_pages_of_protocols_pass_axe(clinic: SimpleNamespace, open_page: Any) -> None:
    give(clinic.ruth, "All Patients", "Clinical read")
    names = [name for name in every_name() if name.startswith(PROTOCOLS)]
    page, seen = open_page("ruth", "/admin/"), set()
    for name in names:
        answer = page.request.get(path := address(name, clinic))
        if answer.status == 200 and "html" in answer.headers["content-type"]:
            page.goto(path)
            inspect(page)
            seen.add(name.removeprefix(PROTOCOLS))
    assert seen >= {
        "upload",
        "versions",
        "use",
        "try",
        "runs",
        "run",
        "events",
        "dry_run",
    }
    page.goto(address(f"{PROTOCOLS}upload", clinic))
    wrong = {"name": "one.py", "mimeType": "text/x-python", "buffer": b"import os\n("}
    page.locator("input[type=file]").set_input_files(wrong)
    page.get_by_role("button", name="Check and upload").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing is uploaded yet")
    inspect(page)


def test_refused_forms_pass_axe(clinic: SimpleNamespace, open_page: Any) -> None:
    page = open_page("ruth", "/admin/")
    for model in ("staffing_staff", "staffing_role", "patients_patientgroup"):
        page.goto(reverse(f"admin:{model}_add"))
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator(".errornote")).to_be_visible()
        inspect(page)


def test_pages_that_ask_and_pages_with_a_link_pass_axe(
    clinic: SimpleNamespace, open_page: Any
) -> None:
    nora = clinic.nora
    Authenticator.objects.create(user=nora.user, type=Authenticator.Type.TOTP, data={})
    page = open_page("ruth", "/admin/")
    for name, row in (
        ("staff_deactivate", nora),
        ("staff_activate", clinic.ines),
        ("user_second_step_off", nora.user),
        ("user_link", nora.user),
    ):
        page.goto(reverse(f"admin:staffing_{name}", args=[row.key]))
        expect(page.get_by_role("heading", level=1)).to_contain_text("?")
        inspect(page)
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_label("Link")).to_contain_text("/account/password/link/")
    inspect(page)

    page.goto(reverse("admin:staffing_staff_add"))
    page.get_by_label("First name").fill("Tia")
    page.get_by_label("Last name").fill("Tester")
    page.get_by_role("checkbox", name="Nurse").check()
    page.get_by_label("New user name").fill("tia")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_label("Link")).to_contain_text("/account/password/link/")
    inspect(page)

    page.get_by_role("link", name="Staff Permissions of Tia Tester").click()
    page.get_by_label("Available groups").select_option(label="All Patients")
    page.get_by_role("button", name="Choose").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Please confirm")
    inspect(page)


def test_the_chooser_moves_a_group_by_keyboard(
    clinic: SimpleNamespace, open_page: Any
) -> None:
    page = open_page("ruth", permissions_of(clinic.nora))
    available = page.get_by_label("Available groups")
    chosen = page.get_by_label("Chosen groups")
    expect(available.get_by_role("option", name="Schedule write")).to_be_attached()

    page.get_by_label("Filter").first.fill("sched")
    expect(available.get_by_role("option")).to_have_text(["Schedule write"])
    available.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(chosen.get_by_role("option", name="Schedule write")).to_be_attached()
    expect(available.get_by_role("option")).to_have_count(0)
    axe(page)

    page.get_by_role("button", name="Save", exact=True).click()
    assert "Schedule write" in names(clinic.nora)


def test_the_chooser_takes_a_group_away_by_button(
    clinic: SimpleNamespace, open_page: Any
) -> None:
    page = open_page("ruth", permissions_of(clinic.nora))
    page.get_by_label("Chosen groups").select_option(label="Patients: North")
    page.get_by_role("button", name="Remove").click()
    page.get_by_label("Filter").last.fill("a filter hides, and takes nothing away")
    page.get_by_role("button", name="Save", exact=True).click()
    assert names(clinic.nora) == [
        "Clinical read",
        "Clinical write",
        "Profile read",
        "Tasking access",
    ]


def test_the_way_back_to_the_app_is_in_the_header(
    clinic: SimpleNamespace, open_page: Any
) -> None:
    give(clinic.ruth, "Profile read", "All Patients")
    page = open_page("ruth", "/admin/staffing/staff/")
    page.get_by_role("navigation", name="Main").get_by_role(
        "link", name="Patients", exact=True
    ).click()
    page.wait_for_url("**/patients/")


def test_the_administration_keeps_nothing_in_the_browser(
    clinic: SimpleNamespace, open_page: Any
) -> None:
    page = open_page("ruth", "/admin/")
    page.goto(permissions_of(clinic.nora))
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def permissions_of(staff: Any) -> str:
    return reverse("admin:staffing_staffpermissions_change", args=[staff.key])


def names(staff: Any) -> list[str]:
    groups = staff.user.groups.order_by("name")
    return list(groups.values_list("name", flat=True))


def complaints(page: Page) -> list[str]:
    """What the browser complains about, but refusals of pages that ruth may not open."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(f"{page.url} {error}"))
    page.on(
        "console",
        lambda m: "403" in m.text or found.append(f"{page.url} {m.text}"),
    )
    return found
