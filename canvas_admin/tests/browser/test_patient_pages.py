"""The chart, results, schedule and appointments in Chromium: axe, both widths and schemes."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from canvas_admin.testing import give
from canvas_admin.tests.browser.conftest import Look, inspect
from patients.models import AdministrativeDocument, IncomingFile, Plan, VitalSigns
from patients.tests.appointments import appoint, furnish_schedule
from patients.tests.charts import fill_the_chart
from patients.tests.claims import REVENUE, a_claim, a_line, a_posting
from patients.tests.inbox import INBOX
from patients.tests.notes import note_of, write
from patients.tests.work import make_lab, make_refill
from patients.views.results import KINDS
from tasks import campaigns
from tasks.models import Campaign, Task
from tasks.tests.asking import address, make

pytestmark = pytest.mark.browser


@pytest.fixture
def clinic(site):
    """The cast, a full chart for ada, and visits of ada and ben tomorrow."""
    furnish_schedule(site)
    give(site.nora, "Schedule write", "Patient create")
    give(site.nora, "Document read", "Document write", "Printing access", REVENUE)
    site.card = AdministrativeDocument.objects.create(
        patient=site.ada, title="Insurance card", kind="insurance", size=1, file="x"
    )
    give(site.nora, "Data integration access")
    incoming = {"source": "fax", "size": 1, "file": "x", "media_type": "image/png"}
    site.waiting = IncomingFile.objects.create(**incoming, comment="Two pages")
    site.linked = IncomingFile.objects.create(
        **incoming, state="linked", patient=site.ada, linked_as="lab"
    )
    IncomingFile.objects.create(**incoming, state="rejected", rejected_reason="Empty")
    for number in range(7):
        fill_the_chart(site.ada, f"{number}")
    site.claim = a_claim(site.ada, "125.00")
    a_line(site.claim, "20.00", removed=timezone.now(), removed_reason="twice")
    a_posting(site.claim, "5.00", reversed=timezone.now(), reversed_reason="bounced")
    site.paid = a_posting(site.claim, "15.00")
    start = timezone.now() + timedelta(days=1)
    site.visit = appoint(site, site.ada, start=start, reason="Headache")
    appoint(site, site.ben, start=start + timedelta(hours=1))
    site.task = make(patient=site.ada, priority="stat", due=start, assignee=site.nora)
    site.task.labels.create(name="Follow-up", color="pink")
    site.task.comments.create(author=site.nora, text="Left a message")
    site.campaign = Campaign.objects.create(
        patient_group=site.north, title="Flu shots", state="running"
    )
    make(patient=site.ada, campaign=site.campaign)
    site.tomorrow = f"/schedule/?date={start.date()}"
    site.note = note_of(site.ada, site.nora)
    site.plan = write(site.note, Plan)
    write(site.note, VitalSigns).commit(site.nora.user)
    site.condition = site.ada.conditions.first()
    site.lab = make_lab(site.ada, assignee=site.nora)
    site.refill = make_refill(site.ada)
    return site


def test_the_pages_about_a_patient_pass_axe(clinic, open_page):
    chart = f"/patient/{clinic.ada.key}/"
    visit = f"{chart}appointments/{clinic.visit.key}/"
    card = f"{chart}documents/{clinic.card.key}/"
    claim = f"{chart}claims/{clinic.claim.key}/"
    note = f"{chart}notes/{clinic.note.key}/"
    page = open_page("nora", chart)
    for path in (
        chart,
        f"{chart}notes/",
        f"{chart}notes/new/",
        f"{note}ask-review/",
        note,
        f"{note}sign/",
        f"{note}in-error/",
        f"{note}commands/refer/",
        f"{note}commands/plan/{clinic.plan.key}/remove/",
        f"{chart}chart/conditions/",
        f"{chart}chart/conditions/{clinic.condition.key}/",
        *(f"{chart}results/{kind}/" for kind in KINDS),
        f"{chart}appointments/",
        f"{chart}appointments/new/",
        visit,
        f"{visit}change/",
        f"{chart}documents/",
        f"{chart}documents/new/",
        f"{card}change/",
        f"{card}remove/",
        "/revenue/",
        f"{chart}profile/",
        f"{chart}claims/",
        f"{chart}claims/new/",
        claim,
        f"{claim}lines/new/",
        f"{claim}postings/new/",
        f"{claim}snooze/",
        f"{claim}postings/{clinic.paid.key}/end/",
        "/schedule/",
        clinic.tomorrow,
        f"{clinic.tomorrow}&view=week",
        "/schedule/new/",
        INBOX,
        f"{INBOX}?show=linked",
        f"{INBOX}?show=rejected",
        f"{INBOX}upload/",
        *(
            f"{INBOX}{clinic.waiting.key}/{page}/"
            for page in ("change", "reject", "link")
        ),
        f"{INBOX}{clinic.waiting.key}/link/{clinic.ada.key}/",
        f"{INBOX}{clinic.linked.key}/unlink/{clinic.ada.key}/",
        "/tasks/",
        "/tasks/?whose=all",
        "/tasks/new/",
        "/campaigns/",
        "/campaigns/new/",
        f"/campaign/{clinic.campaign.key}/",
        f"/campaign/{clinic.campaign.key}/end/",
        f"{chart}tasks/new/",
        *(address(clinic.task, page) for page in ("", "change/", "hand-over/")),
        "/panels/labs/",
        "/panels/imaging/?whose=all",
        "/panels/refills/?whose=unassigned",
        f"{chart}work/labs/{clinic.lab.key}/review/",
        f"{chart}refills/new/",
        f"{chart}work/labs/{clinic.lab.key}/hand-over/",
        f"{chart}refills/{clinic.refill.key}/",
    ):
        answer = page.goto(path)
        assert answer.status == 200, path
        inspect(page)


def test_refused_and_doubtful_forms_pass_axe(clinic, open_page):
    page = open_page("nora", f"/patient/{clinic.ada.key}/appointments/new/")
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved yet")
    inspect(page)
    page.goto("/schedule/new/")
    page.get_by_label("For which patient?").fill("a")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".errorlist")).to_contain_text("two letters")
    inspect(page)
    page.goto(address(clinic.task, "hand-over/"))
    page.get_by_label("Person").select_option(label="Sam Example")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Sam Example will not see this")
    inspect(page)
    page.get_by_role("button", name="Assign all the same").click()
    expect(page.locator(".facts")).to_contain_text("Sam Example")


def test_ticked_tasks_are_handed_over_by_keyboard_alone(clinic, open_page):
    page = open_page("nora", "/tasks/?whose=all")
    box = page.get_by_label("Choose: Call back").first
    box.focus()
    page.keyboard.press("Space")
    expect(box).to_be_checked()
    inspect(page)
    page.get_by_role("group", name="With the ticked tasks").get_by_role(
        "button", name="Hand over"
    ).press("Enter")
    page.get_by_label("Person").select_option(label="Sam Example")
    page.get_by_role("button", name="Hand over").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Not everybody")
    inspect(page)
    page.get_by_role("button", name="Assign all the same").press("Enter")
    expect(page.get_by_text("1 task is handed to Sam Example.")).to_be_visible()
    inspect(page)


def test_a_campaign_goes_on_by_itself_while_its_page_is_open(
    clinic, open_page, monkeypatch
):
    monkeypatch.setattr(campaigns, "PATIENCE", 0)
    monkeypatch.setattr(campaigns, "LOOKED", 1)
    clinic.north.add(clinic.cyn)
    page = open_page("nora", "/campaigns/new/")
    page.get_by_label("Patient group").select_option(label="North")
    page.get_by_label("What is to be done?").fill("Invite to the flu shot")
    page.route("**/go-on/", lambda route: route.abort())
    page.get_by_role("button", name="Make the tasks").click()
    expect(page.get_by_text("1 made and 1 to make")).to_be_visible()
    inspect(page)
    page.unroute("**/go-on/")
    page.reload()
    expect(page.get_by_text("2 made")).to_be_visible()
    expect(page.get_by_text("Under way")).to_be_visible()
    assert Task.objects.filter(campaign__title__startswith="Invite").count() == 2


def test_a_visit_is_booked_from_the_schedule_and_cancelled(clinic, open_page):
    page = open_page("nora", "/schedule/", Look())
    page.get_by_role("link", name="New appointment").first.click()
    page.get_by_label("For which patient?").fill("alv")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Ada Alvarez").click()
    page.get_by_label("Provider").select_option(label="Nora Example RN")
    page.get_by_label("Location").select_option(label="Main street")
    page.get_by_label("Visit type").select_option(label="Check-up")
    page.get_by_label("Date", exact=True).fill("2031-05-06")
    page.get_by_label("Time", exact=True).fill("09:15")
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.get_by_text("It is booked.")).to_be_visible()
    page.goto("/schedule/?date=2031-05-06")
    page.get_by_role("link", name="Ada Alvarez").click()
    page.get_by_label("New status").select_option(label="Cancelled (for good)")
    page.get_by_role("button", name="Change the status").click()
    expect(page.locator(".facts")).to_contain_text("Cancelled")
    expect(page.get_by_label("New status")).to_have_count(0)
