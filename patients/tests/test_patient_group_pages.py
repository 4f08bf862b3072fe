"""Who may open which page of patient groups, and what no page may show."""

import re
from types import SimpleNamespace

import pytest
from django.urls import reverse

from canvas_admin.testing import give
from patients.models import PatientGroup, PatientGroupExclusion
from staffing.models import User

STAFF = ("nora", "sam", "olga", "max", "ines", "nil", "ruth", None)


def at(page, *arguments):
    return reverse(f"admin:patients_patientgroup_{page}", args=arguments)


def addresses(cast):
    """Every page of this part of the administration, by name."""
    north = cast.north.public_id
    row = cast.north.memberships.get().key
    kept_out = PatientGroupExclusion(
        patient_group=cast.north, patient=cast.cyn, reason="asked for it"
    )
    kept_out.save()
    return {
        "changelist": at("changelist"),
        "add": at("add"),
        "change": at("change", north),
        "history": at("history", north),
        "delete": at("delete", north),
        "effect": at("effect", north),
        "members": at("members", north),
        "ended members": at("members", north) + "?state=ended",
        "member_add": at("member_add", north),
        "member": at("member", north, row),
        "member_remove": at("member_remove", north, row),
        "exclusions": at("exclusions", north),
        "exclusion_add": at("exclusion_add", north),
        "exclusion_lift": at("exclusion_lift", north, kept_out.key),
        "unreachable": at("unreachable"),
        "numbers": at("numbers"),
        "index": reverse("admin:index"),
    }


@pytest.mark.parametrize("name", ["ruth", "root"])
def test_staff_permissions_and_a_superuser_open_every_page(cast, signed_in, name):
    root = User.objects.create_superuser("root", password="long enough for a test")
    cast.root = SimpleNamespace(user=root)
    client = signed_in(name)
    for page, address in addresses(cast).items():
        assert client.get(address).status_code == 200, page


@pytest.mark.parametrize("name", STAFF)
def test_nobody_else_opens_one(cast, signed_in, name):
    if name == "ruth":
        give(cast.nil, "Staff Permissions")
        cast.ruth.revoke(cast.ruth.user.groups.get())
    client = signed_in(name)
    for page, address in addresses(cast).items():
        response = client.get(address, follow=True)
        assert "Alvarez" not in response.content.decode(), page
        if name in (None, "ines"):
            assert response.redirect_chain[-1][0].startswith("/account/login/"), page
        else:
            assert response.status_code == 403, page


def test_another_administration_group_opens_the_front_page_alone(cast, signed_in):
    give(cast.nil, "Settings")
    client = signed_in("nil")
    for page, address in addresses(cast).items():
        expected = 200 if page == "index" else 403
        assert client.get(address).status_code == expected, page
    picked = client.post(at("picker"), {"q": "alvarez"})
    assert (picked.status_code, b"Alvarez" in picked.content) == (403, False)


@pytest.mark.parametrize(
    "page", ["picker", "member_add", "member_remove", "exclusion_add", "unreachable"]
)
def test_nobody_else_posts_to_one(cast, signed_in, page):
    known = addresses(cast) | {"picker": at("picker")}
    before = cast.north.memberships.in_force().count()
    for name in ("nora", "max", "nil"):
        response = signed_in(name).post(known[page], {"q": "alvarez"}, follow=True)
        assert response.status_code == 403
        assert b"Alvarez" not in response.content
    assert cast.north.memberships.in_force().count() == before


def test_a_group_that_is_deleted_or_unknown_has_no_pages(cast, signed_in):
    client = signed_in("ruth")
    cast.south.retire()
    unknown = "00000000-0000-4000-8000-000000000000"
    for group in (cast.south.public_id, unknown):
        for page in ("members", "member_add", "exclusions", "effect"):
            assert client.get(at(page, group)).status_code == 404


@pytest.mark.parametrize("key", ["1", "x" * 32, "0" * 32, "A" * 10_000, "%00"])
def test_a_membership_that_is_not_the_groups_is_not_found(cast, signed_in, key):
    client = signed_in("ruth")
    north = cast.north.public_id
    foreign = cast.south.memberships.get().key
    for each in (key, foreign):
        address = at("member", north, "0" * 32).replace("0" * 32, each)
        assert client.get(address).status_code == 404


def test_no_page_shows_an_integer_id(cast, signed_in):
    """The ids are made large, so that none is found by chance."""
    client = signed_in("ruth")
    group = _with_large_ids(cast)
    pages = [
        at("changelist"),
        at("change", group.public_id),
        at("history", group.public_id),
        at("delete", group.public_id),
        at("members", group.public_id),
        at("member", group.public_id, group.memberships.get().key),
        at("member_remove", group.public_id, group.memberships.get().key),
        at("unreachable"),
        reverse("admin:index"),
    ]
    client.post(at("change", group.public_id), _form(group, name="Far north"))
    for address in pages:
        text = client.get(address).content.decode()
        assert "77000" not in re.sub(r'value="gAAAA[^"]*"', "", text), address
    answer = client.post(at("member_add", group.public_id), {"q": "far", "find": "1"})
    assert "Far Away" in answer.content.decode()
    assert "77000" not in re.sub(r'value="gAAAA[^"]*"', "", answer.content.decode())


def _with_large_ids(cast):
    patient = cast.cyn
    patient.pk, patient.key, patient.mrn = 77000111, "f" * 32, "123456789"
    patient.first_name, patient.last_name = "Far", "Away"
    patient._state.adding = True
    del patient._public_id_in_database
    patient.save(force_insert=True)
    group = PatientGroup(pk=77000222, name="Far", use_for_permissions=True)
    group.save(force_insert=True)
    row = group.memberships.model(pk=77000333, patient_group=group, member=patient)
    row.save(force_insert=True)
    return group


def _form(group, **changes):
    group.refresh_from_db()
    return {
        "name": group.name,
        "use_for_permissions": "on",
        "form_version": group.version,
        "_continue": "1",
        **changes,
    }
