"""Consents: the clinic's codings, what a patient said, what expires and what is missing."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from canvas_admin.records import clock
from canvas_admin.records.addresses import address as admin_address
from canvas_admin.testing import give, make_staff
from canvas_admin.tests.addresses import furnish
from patients.models import Consent, ConsentCoding
from patients.tests.profile_pages import add, address, change, problems, writer
from staffing.tests.pages import errors_of, fields_of, submit

LIST = "/admin/patients/consentcoding/"
FORM = "consentcoding_form"


@pytest.fixture
def olga(cast, signed_in):
    """ada has accepted "Treatment", which is mandatory and never expires."""
    furnish(cast)
    return writer(cast, signed_in)


def coding(code="photo", **fields):
    return ConsentCoding.objects.create(code=code, display=code.title(), **fields)


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def section(client, patient):
    """The part of the profile about consents."""
    html = client.get(address(patient)).content.decode()
    return html[html.index('id="consents"') : html.index("<aside")]


@pytest.mark.parametrize(
    ("rule", "starts", "ends"),
    [
        ("never", date(2026, 1, 2), None),
        ("in_one_year", date(2022, 6, 30), date(2023, 6, 30)),
        ("in_one_year", date(2023, 6, 30), date(2024, 6, 29)),
        ("end_of_year", date(2026, 1, 2), date(2026, 12, 31)),
        ("end_of_year", date(2026, 12, 31), date(2026, 12, 31)),
    ],
)
def test_a_consent_expires_by_the_rule_of_its_coding(cast, rule, starts, ends):
    consent = Consent.record(
        cast.ada, coding(expiration_rule=rule), Consent.State.ACCEPTED, starts
    )
    assert fresh(consent).expired_date == ends


def test_recording_again_keeps_the_row_and_takes_the_rule_of_now(cast):
    photo = coding(expiration_rule="in_one_year")
    first = Consent.record(cast.ada, photo, "accepted", date(2026, 1, 2))
    other = Consent.record(cast.ben, photo, "accepted", date(2026, 1, 2))
    photo.expiration_rule = "never"
    photo.save()
    assert fresh(first).expired_date == date(2027, 1, 2)
    again = Consent.record(cast.ada, photo, "rejected", date(2026, 3, 4))
    assert (again.pk, again.key) == (first.pk, first.key)
    assert (fresh(first).state, fresh(first).expired_date) == ("rejected", None)
    assert fresh(other).state == "accepted"
    assert Consent.objects.count() == 2


def test_the_database_holds_one_row_per_patient_and_coding(cast):
    values = {"patient": cast.ada, "coding": coding(), "state": "accepted"}
    Consent.objects.create(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        Consent.objects.create(**values)
    Consent.objects.create(**values | {"patient": cast.ben})


def test_what_is_missing_expired_and_mandatory_is_marked(cast, olga):
    coding("privacy", mandatory=True)
    coding("no longer asked", mandatory=True, active=False)
    photo = coding(expiration_rule="in_one_year", proof_required=True)
    yesterday = clock.today() - timedelta(days=366)
    Consent.record(cast.ada, photo, "accepted", yesterday)
    html = section(olga, cast.ada)
    assert html.count("Mandatory and missing") == 1
    assert html.index("Privacy") < html.index("Mandatory and missing")
    assert "No Longer Asked" not in html
    assert "Expired" in html
    assert "Proof required" in html
    Consent.record(cast.ada, photo, "accepted", yesterday + timedelta(days=1))
    assert "Expired" not in section(olga, cast.ada)


def test_an_answer_that_was_an_error_is_missing_again(cast, olga):
    assert "missing" not in section(olga, cast.ada)
    wrong = {"entered_in_error": "on", "entered_in_error_reason": "another patient"}
    change(olga, cast, "consents", **wrong)
    assert "Mandatory and missing" in section(olga, cast.ada)


def test_a_kind_that_has_an_answer_is_changed_where_it_stands(cast, olga):
    taken = cast.consent_coding.key
    assert "has an answer already" in problems(
        add(olga, cast, "consents", coding=taken)
    )
    change(olga, cast, "consents", state="rejected", effective_date="2026-02-03")
    row = fresh(cast.belongings["consents"])
    assert (row.state, row.effective_date) == ("rejected", date(2026, 2, 3))
    assert "Rejected, from 3 Feb 2026" in section(olga, cast.ada)


def test_where_nothing_is_left_to_ask_the_form_says_so(cast, olga):
    url, sentence = address(cast.ada, "consents", "new"), "has an answer. Whoever"
    assert sentence in olga.get(url).content.decode()
    coding()
    assert sentence not in olga.get(url).content.decode()


def test_inactive_codings_are_not_offered_and_keep_what_was_said(cast, olga):
    cast.consent_coding.active = False
    cast.consent_coding.save()
    assert "Treatment" in section(olga, cast.ada)
    page = olga.get(address(cast.ben, "consents", "new"))
    assert page.status_code == 403
    cast.north.add(cast.ben)
    html = olga.get(address(cast.ben, "consents", "new")).content.decode()
    assert "Treatment" not in html


def test_an_end_that_was_said_stays_until_the_answer_is_another(cast, olga):
    row, end = cast.belongings["consents"], date(2026, 7, 8)
    Consent.record(cast.ada, row.coding, "accepted", date(2026, 1, 2), end)
    wrong = {"entered_in_error": "on", "entered_in_error_reason": "another patient"}
    change(olga, cast, "consents", **wrong)
    assert fresh(row).expired_date == end
    change(olga, cast, "consents", effective_date="2026-02-03")
    assert fresh(row).expired_date is None


def test_a_signed_form_is_shown_to_who_may_open_documents(cast, olga):
    row, form = cast.belongings["consents"], cast.document
    row.coding.proof_required = True
    row.coding.save()
    answer = (cast.ada, row.coding, "accepted", date(2026, 1, 2))
    Consent.record(*answer, form=form)
    link = f"/patient/{cast.ada.key}/documents/{form.key}/file/"
    html = section(olga, cast.ada)
    assert "Signed form kept" in html
    assert link not in html
    assert "Proof required" not in html
    give(cast.olga, "Document read")
    assert f'href="{link}"' in section(olga, cast.ada)
    Consent.record(*answer, form=cast.removed_document)
    assert "Proof required" in section(olga, cast.ada)
    Consent.record(*answer, form=form)
    change(olga, cast, "consents", effective_date="2026-02-03")
    assert fresh(row).form == form
    change(olga, cast, "consents", state="rejected")
    assert fresh(row).form is None


# The clinic's codings, in the administration ----------------------------------------------


@pytest.fixture
def seth(cast, signed_in):
    cast.seth = make_staff("seth", "Settings")
    return signed_in("seth")


def test_settings_makes_and_changes_codings(seth):
    values = {"code": "photo", "display": "Photos", "expiration_rule": "end_of_year"}
    assert submit(seth, f"{LIST}add/", FORM, **values).status_code == 302
    photo = ConsentCoding.objects.get()
    assert (photo.system, photo.expiration_rule) == ("INTERNAL", "end_of_year")
    submit(seth, admin_address(photo), FORM, display="Pictures", mandatory="on")
    assert (fresh(photo).display, fresh(photo).mandatory) == ("Pictures", True)
    assert "Pictures" in seth.get(LIST).content.decode()


def test_the_code_is_set_once(seth):
    photo = coding()
    assert "code" not in fields_of(seth.get(admin_address(photo)), FORM)
    submit(seth, admin_address(photo), FORM, code="other", display="Pictures")
    assert (fresh(photo).code, fresh(photo).display) == ("photo", "Pictures")
    photo.code = "other"
    with pytest.raises(ValueError, match="cannot change"):
        photo.save()


def test_code_and_version_are_unique_together(seth):
    coding("photo", system_version="1")
    same = {"code": "photo", "display": "x", "system_version": "1"}
    answer = submit(seth, f"{LIST}add/", FORM, **same)
    assert "There is a consent coding with this code and version." in errors_of(answer)
    submit(seth, f"{LIST}add/", FORM, **same | {"system_version": "2"})
    assert ConsentCoding.objects.count() == 2


def test_the_version_too_cannot_become_anothers(seth):
    coding("photo", system_version="1")
    second = coding("photo", system_version="2")
    answer = submit(seth, admin_address(second), FORM, system_version="1")
    assert "There is a consent coding with this code and version." in errors_of(answer)
    assert fresh(second).system_version == "2"


@pytest.mark.parametrize("who", ["nora", "olga", "max", "ruth", "nil"])
def test_nobody_else_sees_the_codings(cast, signed_in, who):
    photo = coding()
    for url in (LIST, f"{LIST}add/", admin_address(photo)):
        assert signed_in(who).get(url).status_code == 403
        assert signed_in(who).post(url).status_code == 403
