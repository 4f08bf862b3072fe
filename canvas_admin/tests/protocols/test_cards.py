"""What protocols found about a patient, as cards in the chart, and putting them off."""

from datetime import timedelta

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.events.models import ChangeEvent
from canvas_admin.protocols.models import ProtocolOverride
from canvas_admin.protocols.models.runs import OfPatients
from canvas_admin.protocols.patient_data import patient_data
from canvas_admin.protocols.sandbox import Sandbox
from canvas_admin.testing import give
from canvas_admin.tests.protocols.running import deliver_all, measure, protocol
from staffing.groups import managed_group

DUE = measure("""
result.status = 'due' if not self.snoozed() else 'snoozed'
result.add_narrative('Seen long ago')
result.add_recommendation(title='Invite to a visit', button='Go', key='K')
""")
READS = ("Clinical read", "Patients: North")


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as made:
        yield made


@pytest.fixture
def card(cast, sandbox):
    """A card of ada's that is due."""
    one = protocol(DUE, *READS)
    ChangeEvent.objects.all().delete()
    cast.ada.active = False
    cast.ada.save()
    deliver_all(sandbox)
    return one.results.get()


def test_what_is_due_is_a_card_for_who_reads_the_chart(cast, card, signed_in):
    chart = f"/patient/{cast.ada.key}/"
    text = signed_in("nora").get(chart).text
    for said in ("Protocols", "One", "due", "Seen long ago", "Invite to a visit"):
        assert said in text
    assert "Put off “One”" in text
    give(cast.sam, "Patients: North")
    cast.sam.revoke(managed_group("clinical-write"))
    reads = signed_in("sam").get(chart).text
    assert "Invite to a visit" in reads
    assert "Put off" not in reads
    for name, value in (("show_in_chart", False), ("active", False)):
        setattr(card.protocol, name, value)
        card.protocol.save()
        assert "Invite to a visit" not in signed_in("nora").get(chart).text
        setattr(card.protocol, name, True)
    card.protocol.save()
    card.status = "satisfied"
    card.save()
    assert "Invite to a visit" not in signed_in("nora").get(chart).text


def test_a_card_is_put_off_and_shown_again(cast, card, sandbox, signed_in):
    nurse = signed_in("nora")
    address = f"/patient/{cast.ada.key}/protocols/{card.key}/snooze/"
    text = nurse.post(address, {"days": "30"}, follow=True).text
    assert "is put off until" in text
    assert "Show “One” again" in text
    override = ProtocolOverride.objects.get()
    assert (override.days, override.by) == (30, cast.nora.user)
    assert AuditRow.objects.filter(
        action="protocol.snoozed", patient=cast.ada.key
    ).exists()
    event = ChangeEvent.objects.latest("id")
    assert (event.change_type, event.patient) == ("protocol_override", cast.ada.pk)
    told = patient_data(cast.nora.user, cast.ada)["protocolOverrides"]
    assert [(t["protocolKey"], t["snooze"]["snoozedDays"]) for t in told] == [
        ("One", 30)
    ]
    deliver_all(sandbox)
    card.refresh_from_db()
    assert card.status == "snoozed"
    assert "put off until" in nurse.get(f"/patient/{cast.ada.key}/").text
    override.since -= timedelta(days=30)
    override.save()
    assert patient_data(cast.nora.user, cast.ada)["protocolOverrides"] == []
    assert "Put off “One”" in nurse.get(f"/patient/{cast.ada.key}/").text
    nurse.post(address, {"days": "7"})
    assert (
        "not put off any more" in nurse.post(address, {"days": "0"}, follow=True).text
    )
    deliver_all(sandbox)
    card.refresh_from_db()
    assert (ProtocolOverride.objects.get().days, card.status) == (None, "due")


@pytest.mark.parametrize("days", ["", "366", "-1", "x", "9999", "²"])
def test_other_numbers_of_days_are_refused(cast, card, signed_in, days):
    address = f"/patient/{cast.ada.key}/protocols/{card.key}/snooze/"
    answer = signed_in("nora").post(address, {"days": days}, follow=True)
    assert "cannot be put off so" in answer.text
    assert not ProtocolOverride.objects.exists()


def test_what_cannot_be_snoozed_is_not(cast, card, signed_in):
    card.protocol.can_be_snoozed = False
    card.protocol.save()
    nurse = signed_in("nora")
    assert "Put off" not in nurse.get(f"/patient/{cast.ada.key}/").text
    address = f"/patient/{cast.ada.key}/protocols/{card.key}/snooze/"
    assert "cannot be put off" in nurse.post(address, {"days": "7"}, follow=True).text
    other = f"/patient/{cast.ben.key}/protocols/{card.key}/snooze/"
    give(cast.nora, "Patients: South")
    assert nurse.post(other, {"days": "7"}).status_code == 403
    assert not ProtocolOverride.objects.exists()


def test_the_gate_holds_where_the_cards_are_not_narrowed(
    cast, card, signed_in, monkeypatch
):
    """Before anything of a card is told: not even that its days are wrong."""
    monkeypatch.setattr(OfPatients, "visible_to", lambda rows, _account: rows)
    card.patient = cast.ben
    card.save()
    nurse = signed_in("nora")
    answer = nurse.post(
        f"/patient/{cast.ben.key}/protocols/{card.key}/snooze/", {"days": "x"}
    )
    nobody = nurse.post(f"/patient/{'0' * 32}/protocols/{card.key}/snooze/")
    assert answer.status_code == nobody.status_code == 403
    assert not ProtocolOverride.objects.exists()
