"""Eligibility checks: the built-in payer, others that fail, and what is kept of it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import make_staff
from patients.eligibility.payers import Answer, NoAnswer
from patients.models import Coverage, EligibilityCheck
from patients.tests.profile_pages import address, writer

pytestmark = pytest.mark.furnished

ASKED = []


class Recording:
    """Answers what the test says, or raises it; notes what it was asked, and how."""

    says = Answer("active")

    def check(self, inquiry, timeout):
        ASKED.append((inquiry, timeout, len(connection.savepoint_ids)))
        if isinstance(self.says, BaseException):
            raise self.says
        return self.says


@pytest.fixture
def olga(cast, signed_in):
    return writer(cast, signed_in)


@pytest.fixture
def payer(monkeypatch):
    monkeypatch.setattr("patients.eligibility.checking.configured", Recording)
    ASKED.clear()
    yield Recording
    Recording.says = Answer("active")


def check(client, cast, **values):
    coverage = cast.belongings["coverages"]
    token = client.get(address(cast.ada)).context["form_token"]
    url = address(cast.ada, "coverages", coverage.key, "eligibility")
    return client.post(url, {"form_token": token} | values)


def with_member_id(cast, member_id, **fields):
    rows = Coverage.objects.filter(pk=cast.belongings["coverages"].pk)
    rows.update(member_id=member_id, **fields)


def test_the_answer_is_kept_and_shown(cast, olga, signed_in):
    response = check(olga, cast)
    assert response.url == address(cast.ada) + "#coverages"
    row = EligibilityCheck.objects.get()
    assert (row.outcome, row.patient, row.checked_by) == (
        "active",
        cast.ada,
        cast.olga.user,
    )
    assert row.coverage == cast.belongings["coverages"]
    assert row.plan
    assert row.copay is not None
    html = signed_in("nora").get(address(cast.ada)).content.decode()
    for text in (
        "Covered",
        row.plan,
        f"copay {row.copay}",
        "Simulated: no payer was asked.",
        "by Olga Example.",
    ):
        assert text in html


@pytest.mark.parametrize(
    ("member_id", "fields", "outcome"),
    [
        ("A1", {}, "active"),
        ("A1", {"start": clock.today(), "end": clock.today()}, "active"),
        ("A1", {"start": clock.today() + timedelta(days=1)}, "inactive"),
        ("A1", {"end": clock.today() - timedelta(days=1)}, "inactive"),
        ("A000", {}, "unknown"),
        ("A999", {}, "failed"),
    ],
)
def test_the_simulated_payer_answers_from_id_and_dates(
    cast, olga, member_id, fields, outcome
):
    with_member_id(cast, member_id, **fields)
    for _again in range(2):
        check(olga, cast)
    first, second = EligibilityCheck.objects.all()
    assert first.outcome == second.outcome == outcome
    assert (first.plan, first.copay) == (second.plan, second.copay)
    assert first.message.startswith("Simulated")


def test_the_newest_answer_is_shown(cast, olga):
    with_member_id(cast, "A999")
    check(olga, cast)
    assert "No answer" in olga.get(address(cast.ada)).content.decode()
    with_member_id(cast, "A1")
    check(olga, cast)
    html = olga.get(address(cast.ada)).content.decode()
    assert "Covered" in html
    assert "No answer" not in html


def test_a_payer_is_asked_outside_any_transaction_and_told_what_it_needs(
    cast, olga, payer, settings
):
    settings.ELIGIBILITY_TIMEOUT = 7.5
    depth = len(connection.savepoint_ids)
    check(olga, cast)
    ((inquiry, timeout, depth_of_question),) = ASKED
    assert timeout == 7.5
    assert depth_of_question == depth
    assert (inquiry.member_id, inquiry.last_name) == ("A1", "Alvarez")
    assert inquiry.on == clock.today()
    assert cast.ada.mrn not in repr(inquiry)
    assert cast.ada.key not in repr(inquiry)


@pytest.mark.parametrize(
    "says",
    [
        NoAnswer("The payer is closed."),
        NoAnswer("x" * 10_000),
        TimeoutError("A1 timed out"),
        ConnectionError("A1"),
        OSError("A1"),
        ValueError("A1 is no JSON"),
        KeyError("A1"),
        ImportError("A1"),
        None,
        "active",
        Answer("perhaps"),
        Answer("active", copay="a lot"),
        Answer("active", copay=Decimal("NaN")),
        Answer("active", copay=Decimal("1e30")),
        Answer("active", copay=Decimal("-1")),
    ],
)
def test_what_goes_wrong_is_said_and_kept_as_failed(cast, olga, payer, caplog, says):
    payer.says = says
    html = olga.get(check(olga, cast).url).content.decode()
    assert "The eligibility check failed." in html
    row = EligibilityCheck.objects.get()
    assert (row.outcome, row.plan, row.copay) == ("failed", "", None)
    assert row.message
    assert "A1" not in row.message
    assert "A1" not in caplog.text


@pytest.mark.parametrize("text", ["x" * 10_000, "a\x00b", "a\ud800b", "<b>bold</b>"])
def test_whatever_a_payer_writes_is_kept_and_escaped(cast, olga, payer, text):
    payer.says = Answer("active", plan=text, message=text, copay=5)
    assert check(olga, cast).status_code == 302
    row = EligibilityCheck.objects.get()
    assert (row.outcome, row.copay) == ("active", 5)
    assert "<b>bold" not in olga.get(address(cast.ada)).content.decode()


def test_a_crash_leaves_the_question_as_failed(cast, olga, payer):
    payer.says = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        check(olga, cast)
    row = EligibilityCheck.objects.get()
    assert (row.outcome, row.message) == (
        "failed",
        "The payer's answer did not come back.",
    )


def test_two_clicks_ask_once(cast, olga, payer):
    token = olga.get(address(cast.ada)).context["form_token"]
    first = check(olga, cast, form_token=token)
    again = check(olga, cast, form_token=token)
    assert first.url == again.url
    assert len(ASKED) == EligibilityCheck.objects.count() == 1
    assert "nobody was asked again" in olga.get(again.url).content.decode()


def test_one_page_asks_for_each_of_its_coverages(cast, olga, payer):
    token = olga.get(address(cast.ada)).context["form_token"]
    check(olga, cast, form_token=token)
    cast.belongings["coverages"] = Coverage.objects.create(
        patient=cast.ada, payer_name="B", member_id="2", rank=2
    )
    check(olga, cast, form_token=token)
    assert len(ASKED) == 2


@pytest.mark.parametrize("token", ["", "x", "0" * 31, "\x00" * 32, "é" * 32, "0" * 999])
def test_a_damaged_button_asks_nobody(cast, olga, payer, token):
    html = olga.get(check(olga, cast, form_token=token).url).content.decode()
    assert "This form is damaged" in html
    assert not ASKED
    assert not EligibilityCheck.objects.exists()


def test_question_and_answer_are_on_the_trail_without_what_they_say(cast, olga):
    AuditRow.objects.all().delete()
    check(olga, cast)
    rows = AuditRow.objects.filter(action__startswith="eligibility.", outcome="done")
    coverage = cast.belongings["coverages"]
    assert [(row.action, row.patient) for row in rows.order_by("pk")] == [
        ("eligibility.asked", ""),
        ("eligibility.asked", cast.ada.key),
        ("eligibility.answered", ""),
        ("eligibility.answered", cast.ada.key),
    ]
    assert {row.subject for row in rows} == {f"coverage/{coverage.key}"}
    assert {repr(row.detail) for row in rows} == {"{}"}


def test_of_a_coverage_entered_in_error_nobody_is_asked(cast, olga, payer):
    Coverage.objects.update(entered_in_error=True)
    assert check(olga, cast).status_code == 403
    assert not ASKED


def test_reading_the_profile_runs_no_check(cast, olga, client, payer):
    staff = make_staff("pat", "Profile read", "Patients: North")
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    coverage = cast.belongings["coverages"]
    url = address(cast.ada, "coverages", coverage.key, "eligibility")
    assert client.post(url, {"form_token": "0" * 32}).status_code == 403
    assert not ASKED


@pytest.mark.parametrize(
    "path", ["no.such.module", "patients.models.nothing", "json", "1", "", "datetime.x"]
)
def test_a_setting_that_names_no_payer_stops_every_command(settings, path):
    settings.ELIGIBILITY_PAYER = path
    with pytest.raises(SystemCheckError, match=r"patients\.E001"):
        call_command("check")


def test_the_built_in_payer_passes_the_check(db):
    call_command("check")
