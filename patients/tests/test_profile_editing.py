"""Changing the profile: what works, what is saved, what is written down."""

import pytest
from django.db import models

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_staff
from patients.models import PatientIdentifier
from patients.tests.profile_pages import (
    CHANGES,
    FORM,
    GOOD,
    SLUGS,
    add,
    address,
    change,
    good,
    problems,
    values_of,
    writer,
)
from staffing.tests.pages import submit

pytestmark = pytest.mark.furnished


@pytest.fixture
def olga(cast, signed_in):
    return writer(cast, signed_in)


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def test_whoever_may_change_has_edit_beside_each_part(cast, olga, signed_in):
    shown = olga.get(address(cast.ada)).content.decode()
    hidden = signed_in("nora").get(address(cast.ada)).content.decode()
    for part in ("demographics", *SLUGS):
        link = f'href="{address(cast.ada, part)}"'
        assert link in shown
        assert link not in hidden
    for word in ("Edit<", "Run eligibility check", "<form method"):
        assert word in shown
    assert "Edit<" not in hidden
    assert "Run eligibility check" not in hidden


@pytest.mark.parametrize("slug", SLUGS)
def test_a_section_lists_its_rows_each_with_its_form(cast, olga, slug):
    html = olga.get(address(cast.ada, slug)).content.decode()
    assert address(cast.ada, slug, cast.belongings[slug].key) in html
    assert address(cast.ada, slug, "new") in html


@pytest.mark.parametrize("slug", SLUGS)
def test_a_row_is_added(cast, olga, slug):
    model = type(cast.belongings[slug])
    before = model.objects.filter(patient=cast.ada).count()
    response = add(olga, cast, slug)
    assert response.url == address(cast.ada) + f"#{slug}"
    assert model.objects.filter(patient=cast.ada).count() == before + 1
    row = model.objects.filter(patient=cast.ada).latest("pk")
    wanted = {k: v for k, v in GOOD[slug].items() if k != "effective_date"}
    assert {name: str(getattr(row, name)) for name in wanted} == wanted
    assert "is saved." in olga.get(response.url).content.decode()


@pytest.mark.parametrize("slug", SLUGS)
def test_a_row_is_changed_and_its_version_rises(cast, olga, slug):
    before = fresh(cast.belongings[slug])
    response = change(olga, cast, slug, **CHANGES[slug])
    assert response.url == address(cast.ada) + f"#{slug}"
    row = fresh(before)
    ((name, value),) = CHANGES[slug].items()
    assert str(getattr(row, name)) == {"on": "True"}.get(value, value)
    assert row.version > before.version


@pytest.mark.parametrize("slug", SLUGS)
def test_each_change_is_on_the_trail_without_its_values(cast, olga, slug):
    AuditRow.objects.all().delete()
    change(olga, cast, slug, **CHANGES[slug])
    row = cast.belongings[slug]
    act = f"patient.{slug.replace('-', '_')}.changed"
    acts = AuditRow.objects.filter(action=act, outcome="done")
    first, about = acts.order_by("pk")
    assert first.detail == {"fields": list(CHANGES[slug])}
    assert first.subject == f"{row._meta.model_name}/{row.key}"
    assert (about.patient, about.access_path) == (cast.ada.key, "patient-group")
    assert {first.actor, about.actor} == {cast.olga.user.key}
    add(olga, cast, slug)
    added = AuditRow.objects.filter(action=act.replace("changed", "added"))
    assert added.count() == 2
    for text in ("Ruiz", "example.org", "Mill Lane", "P123", "M77", "accepted"):
        assert text not in str(added.values())


@pytest.mark.parametrize("slug", ["demographics", *SLUGS])
def test_opening_a_form_is_a_look_at_the_patient(cast, olga, slug):
    AuditRow.objects.all().delete()
    pages = [address(cast.ada, slug)]
    if slug in SLUGS:
        pages.append(address(cast.ada, slug, "new"))
        pages.append(address(cast.ada, slug, cast.belongings[slug].key))
    for number, url in enumerate(pages, start=1):
        olga.get(url)
        looks = AuditRow.objects.filter(patient=cast.ada.key, outcome="shown")
        assert looks.count() == number


def test_saving_what_is_there_changes_and_records_nothing(cast, olga):
    before = fresh(cast.belongings["addresses"])
    assert change(olga, cast, "addresses").status_code == 302
    assert fresh(before).version == before.version
    assert not AuditRow.objects.filter(action__startswith="patient.addresses.c")


# Two tabs, two people, two clicks ---------------------------------------------------------


@pytest.mark.parametrize("slug", SLUGS)
def test_the_second_of_two_people_sees_both_versions(cast, olga, slug):
    row = cast.belongings[slug]
    url = address(cast.ada, slug, row.key)
    stale = values_of(olga, url)
    change(olga, cast, slug, **CHANGES[slug])
    theirs = fresh(row)
    mine = stale | {"entered_in_error": "on", "entered_in_error_reason": "mine"}
    refused = olga.post(url, mine | {"status": "inactive"})
    assert "Somebody saved this while you were editing" in problems(refused)
    assert fresh(row).version == theirs.version
    if slug == "addresses":
        assert "City: yours is “Springfield”, saved is “Salem”." in problems(refused)
        assert "Reason: yours is “mine”, saved is “–”." in problems(refused)


@pytest.mark.parametrize("version", ["", "0", "-1", "99", "x", "\x00", "9" * 5_000])
def test_a_forged_version_saves_nothing(cast, olga, version):
    before = fresh(cast.belongings["addresses"])
    response = change(olga, cast, "addresses", city="Salem", form_version=version)
    assert problems(response)
    assert fresh(before).city == "Springfield"


@pytest.mark.parametrize("slug", SLUGS)
def test_one_form_makes_one_row(cast, olga, slug):
    model = type(cast.belongings[slug])
    url = address(cast.ada, slug, "new")
    values = values_of(olga, url) | good(cast, slug)
    olga.post(url, values)
    count = model.objects.count()
    again = olga.post(url, values)
    assert "nothing was saved again" in olga.get(again.url).content.decode()
    assert model.objects.count() == count


# Wrong rows are marked, never deleted -----------------------------------------------------


@pytest.mark.parametrize("slug", [s for s in SLUGS if s != "care-team"])
def test_a_wrong_row_leaves_the_profile_with_a_reason_and_comes_back(cast, olga, slug):
    row = cast.belongings[slug]
    assert "in a few words" in problems(change(olga, cast, slug, entered_in_error="on"))
    reason = {"entered_in_error": "on", "entered_in_error_reason": "another patient"}
    assert change(olga, cast, slug, **reason).status_code == 302
    assert fresh(row).entered_in_error
    listed = olga.get(address(cast.ada, slug)).content.decode()
    assert "Entered in error" in listed
    assert "another patient" in listed
    values = values_of(olga, address(cast.ada, slug, row.key))
    del values["entered_in_error"]
    olga.post(address(cast.ada, slug, row.key), values)
    assert (fresh(row).entered_in_error, fresh(row).entered_in_error_reason) == (
        False,
        "",
    )


def test_what_is_wrong_is_not_on_the_profile_and_found_by_nobody(cast, olga, signed_in):
    number = cast.belongings["identifiers"]
    search = {"q": number.value}
    nora = signed_in("nora")
    assert "Ada Alvarez" in nora.post("/patients/search/", search).content.decode()
    wrong = {"entered_in_error": "on", "entered_in_error_reason": "wrong"}
    for slug in ("identifiers", "addresses", "names", "contacts", "coverages"):
        change(olga, cast, slug, **wrong)
    html = nora.get(address(cast.ada)).content.decode()
    for text in ("S999", "12 Long Street", "Addie", "Eva Ruiz", "Aetna"):
        assert text not in html
    assert "Ada Alvarez" not in nora.post("/patients/search/", search).content.decode()


def test_an_end_before_the_beginning_is_refused(cast, olga):
    period = {"start": "2026-02-01", "end": "2026-01-31"}
    assert "before the beginning" in problems(change(olga, cast, "addresses", **period))


# What each kind asks for ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "values", "sentence"),
    [
        ("addresses", {"lines": "", "city": ""}, "at least one part"),
        ("addresses", {"city": "Sa\u202elem"}, "cannot be saved"),
        ("contacts", {"relationship": "sis\x1fter"}, "cannot be saved"),
        ("identifiers", {"system": "a\u2028b"}, "cannot be saved"),
        ("coverages", {"plan": "a\x7fb"}, "cannot be saved"),
        ("names", {"prefix": "D\u2066r"}, "cannot be saved"),
        ("names", {"family": "Ru\u202eiz"}, "cannot be saved"),
        ("telecom", {"value": "nobody"}, "valid email"),
        ("telecom", {"system": "phone", "value": "call me"}, "phone number"),
        ("telecom", {"system": "url", "value": "javascript:x"}, "valid URL"),
        ("telecom", {"rank": "0"}, "greater than or equal to 1"),
        ("telecom", {"rank": "99999999999"}, "less than or equal to 99"),
        ("telecom", {"system": "pigeon"}, "not one of the available"),
        ("contacts", {"name": ""}, "required"),
        ("contacts", {"phone": "call me"}, "phone number"),
        ("contacts", {"email": "nobody"}, "valid email"),
        ("names", {"given": "", "family": ""}, "given name or a family name"),
        ("names", {"given": "..."}, "with letters"),
        ("names", {"given": "x" * 101}, "too long"),
        ("identifiers", {"value": ""}, "required"),
        ("identifiers", {"type_code": "XX"}, "not one of the available"),
        ("coverages", {"payer_name": ""}, "required"),
        ("coverages", {"rank": "4"}, "not one of the available"),
        ("coverages", {"relationship": "spouse"}, "whose insurance"),
        ("consents", {"state": "perhaps"}, "not one of the available"),
        ("consents", {"effective_date": "2199-01-01"}, "more than a year ahead"),
        ("consents", {"effective_date": ""}, "required"),
    ],
)
def test_what_is_missing_or_wrong_is_said_and_nothing_is_saved(
    cast, olga, slug, values, sentence
):
    model = type(cast.belongings[slug])
    before = model.objects.count()
    response = add(olga, cast, slug, **values)
    assert sentence in problems(response)
    assert 'class="error-summary"' in response.content.decode()
    assert model.objects.count() == before


def test_an_imported_number_that_is_no_phone_number_may_stay(cast, olga):
    row = cast.belongings["telecom"]
    type(row).objects.filter(pk=row.pk).update(value="555.123 extension 4")
    assert change(olga, cast, "telecom", use="work").status_code == 302
    assert "phone number" in problems(change(olga, cast, "telecom", value="x"))


# Identifiers: F19 -------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["ada", "ben", "cyn", None])
def test_whether_another_patient_has_the_number_makes_no_difference(cast, olga, other):
    if other not in (None, "ada"):
        PatientIdentifier.objects.create(
            patient=getattr(cast, other), type_code="PPN", system="US", value="P123"
        )
    assert add(olga, cast, "identifiers").status_code == 302
    if other == "ada":
        assert "has this number already" in problems(add(olga, cast, "identifiers"))


def test_a_social_security_number_is_nowhere_shown_in_full(cast, olga):
    add(olga, cast, "identifiers", type_code="SS", value="999-12-3456")
    row = PatientIdentifier.objects.get(value="999-12-3456")
    for url in (
        address(cast.ada),
        address(cast.ada, "identifiers"),
        address(cast.ada, "identifiers", row.key),
    ):
        html = olga.get(url).content.decode()
        assert "3456" in html
        assert "999-12" not in html


def test_the_number_itself_cannot_be_changed(cast, olga):
    change(olga, cast, "identifiers", value="S000", type_code="SS", system="x")
    row = fresh(cast.belongings["identifiers"])
    assert (row.value, row.type_code, row.system) == ("S999", "DL", "")


def test_no_form_knows_a_field_that_it_does_not_show(cast, olga):
    """Mass assignment (security P28): every other field of each model is left alone."""
    for slug in SLUGS:
        row = cast.belongings[slug]
        before = model_values(row)
        url = address(cast.ada, slug, row.key)
        form = olga.get(url).context["form"]
        others = {
            field.name: "1"
            for field in row._meta.fields
            if field.name not in form.fields
        }
        others |= {"pk": "1", "patient_id": str(cast.ben.pk)}
        submit(olga, url, FORM, **others)
        assert model_values(row) == before, slug


def model_values(row: models.Model) -> dict:
    return type(row).objects.filter(pk=row.pk).values().get()


def test_reading_alone_opens_no_form(cast, client):
    staff = make_staff("pat", "Profile read", "Patients: North")
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    assert client.get(address(cast.ada)).status_code == 200
    assert client.get(address(cast.ada, "demographics")).status_code == 403
