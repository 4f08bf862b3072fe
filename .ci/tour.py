"""The pictures of docs/tour.md, taken anew in a demo clinic that is running.

    CANVAS_ADMIN_DEMO=1 .venv/bin/python manage.py demo &
    .venv/bin/python .ci/tour.py [http://127.0.0.1:8000 [picture ...]]

Needs Debian's Chromium. The addresses of patients differ in each demo, so every picture is
reached as a person would reach it.
"""

import json
import os
import sys
from pathlib import Path
from urllib.parse import urlencode, urljoin

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).resolve().parent.parent
PICTURES = HERE / "docs" / "screenshots"
SIZE = {"width": 1100, "height": 620}
ADA, BEN, DARIA = "Ada Alvarez", "Ben Brandt", "Daria Jast"


def go(page: Page, *steps: str) -> None:
    """Follow addresses and links: "/patients/", the name of a link, or "first row"."""
    for step in steps:
        if step.startswith("/"):
            page.goto(step)
        elif step == "first row":
            page.locator("main tbody a").first.click()
        else:
            page.get_by_role("link", name=step).first.click()
        page.wait_for_load_state()


def search(page: Page, text: str) -> None:
    """What the search bar finds, and everybody of that name."""
    page.goto("/patients/")
    page.get_by_role("combobox").press_sequentially(text, delay=20)
    page.locator("#search-options").wait_for()


def see_all(page: Page) -> None:
    search(page, "bra")
    page.get_by_role("option", name="See all patients").click()
    page.wait_for_load_state()


def front(page: Page) -> None:
    """The administration, once its numbers are there."""
    page.goto("/admin/")
    page.locator(".front-numbers").wait_for()


def bulk(page: Page) -> None:
    """Some tasks are ticked and to be handed over; not all of the team would see them."""
    page.goto("/tasks/")
    for box in page.locator("input[name=task]").all()[:2]:
        box.check()
    page.locator("#bulk").get_by_role("button", name="Hand over").click()
    page.get_by_role("heading", name="Hand over tasks").wait_for()
    page.get_by_label("Team").select_option(index=2)
    page.get_by_role("button", name="Hand over").click()
    page.get_by_role("button", name="Assign all the same").wait_for()


def trial(page: Page) -> None:
    go(page, "/admin/tasks/routingrule/")
    page.get_by_role("link", name="Try out “Incomplete").click()
    page.wait_for_load_state()


def dry_run(page: Page) -> None:
    """A version, tried over everybody; once all are computed."""
    go(
        page,
        "/admin/protocols/protocol/",
        "YearlyVitalSigns",
        "Versions",
        "Try version",
    )
    page.get_by_role("button", name="Try it").click()
    while page.get_by_role("link", name="Look again").count():
        page.wait_for_timeout(500)
        page.reload()


def consent(page: Page) -> None:
    """Where a program sends people that are to let it act for them."""
    asked = {
        "response_type": "code",
        "client_id": client_id(page, "Rounds on a tablet"),
        "scope": "user/Patient.rs user/DiagnosticReport.rs user/Task.crus",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
    page.goto(f"/auth/authorize/?{urlencode(asked)}")


def client_id(page: Page, name: str) -> str:
    """The ID of a program, as the administration shows it to ruth."""
    ruth = signed_in(page.context.browser, urljoin(page.url, "/"), "ruth", dark=False)
    go(ruth, "/admin/staffing/application/", name)
    found = ruth.locator(".field-client_id .readonly").inner_text()
    ruth.context.close()
    return found


# (picture, who, steps or what to do)
TOUR = (
    ("search", "nora", lambda page: search(page, "al")),
    ("see-all", "nora", see_all),
    ("chart", "nora", ("/patients/", ADA)),
    ("card", "nora", ("/patients/", DARIA)),
    ("panel", "nora", ("/panels/labs/",)),
    ("tasks", "nora", ("/tasks/",)),
    ("bulk", "nora", bulk),
    ("campaign", "nora", ("/campaigns/", "first row")),
    ("consent", "nora", consent),
    ("note", "sam", ("/patients/", BEN, "All notes", "first row")),
    ("imaging", "sam", ("/panels/imaging/?whose=all",)),
    ("schedule", "olga", ("/schedule/?view=week",)),
    ("profile", "olga", ("/patients/", ADA, "Profile")),
    ("documents", "olga", ("/patients/", ADA, "Profile", "Documents")),
    ("revenue", "max", ("/revenue/",)),
    ("claim", "max", ("/patients/", ADA, "Claims")),
    ("inbox", "max", ("/data-integration/",)),
    ("administration", "ruth", front),
    ("trial", "ruth", trial),
    ("protocol", "ruth", ("/admin/protocols/protocol/", "YearlyVitalSigns")),
    ("dry-run", "ruth", dry_run),
)
DARK = {"administration", "panel", "claim"}


def main() -> None:
    base = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    only = set(sys.argv[2:])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox"],
        )
        for name, who, steps in TOUR:
            if only and name not in only:
                continue
            page = signed_in(browser, base, who, dark=name in DARK)
            steps(page) if callable(steps) else go(page, *steps)
            page.screenshot(path=PICTURES / f"{name}.png")
            page.context.close()
            print(f"{name}: {page.url}")


def signed_in(browser: Browser, base: str, who: str, *, dark: bool) -> Page:
    """A window of somebody of the cast."""
    password = json.loads((HERE / "demo.passwords.json").read_text())[who]
    scheme = "dark" if dark else "light"
    page = browser.new_context(
        viewport=SIZE, color_scheme=scheme, base_url=base
    ).new_page()
    page.goto("/account/login/")
    page.get_by_label("User name").fill(who)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state()
    return page


if __name__ == "__main__":
    main()
