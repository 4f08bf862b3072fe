"""API keys, and what the kit's addresses tell to whom (security F19: no oracle)."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse

from canvas_admin.audit.models import AuditRow
from canvas_admin.protocols.models import ApiKey, Protocol
from canvas_admin.testing import give
from canvas_admin.tests.protocols.running import measure, protocol

NOBODY = "0" * 32


def asking(staff, *groups):
    """A client with an API key of this person, who is given these groups."""
    give(staff, *groups)
    key = ApiKey(user=staff.user, name="test")
    client = Client(headers={"Authorization": key.begin()})
    client.key = key
    return client


def data(key):
    return f"/api/PatientProtocolInput/{key}"


def sent(source):
    return {"file": SimpleUploadedFile("x.py", source.encode())}


def test_a_patients_data_is_shown_within_reach_alone(cast):
    client = asking(cast.nora, "Profile read")
    answer = client.get(data(cast.ada.key))
    assert answer.status_code == 200
    assert answer.json()["patient"]["firstName"] == "Ada"
    row = AuditRow.objects.filter(patient=cast.ada.key).latest("id")
    assert (row.action, row.actor) == ("patient.protocol_input", cast.nora.user.key)
    hidden, missing = (client.get(data(key)) for key in (cast.ben.key, NOBODY))
    assert hidden.status_code == missing.status_code == 404
    assert hidden.content == missing.content
    refused = AuditRow.objects.filter(outcome="refused")
    assert {row.patient for row in refused} == {"", cast.ben.key, NOBODY}


def test_whom_it_is_about_is_asked_before_what_is_told(cast, monkeypatch):
    """Also where the data itself would not ask."""
    monkeypatch.setattr("canvas_admin.protocols.api.patient_data", lambda *_: {})
    client = asking(cast.nora, "Profile read")
    assert client.get(data(cast.ada.key)).json() == {}
    assert client.get(data(cast.ben.key)).status_code == 404


def test_a_version_is_read_and_posted_and_no_more(cast):
    client = asking(cast.ruth, "Integrations")
    name = protocol(measure("pass")).name
    address = reverse("protocols:version", args=[name])
    assert client.get(address).json()["active_version"] == "1"
    for method in (client.put, client.patch, client.delete):
        assert method(address).status_code == 405


def test_in_the_browser_it_is_a_page_like_the_others(cast, signed_in):
    client = signed_in("nora")
    assert client.get(data(cast.ada.key)).json()["patient"]["key"] == cast.ada.key
    for key in (cast.ben.key, NOBODY, "x"):
        answer = client.get(data(key))
        assert answer.status_code == 403
        assert "403.html" in [template.name for template in answer.templates]
    answer = signed_in(None).get(data(cast.ada.key))
    assert (answer.status_code, answer["Location"][:15]) == (302, "/account/login/")
    assert signed_in("nil").get(data(cast.ada.key)).status_code == 403


def test_a_key_is_good_until_it_or_its_person_is_not(cast):
    client = asking(cast.nora)
    assert client.get(data(cast.ada.key)).status_code == 200
    client.key.refresh_from_db()
    assert client.key.last_used
    cast.nora.active = False
    cast.nora.save()
    assert client.get(data(cast.ada.key)).status_code == 401
    cast.nora.active = True
    cast.nora.save()
    assert client.get(data(cast.ada.key)).status_code == 200
    client.key.revoke()
    assert client.get(data(cast.ada.key)).status_code == 401
    with pytest.raises(ProtectedError):
        client.key.delete()
    for text in ("Bearer x", "x" * 10_000, "\u00e9"):
        asks = Client(headers={"Authorization": text})
        assert asks.get(data(cast.ada.key)).status_code == 401


def test_a_session_is_no_key(cast, signed_in):
    give(cast.nora, "Integrations")
    client = signed_in("nora")
    assert client.post("/api/PatientProtocol/upload/").status_code == 401
    assert client.get("/api/PatientProtocol/version/One/").status_code == 401


def test_protocols_are_for_integrations(cast):
    one = protocol(measure("pass"))
    client = asking(cast.nora)
    upload, active = "/api/PatientProtocol/upload/", "/api/PatientProtocol/set_active/"
    versions = "/api/PatientProtocol/version/One/"
    off = {"is_active": "0", "module_name": "One"}
    asked = (
        lambda: client.post(upload, sent(measure("pass"))),
        lambda: client.post(active, off),
        lambda: client.get(versions),
        lambda: client.post(versions, {"version": "1"}),
    )
    for ask in asked:
        assert ask().status_code == 403
    assert AuditRow.objects.filter(action__startswith="page:protocols:").count() == 4
    give(cast.nora, "Integrations")
    assert [ask().status_code for ask in asked] == [400, 200, 200, 200]
    one.refresh_from_db()
    assert not one.active


def test_what_is_wrong_is_said(cast):
    protocol(measure("pass"))
    client = asking(cast.max, "Integrations")
    upload, active = "/api/PatientProtocol/upload/", "/api/PatientProtocol/set_active/"
    for answer, status, words in (
        (client.post(upload), 400, "no “file”"),
        (client.post(upload, sent("x = (")), 400, "Line 1: SyntaxError"),
        (client.post(active, {"module_name": "One"}), 400, "1 or 0"),
        (client.post(active, {"module_name": "Two"}), 404, "no protocol"),
        (client.post("/api/PatientProtocol/version/One/"), 404, "no such version"),
        (client.get("/api/PatientProtocol/version/Two/"), 404, "no protocol"),
    ):
        assert answer.status_code == status
        assert words in answer.json()["detail"]
    assert client.get(upload).status_code == 405
    assert Protocol.objects.get().active
