"""Whatever is sent to the profile's forms: a clear answer, never an error, no half write."""

import pytest

from canvas_admin.tests import proof
from patients.models import Patient
from patients.tests.profile_pages import (
    SLUGS,
    address,
    good,
    values_of,
    writer,
)
from patients.tests.test_bad_input import BAD, SOME

pytestmark = pytest.mark.furnished

CLEAR = {200, 302}
# Each field gets a few, by turns: the forms share their kinds of fields.
TURN = 2


def bad_values(number):
    """(name, value) of what the field of this number gets."""
    names = list(BAD)
    start = number * TURN % len(names)
    return [(name, BAD[name]) for name in (names + names)[start : start + TURN]]


@pytest.fixture
def olga(cast, signed_in):
    return writer(cast, signed_in)


def send(client, url, values, field, bad):
    if not isinstance(bad, bytes):
        return client.post(url, values | {field: bad})
    data = {k: v for k, v in values.items() if k != field and isinstance(v, str)}
    body = b"&".join(f"{k}={v}".encode() for k, v in data.items())
    kind = "application/x-www-form-urlencoded"
    return client.post(url, body + f"&{field}=".encode() + bad, content_type=kind)


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("page", ["new", "row"])
def test_one_bad_field_gets_a_clear_answer(cast, olga, slug, page):
    row = cast.belongings[slug]
    model, ada = type(row), Patient.objects.get(pk=cast.ada.pk)
    url = address(cast.ada, slug, "new" if page == "new" else row.key)
    values = {k: v[0] for k, v in values_of(olga, url).items()}
    values |= good(cast, slug) if page == "new" else {}
    fields = list(olga.get(url).context["form"].fields)
    for number, field in enumerate(fields, start=SLUGS.index(slug)):
        for name, bad in bad_values(number):
            before = model.objects.count()
            response = send(olga, url, values, field, bad)
            assert response.status_code in CLEAR, (field, name)
            if response.status_code == 200:
                assert model.objects.count() == before, (field, name)
                continue
            assert olga.get(response.url).status_code == 200, (field, name)
            assert olga.get(address(cast.ada, slug)).status_code == 200, (field, name)
            opened = {k: v[0] for k, v in values_of(olga, url).items()}
            values |= {k: v for k, v in opened.items() if k.startswith("form_")}
    assert not model.objects.exclude(patient=cast.ada).exists()
    assert Patient.objects.get(pk=ada.pk).birth_date == ada.birth_date


@pytest.mark.parametrize("field", ["birth_date", "died_on", "gender", "form_version"])
def test_bad_demographics_get_a_clear_answer(cast, olga, field):
    url = address(cast.ada, "demographics")
    for name, bad in proof.some(BAD.items(), SOME):
        values = {k: v[0] for k, v in values_of(olga, url).items()}
        response = send(olga, url, values | {"deceased": "on"}, field, bad)
        assert response.status_code in CLEAR, name
    assert Patient.objects.get(pk=cast.ada.pk).listed


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"city": ["a"]}'),
        ("application/x-www-form-urlencoded", b"\x00\xff=&&&=%"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("text/plain", b"\x00" * 1000),
    ],
)
def test_bodies_that_are_no_form(cast, olga, content_type, body):
    for parts in (("demographics",), *((slug, "new") for slug in SLUGS)):
        url = address(cast.ada, *parts)
        response = olga.generic("POST", url, body, content_type=content_type)
        assert response.status_code in CLEAR | {400}, url
