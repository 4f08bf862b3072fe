"""Claims that are put aside until a day, and the task when it has come."""

from datetime import timedelta

import pytest
from django.core.management import call_command

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import give
from patients.models import Claim, ClaimSnooze
from patients.revenue import claiming
from patients.tests.claims import REVENUE, a_claim, base
from staffing.tests.pages import submit
from tasks.models import Task

FORM = "claim_form"


@pytest.fixture
def clinic(cast):
    give(cast.nora, REVENUE)
    return cast


def in_days(number):
    return clock.today() + timedelta(days=number)


def snooze(client, claim, days=3, reason="The payer answers in three days"):
    url = base(claim.patient, claim, "snooze")
    return submit(client, url, FORM, until=f"{in_days(days)}", reason=reason)


def wake(capsys):
    call_command("wake_claims")
    return capsys.readouterr().out


def test_a_claim_is_snoozed_and_a_task_asks_for_it_when_its_day_has_come(
    clinic, signed_in, capsys
):
    claim, client = a_claim(clinic.ada, state="filed"), signed_in("nora")
    assert snooze(client, claim)["Location"] == base(clinic.ada, claim)
    row = ClaimSnooze.objects.get()
    assert (row.claim, row.snoozed_by, row.patient) == (claim, clinic.nora, clinic.ada)
    page = client.get(base(clinic.ada, claim)).content.decode()
    assert "The payer answers in three days" in page
    assert "snoozed until" in client.get("/revenue/").content.decode()
    assert "now: 0" in wake(capsys)
    assert not Task.objects.exists()
    ClaimSnooze.objects.update(until=in_days(0))
    assert "now: 1" in wake(capsys)
    task = row.tasks.get()
    assert (task.title, task.origin, task.team, task.patient, task.creator) == (
        f"Work on claim {claim.number}: it was snoozed until now",
        "EXP_CLM_SNO",
        None,
        clinic.ada,
        None,
    )
    assert task.comments.get().text == "The payer answers in three days"
    assert AuditRow.objects.filter(action="claim.woken", patient=clinic.ada.key)
    assert "now: 0" in wake(capsys), "nothing is made twice"
    assert "snoozed until" not in client.get("/revenue/").content.decode()


def test_another_takes_its_place_and_moving_the_claim_ends_it(
    clinic, signed_in, capsys
):
    claim, client = a_claim(clinic.ada, state="filed"), signed_in("nora")
    snooze(client, claim), snooze(client, claim, 9)
    going_on = claim.snoozes.get(ended=None)
    assert (going_on.until, claim.snoozes.count()) == (in_days(9), 2)
    claiming.move(Claim.objects.get(), "adjudicated", clinic.nora)
    assert not claim.snoozes.filter(ended=None).exists()
    ClaimSnooze.objects.update(until=in_days(0))
    assert "now: 0" in wake(capsys)


def test_what_is_not_snoozed(clinic, signed_in):
    client = signed_in("nora")
    for days, reason, state, field in (
        (0, "x", "filed", "until"),
        (400, "x", "filed", "until"),
        (3, "", "filed", "reason"),
        (3, "x", "trash", "__all__"),
    ):
        claim = a_claim(clinic.ada, state=state)
        assert snooze(client, claim, days, reason).context["form"].errors[field]
    assert not ClaimSnooze.objects.exists()
    foreign = base(clinic.ben, a_claim(clinic.ben), "snooze")
    assert client.get(foreign).status_code == 403


def test_one_that_fails_leaves_the_others(clinic, monkeypatch, capsys):
    for patient in (clinic.ada, clinic.ben):
        claim = a_claim(patient, state="filed")
        ClaimSnooze.objects.create(claim=claim, until=in_days(0), reason="x")
    woken = ClaimSnooze.wake

    def failing(self):
        if self.patient == clinic.ben:
            raise RuntimeError("no")
        woken(self)

    monkeypatch.setattr(ClaimSnooze, "wake", failing)
    with pytest.raises(RuntimeError):
        call_command("wake_claims")
    assert [task.patient for task in Task.objects.all()] == [clinic.ada]
    assert ClaimSnooze.objects.get(ended=None).patient == clinic.ben
