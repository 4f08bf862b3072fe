"""Forms and admin over keyed, versioned rows, tried on the simplest of our models."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.contrib.admin.models import LogEntry
from django.db.models import BLANK_CHOICE_DASH, DateTimeField

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.records.addresses import address, linked
from canvas_admin.records.lookups import Prepared, Slot
from canvas_admin.records.models import new_key
from canvas_admin.testing import make_staff
from patients.models import Patient
from staffing.models import GroupChange, Location, Role
from staffing.tests.pages import errors_of, fields_of, submit

LIST = "/admin/staffing/location/"
FORM = "location_form"


@pytest.fixture
def sue(cast: SimpleNamespace, signed_in: Any) -> Any:
    """The client of somebody who keeps the clinic's lists."""
    cast.sue = make_staff("sue", "Settings")
    return signed_in("sue")


def test_a_row_is_added_and_found_by_its_key(sue: Any) -> None:
    answer = submit(sue, f"{LIST}add/", FORM, name="Main street")
    assert answer.status_code == 302
    location = Location.objects.get()
    assert address(location) == f"{LIST}{location.key}/change/"
    assert sue.get(address(location)).status_code == 200
    assert address(location) in sue.get(LIST).content.decode()


def test_every_save_is_in_history_and_trail_by_the_key(
    cast: SimpleNamespace, sue: Any
) -> None:
    submit(sue, f"{LIST}add/", FORM, name="Main street")
    location = Location.objects.get()
    submit(sue, address(location), FORM, name="Side street")
    done = AuditRow.objects.filter(subject=f"location/{location.key}").order_by("id")
    assert [row.action for row in done] == ["location.added", "location.changed"]
    assert {row.actor for row in done} == {cast.sue.user.key}
    assert set(LogEntry.objects.values_list("object_id", flat=True)) == {location.key}
    history = sue.get(address(location, page="history")).content.decode()
    assert "Changed Name" in history


def test_saving_what_is_there_is_no_change(sue: Any) -> None:
    location = Location.objects.create(name="Main street")
    submit(sue, address(location), FORM)
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("key", ["1", "0" * 32, "x" * 10_000, "a%00b", "../../", "é"])
def test_what_is_no_key_leads_nowhere(sue: Any, key: str) -> None:
    Location.objects.create(name="Main street")
    for page in ("change", "history"):
        assert sue.get(f"{LIST}{key}/{page}/").status_code in (302, 404)


@pytest.mark.parametrize("value", ["", "0", "-1", "nonsense", "\x00", "9" * 10_000])
def test_a_forged_version_is_a_conflict_or_an_error(sue: Any, value: str) -> None:
    location = Location.objects.create(name="Main street")
    answer = submit(sue, address(location), FORM, name="Other", form_version=value)
    assert answer.status_code == 200
    assert errors_of(answer)
    location.refresh_from_db()
    assert location.name == "Main street"


def test_two_tabs_see_both_versions_and_the_second_may_then_save(sue: Any) -> None:
    location = Location.objects.create(name="Main street")
    data = fields_of(sue.get(address(location)), FORM)
    submit(sue, address(location), FORM, name="Theirs")
    refused = sue.post(address(location), data | {"name": "Mine"})
    assert "Name: yours is “Mine”, saved is “Theirs”." in errors_of(refused)
    location.refresh_from_db()
    assert location.name == "Theirs"
    sue.post(address(location), fields_of(refused, FORM))
    location.refresh_from_db()
    assert location.name == "Mine"


@pytest.mark.parametrize("name", ["a\x00b", "a\u202eb", "x" * 10_000, ""])
def test_bad_input_is_an_error_in_the_form(sue: Any, name: str) -> None:
    answer = submit(sue, f"{LIST}add/", FORM, name=name)
    assert errors_of(answer)
    assert not Location.objects.exists()


def test_a_name_taken_at_the_same_moment_is_an_error_in_the_form(
    sue: Any, monkeypatch: Any
) -> None:
    """The other one was saved between this form's check and its save."""
    Location.objects.create(name="Main street")
    monkeypatch.setattr(Location, "validate_unique", lambda *args, **kwargs: None)
    monkeypatch.setattr(Location, "validate_constraints", lambda *args, **kwargs: None)
    answer = submit(sue, f"{LIST}add/", FORM, name="Main street")
    assert "at this moment" in errors_of(answer)
    assert fields_of(answer, FORM)["name"] == ["Main street"]
    assert Location.objects.count() == 1


@pytest.mark.parametrize(
    ("query", "statuses"),
    [
        ({"q": "main"}, {200}),
        ({"active__exact": "1"}, {200}),
        ({"q": "a\x00b"}, {302}),
        ({"active__exact": "\x00"}, {302}),
        ({"active__regex": ".*"}, {400}),
        ({"key__startswith": "a"}, {400}),
        ({"name": "Main street"}, {400}),
        ({"_to_field": "id"}, {302}),
        ({"_popup": "1"}, {302}),
        ({"e": "1", "p": "x"}, {200, 302}),
        ({"o": "-99.x"}, {200}),
    ],
)
def test_lists_answer_to_declared_filters_alone(
    sue: Any, query: dict[str, str], statuses: set[int]
) -> None:
    assert sue.get(LIST, query).status_code in statuses


def test_there_are_no_bulk_actions(sue: Any) -> None:
    location = Location.objects.create(name="Main street")
    sue.post(LIST, {"action": "delete_selected", "_selected_action": [location.pk]})
    assert Location.objects.exists()


def test_choices_are_named_by_keys_and_groups_by_names(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    home = Location.objects.create(name="Main street")
    ruth = signed_in("ruth")
    page = ruth.get(address(cast.nora)).content.decode()
    assert f'value="{home.key}"' in page
    role = Role.objects.get(internal_code="RN")
    chosen = fields_of(ruth.get(address(role)), "role_form")["default_auth_groups"]
    assert "Clinical read" in chosen
    submit(ruth, address(cast.nora), "staff_form", primary_location=home.key)
    cast.nora.refresh_from_db()
    assert cast.nora.primary_location == home


def test_the_empty_choice_is_a_word() -> None:
    choices = [*BLANK_CHOICE_DASH, ("a", "A")]
    form = type("Asking", (forms.Form,), {"what": forms.ChoiceField(choices=choices)})
    shown = str(form()["what"])
    assert '<option value="" selected>Not chosen</option>' in shown
    assert '<option value="a">A</option>' in shown


def test_a_key_is_set_once(db: None) -> None:
    location = Location.objects.create(name="Main street")
    location.key = new_key()
    with pytest.raises(ValueError, match="cannot change"):
        location.save()


def test_a_row_without_a_page_is_named_without_a_link(cast: SimpleNamespace) -> None:
    held = cast.nora.staff_roles.get()
    assert linked(held) == "Nurse"
    assert linked(GroupChange.objects.first()).startswith("<a href=")


# Many keys as one parameter, and queries that are compiled once --------------------------


def test_known_as_finds_who_is_called_so(cast):
    nora = cast.nora.user
    for key in (nora.key, nora.key.upper(), cast.nora.key, new_key(), ""):
        found = GroupChange.objects.filter(user__known_as=key)
        assert set(found) == set(GroupChange.objects.filter(user__key=key)), key
    of_nora = GroupChange.objects.filter(user__known_as=nora.key)
    assert set(of_nora) == set(GroupChange.objects.filter(user=nora)) != set()
    others = GroupChange.objects.exclude(user__known_as=nora.key)
    assert set(others) == set(GroupChange.objects.exclude(user=nora)) != set()
    assert not GroupChange.objects.filter(role__known_as=new_key()).exists()


@pytest.mark.parametrize("wanted", [[], ["ada"], ["ada", "cyn"]])
def test_among_takes_any_number_of_keys_as_one_parameter(cast, wanted):
    pks = [getattr(cast, name).pk for name in wanted]
    found = Patient.objects.filter(pk__among=pks)
    assert set(found) == {getattr(cast, name) for name in wanted}
    _sql, parameters = found.order_by().query.sql_with_params()
    assert len(parameters) == 1


def test_a_prepared_query_is_compiled_once_and_filled_anew(cast):
    built = []

    def build():
        built.append(True)
        born = Slot("now", DateTimeField())
        return Patient.objects.filter(created__lte=born, pk__among=Slot("pks"))

    prepared, now = Prepared(build), clock.now()
    everyone = [cast.ada.pk, cast.ben.pk]
    assert set(prepared.rows(pks=everyone, now=now)) == {cast.ada, cast.ben}
    assert set(prepared.rows(pks=[cast.ben.pk], now=now)) == {cast.ben}
    assert not list(prepared.rows(pks=everyone, now=now - timedelta(days=9000)))
    assert built == [True]
