"""What the tests of the profile's forms share: addresses, good values, one post."""

from typing import Any

from django.test import Client

from canvas_admin.testing import give
from staffing.models import CareTeamRole
from staffing.tests.pages import fields_of, submit

FORM = "profile_form"
SLUGS = (
    "names",
    "telecom",
    "addresses",
    "contacts",
    "identifiers",
    "coverages",
    "consents",
    "care-team",
)
# What a new row of each section needs; consents and care team need rows besides.
GOOD: dict[str, dict[str, Any]] = {
    "names": {"use": "maiden", "given": "Ada", "family": "Ruiz"},
    "telecom": {"system": "email", "value": "ada@example.org", "rank": "2"},
    "addresses": {"use": "work", "lines": "1 Mill Lane", "city": "Salem"},
    "contacts": {"name": "Tom Alvarez", "phone": "555-0199"},
    "identifiers": {"type_code": "PPN", "system": "US", "value": "P123"},
    "coverages": {
        "rank": "2",
        "type": "medicare",
        "payer_name": "Medicare",
        "member_id": "M77",
        "relationship": "self",
    },
    "consents": {"state": "accepted", "effective_date": "2026-01-02"},
    "care-team": {},
}
# A change of the row that furnish() makes, and where it is found afterwards.
CHANGES: dict[str, dict[str, Any]] = {
    "names": {"given": "Adie"},
    "telecom": {"value": "555-0111"},
    "addresses": {"city": "Salem"},
    "contacts": {"relationship": "sister"},
    "identifiers": {"use": "old"},
    "coverages": {"member_id": "A2"},
    "consents": {"state": "rejected"},
    "care-team": {"lead": "on"},
}


def address(patient: Any, *parts: str) -> str:
    """address(ada, "names", "new"): the address of a page of the profile."""
    return "/".join(["/patient", patient.key, "profile", *parts, ""])


def writer(cast: Any, signed_in: Any) -> Client:
    """olga, of the front desk, now with North: she may change all of ada's profile.

    ada has one row of each kind, in tests that are marked "furnished".
    """
    give(cast.olga, "Patients: North")
    return signed_in("olga")


def good(cast: Any, slug: str) -> dict[str, Any]:
    """The values of a new row, with the keys of what it refers to."""
    values = dict(GOOD[slug])
    if slug == "consents":
        coding = type(cast.consent_coding).objects.create(code="photo", display="Photo")
        values["coding"] = coding.key
    if slug == "care-team":
        role = CareTeamRole.objects.create(code="x2", display="Dietician")
        values |= {"staff": cast.sam.key, "role": role.key}
    return values


def add(client: Client, cast: Any, slug: str, **changes: Any) -> Any:
    """Open the form for a new row of ada's, fill it in, and post it."""
    values = good(cast, slug) | changes
    return submit(client, address(cast.ada, slug, "new"), FORM, **values)


def change(client: Client, cast: Any, slug: str, **changes: Any) -> Any:
    """Open ada's row of a section, change it, and post it."""
    url = address(cast.ada, slug, cast.belongings[slug].key)
    return submit(client, url, FORM, **changes)


def problems(response: Any) -> str:
    """Every error of the form that an answer shows, as one text."""
    assert response.status_code == 200
    return " ".join(
        str(e) for errors in response.context["form"].errors.values() for e in errors
    )


def values_of(client: Client, url: str) -> dict[str, Any]:
    """The fields of a form just opened."""
    return fields_of(client.get(url), FORM)
