"""Whatever is sent to the patients' pages: a clear answer, never an error, nothing saved."""

import pytest

from canvas_admin.testing import give
from canvas_admin.tests import proof
from patients.models import Patient, PatientGroupMember

BAD = {
    "NUL": "\x00",
    "NUL inside": "Ad\x00a",
    "long": "a" * 10_000,
    "long words": "ab " * 3_000,
    "a lone surrogate": b"%ED%A0%80ab",
    "broken UTF-8": b"%FF%FEab",
    "year 0": "0000-00-00",
    "year 0, American": "01/01/0000",
    "year 99999": "99999-01-01",
    "no such day": "1999-02-31",
    "Arabic digits": "١٩٨٠-٠١-٠٢",
    "superscripts": "²²²²-²-²",
    "eight noughts": "00000000",
    "a list": ["a", "b"],
    "markup": "<script>alert(1)</script>",
    "a quote": "' OR '1'='1",
    "a backslash": "\\",
    "a pattern": "%_*?[a-z]",
    "directions": "\u202eada\u2066",
    "separators": "\x1f\x1e\u2028",
    "emoji": "👩🏽‍⚕️" * 30,
    "combining": "a" + "\u0301" * 90,
    "private use": "\ue000\uffff",
    "a number": "12345678901234567890",
    "JSON": '{"q": {"$gt": ""}}',
    "newlines": "ada\r\nalvarez",
}
# Each field gets so many of them, drawn by the seed.
SOME = 9
TARGETS = {
    "/patients/search/": ("q", "see_all", "q[]"),
    "/patients/": ("q", "clear", "name"),
    "/patients/new/": (
        "form_token",
        "first_name",
        "middle_name",
        "last_name",
        "birth_date",
        "sex_at_birth",
        "gender",
        "phone",
        "email",
        "groups",
        "create_anyway",
        "key",
        "id",
        "mrn",
    ),
}
GOOD = {
    "/patients/search/": {"q": "ada"},
    "/patients/": {},
    "/patients/new/": {
        "first_name": "Dora",
        "last_name": "Diaz",
        "birth_date": "1999-12-31",
        "sex_at_birth": "F",
        "gender": "female",
    },
}
CLEAR = {200, 302}


def send(client, url, field, value):
    """POST the good fields with one replaced; bytes are sent as they are."""
    data = dict(GOOD[url])
    if url == "/patients/new/":
        data["form_token"] = client.get(url).context["form"]["form_token"].value()
    data[field] = value
    if not isinstance(value, bytes):
        return client.post(url, data)
    data.pop(field)
    body = b"&".join(f"{k}={v}".encode() for k, v in data.items())
    return client.post(
        url,
        body + f"&{field}=".encode() + value,
        content_type="application/x-www-form-urlencoded",
    )


@pytest.fixture
def nora(cast, signed_in):
    give(cast.nora, "Patient create")
    return signed_in("nora")


@pytest.mark.parametrize(
    ("url", "field"), [(url, f) for url, fs in TARGETS.items() for f in fs]
)
def test_one_bad_field_gets_a_clear_answer(cast, nora, url, field):
    memberships = PatientGroupMember.objects.count()
    for name, value in proof.some(BAD.items(), SOME):
        before = Patient.objects.count()
        response = send(nora, url, field, value)
        assert response.status_code in CLEAR, name
        saved = Patient.objects.count() - before
        assert saved == (response.status_code == 302 and url == "/patients/new/"), name
    assert PatientGroupMember.objects.count() == memberships
    assert not Patient.objects.filter(key__in=["1", "x"]).exists()
    assert {cast.ada, cast.ben, cast.cyn} <= set(Patient.objects.all())


@pytest.mark.parametrize("code", ["show", "sort", "after", "before", "q", "page"])
def test_bad_codes_in_an_address_are_ignored(nora, code):
    for name, value in proof.some(BAD.items(), SOME):
        for url in ("/patients/search/", "/patients/"):
            assert nora.get(url, {code: value}).status_code == 200, name


@pytest.mark.parametrize("url", TARGETS)
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"q": ["a"]}'),
        ("application/x-www-form-urlencoded", b"\x00\xff=&&&=%"),
        ("application/x-www-form-urlencoded; charset=nonsense", b"q=ada"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("text/plain", b"\x00" * 1000),
    ],
)
def test_bodies_that_are_no_form(nora, url, content_type, body):
    before = Patient.objects.count()
    response = nora.generic("POST", url, body, content_type=content_type)
    assert response.status_code in CLEAR | {400}
    assert Patient.objects.count() == before


@pytest.mark.parametrize("url", TARGETS)
def test_files_in_the_place_of_words(nora, url, tmp_path):
    path = tmp_path / "name.txt"
    path.write_bytes(b"\x00\x01")
    for field in TARGETS[url]:
        with path.open("rb") as stream:
            response = nora.post(url, GOOD[url] | {field: stream})
        assert response.status_code in CLEAR
    assert Patient.objects.count() == 3


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_undeclared_methods_are_refused(nora, method):
    for url in (*TARGETS, "/patients/new/receipt/"):
        assert getattr(nora, method)(url).status_code == 405, url
