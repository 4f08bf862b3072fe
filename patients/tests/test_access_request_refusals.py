"""Whatever is sent to ask for access: who may not, what is no handle, what is no reason."""

from datetime import timedelta

import pytest
from django.utils import timezone

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import make_patient
from canvas_admin.tests.masking import masked
from patients import handles
from patients.models import AccessRequest, Condition, PatientAddress, PatientName
from patients.tests.asking import (
    ASK,
    LIST,
    MINE,
    REASON,
    SEARCH,
    decline,
    handle_of,
    page_of,
    send,
)

NO_HANDLE = "this page is out of date"


@pytest.fixture
def nora(signed_in):
    return signed_in("nora")


def sealed(cast, name="nora", patient="ben", purpose=handles.REQUEST):
    return handles.seal(getattr(cast, name).user, getattr(cast, patient), purpose)


def altered(handle):
    letter = "A" if handle[40] != "A" else "B"
    return handle[:40] + letter + handle[41:]


# What is sent as "patient" → it is no handle for nora, and says no more than that.
NO_HANDLES = {
    "another account's": lambda cast: sealed(cast, "olga"),
    "an administrator's": lambda cast: sealed(cast, "ruth"),
    "for picking": lambda cast: sealed(cast, purpose=handles.PICK),
    "for patients nobody can open": lambda cast: sealed(
        cast, purpose=handles.UNREACHABLE
    ),
    "altered": lambda cast: altered(sealed(cast)),
    "cut": lambda cast: sealed(cast)[:-4],
    "a key": lambda cast: cast.ben.key,
    "a key within reach": lambda cast: cast.ada.key,
    "an MRN": lambda cast: cast.ben.mrn,
    "an integer": lambda cast: str(cast.ben.pk),
    "nothing": lambda cast: "",
    "NUL": lambda cast: "\x00",
    "markup": lambda cast: "<script>alert(1)</script>",
    "long": lambda cast: "gAAAAA" * 2_000,
    "Cyrillic": lambda cast: "а" * 140,
}


@pytest.mark.parametrize("case", NO_HANDLES)
@pytest.mark.parametrize("step", [{}, {"send": "1", "reason": REASON}])
def test_what_is_no_handle_of_ones_own_asks_for_nobody(cast, nora, case, step):
    expected = masked(nora.post(ASK, {"patient": "x"} | step))
    response = nora.post(ASK, {"patient": NO_HANDLES[case](cast)} | step)
    assert masked(response) == expected
    text = response.content.decode()
    assert NO_HANDLE in text
    assert "Brandt" not in text
    assert not AccessRequest.objects.exists()
    refused = AuditRow.objects.filter(action="access_request.ask", outcome="refused")
    assert {str(row.detail) for row in refused} == {"{'reason': 'handle'}"}


@pytest.mark.parametrize(("minutes", "counts"), [(14, True), (16, False)])
def test_a_handle_is_good_for_fifteen_minutes(
    cast, signed_in, monkeypatch, minutes, counts
):
    handle = handle_of(signed_in("nora"))
    moment = timezone.now() + timedelta(minutes=minutes)
    monkeypatch.setattr(clock, "now", lambda: moment)
    nora = signed_in("nora")
    assert (NO_HANDLE not in nora.post(ASK, {"patient": handle}).content.decode()) == (
        counts
    )
    send(nora, handle)
    assert AccessRequest.objects.exists() == counts


def test_the_form_prolongs_no_handle(cast, nora):
    handle = handle_of(nora)
    response = nora.post(ASK, {"patient": handle})
    assert response.context["handle"] == handle


def test_a_record_that_was_merged_is_like_no_handle(cast, nora):
    handle = handle_of(nora)
    cast.ben.merged_into = cast.cyn
    cast.ben.save()
    expected = masked(nora.post(ASK, {"patient": "x"}))
    assert masked(nora.post(ASK, {"patient": handle})) == expected
    send(nora, handle)
    assert not AccessRequest.objects.exists()


def test_somebody_who_is_not_active_any_more_asks_for_nobody(cast, nora):
    handle = handle_of(nora)
    cast.nora.active = False
    cast.nora.save()
    response = send(nora, handle)
    assert "/account/login/" in response["Location"]
    assert not AccessRequest.objects.exists()


def test_somebody_whose_groups_were_taken_asks_for_nobody(cast, signed_in):
    for group in cast.sam.user.groups.all():
        cast.sam.revoke(group)
    response = send(signed_in("sam"), sealed(cast, "sam", "ada"))
    assert response.status_code == 403
    assert not AccessRequest.objects.exists()


BAD_FIELDS = {
    "no reason": {"reason": ""},
    "spaces": {"reason": " \r\n" * 20},
    "nine characters": {"reason": "x" * 9},
    "501 characters": {"reason": "x" * 501},
    "endless": {"reason": "x" * 100_000},
    "NUL": {"reason": "for work today\x00"},
    "a direction": {"reason": "for work \u202e today"},
    "another length": {"wanted_for": "year"},
    "no length": {"wanted_for": ""},
    "a NUL length": {"wanted_for": "\x00"},
}


@pytest.mark.parametrize("case", BAD_FIELDS)
def test_a_form_that_cannot_be_kept_says_why(cast, nora, case):
    handle = handle_of(nora)
    response = send(nora, handle, **BAD_FIELDS[case])
    assert response.status_code == 200
    text = response.content.decode()
    assert "Nothing was sent yet" in text
    assert f'value="{handle}"' in text, "the form can be sent again"
    assert not AccessRequest.objects.exists()


@pytest.mark.parametrize("length", [10, 500])
def test_the_shortest_and_the_longest_reason_are_kept(cast, nora, length):
    send(nora, handle_of(nora), reason="x" * length)
    assert len(AccessRequest.objects.get().reason) == length


def test_fields_that_the_form_does_not_have_change_nothing(cast, nora):
    forged = {
        "state": "granted",
        "staff": cast.olga.key,
        "key": "f" * 32,
        "decided_by": str(cast.nora.user.pk),
        "membership": str(cast.north.memberships.get().pk),
        "group": cast.north.public_id,
        "answer": "yes",
    }
    send(nora, handle_of(nora), **forged)
    asked = AccessRequest.objects.get()
    assert (asked.state, asked.staff, asked.answer) == ("open", cast.nora, "")
    assert asked.key != "f" * 32
    assert asked.membership is None
    assert not cast.north.memberships.filter(member=cast.ben).exists()


@pytest.mark.parametrize("address", [ASK, MINE])
@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_undeclared_methods_are_refused(nora, address, method):
    assert getattr(nora, method)(address).status_code == 405


def test_nothing_typed_is_taken_from_an_address(cast, nora):
    response = nora.get(f"{ASK}?patient={sealed(cast)}&send=1&reason={REASON}")
    assert response["Location"] == MINE
    for query in ("after=%00", "after=1", f"after={cast.ben.key}", "q=brandt"):
        assert nora.get(f"{MINE}?{query}").status_code == 200


CANARY, PK = "q7q7canary", 770_000_001


@pytest.fixture
def zoe(cast):
    """A patient out of nora's reach, whose every secret stands out."""
    zoe = make_patient("Zoe", "Zorn", cast.ben.birth_date, pk=PK)
    cast.south.add(zoe)
    PatientName.objects.create(patient=zoe, use="nickname", given=CANARY)
    PatientAddress.objects.create(patient=zoe, lines=CANARY, city=CANARY)
    Condition.objects.create(
        patient=zoe,
        system="s",
        code=CANARY,
        display=CANARY,
        clinical_status="active",
    )
    return zoe


def test_no_page_holds_a_key_an_integer_or_another_field_of_the_patient(
    cast, nora, signed_in, zoe
):
    """Asking and deciding show name, birth and mark of whom nora does not reach."""
    ruth, handle = signed_in("ruth"), handle_of(nora, "zorn")
    pages = [
        nora.post(SEARCH, {"q": "zorn", "see_all": "1"}),
        nora.post(ASK, {"patient": handle}),
        send(nora, handle, reason=""),
        send(nora, handle),
        nora.post(ASK, {"patient": handle}),
        nora.get(MINE),
    ]
    asked = AccessRequest.objects.get()
    pages += [ruth.get(LIST), ruth.get(page_of(asked)), decline(ruth, asked)]
    pages += [
        nora.get(MINE),
        ruth.get(f"{LIST}?state=closed"),
        ruth.get(page_of(asked)),
    ]
    for number, page in enumerate(pages):
        text = page.content.decode() + page.get("Location", "")
        secrets = (CANARY, zoe.key, zoe.mrn, str(PK), cast.south.public_id)
        assert [secret for secret in secrets if secret in text] == [], number
