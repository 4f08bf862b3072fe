"""What a choice of groups would open: the fragment beside Staff Permissions."""

from types import SimpleNamespace
from typing import Any

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_staff
from patients.admin import effective

URL = "/admin/effective/"
READERS = ["Clinical read", "Profile read"]


# The screens that any of the twelve opens.
ANY = ("find", "schedule", "appointments")


def ask(client: Any, staff: Any, *names: str) -> Any:
    return client.post(URL, {"staff": staff.key, "groups": names})


@pytest.mark.parametrize(
    ("names", "screens", "count"),
    [
        ((), [], 0),
        (("Profile read", "Patients: North"), [*ANY, "profile"], 1),
        (
            ("Clinical read", "Patients: North", "Patients: South"),
            [*ANY, "chart", "panels", "profile"],
            2,
        ),
        (("Patient create",), [*ANY, "create", "profile"], 0),
        (("Profile write",), ANY, 0),
        (("Profile read", "Profile write"), [*ANY, "profile", "edit-profile"], 0),
        (("All Patients",), [], 3),
        (("Staff Permissions",), [], 0),
    ],
)
def test_screens_and_patients_follow_the_choice_not_what_is_saved(
    cast: SimpleNamespace,
    signed_in: Any,
    names: tuple[str, ...],
    screens: list[str],
    count: int,
) -> None:
    answer = ask(signed_in("ruth"), cast.nil, *names)
    assert answer.status_code == 200
    assert {area.code for area in answer.context["screens"]} == set(screens)
    assert answer.context["count"] == count
    assert not cast.nil.user.groups.exists()


def test_the_count_agrees_with_the_rule_once_it_is_saved(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    from_rule = type(cast.ada).objects.accessible_to(cast.nora.user).count()
    held = cast.nora.user.groups.values_list("name", flat=True)
    assert ask(signed_in("ruth"), cast.nora, *held).context["count"] == from_rule


def test_a_switched_off_group_and_one_that_is_none_count_for_nothing(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    cast.north.use_for_permissions = False
    cast.north.save()
    names = ["Patients: North", "No such", "1", "\x00", "x" * 10_000]
    answer = ask(signed_in("ruth"), cast.nil, *names)
    assert answer.context["count"] == 0


@pytest.mark.parametrize("key", ["", "1", "\x00", "x" * 10_000, "0" * 32])
def test_nobody_in_particular_reaches_nobody(
    cast: SimpleNamespace, signed_in: Any, key: str
) -> None:
    data = {"staff": key, "groups": READERS}
    assert signed_in("ruth").post(URL, data).context["count"] == 0


def test_counting_stops(
    cast: SimpleNamespace, signed_in: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(effective, "MOST", 2)
    html = ask(signed_in("ruth"), cast.nil, "All Patients").content.decode()
    assert "more than" in html


def test_it_warns_about_the_choice(cast: SimpleNamespace, signed_in: Any) -> None:
    html = ask(signed_in("ruth"), cast.nil, "Clinical write").content.decode()
    assert "opens no chart by itself" in html


def test_no_patient_is_named_and_the_question_is_recorded(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    html = ask(signed_in("ruth"), cast.nil, "All Patients", *READERS).content.decode()
    for patient in (cast.ada, cast.ben, cast.cyn):
        assert patient.last_name not in html
        assert patient.key not in html
    row = AuditRow.objects.get(action="permissions.effective")
    assert (row.actor, row.outcome) == (cast.ruth.user.key, "shown")
    assert row.detail["staff"] == cast.nil.key
    assert set(row.detail["groups"]) == {"All Patients", *READERS}


@pytest.mark.parametrize("name", ["sue", "nora", "max", "nil"])
def test_others_may_not_ask(cast: SimpleNamespace, signed_in: Any, name: str) -> None:
    cast.sue = make_staff("sue", "Settings")
    assert ask(signed_in(name), cast.nil, "All Patients").status_code == 403


def test_anonymous_is_sent_to_sign_in_and_a_get_is_refused(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    assert ask(signed_in(None), cast.nil).status_code == 302
    assert signed_in("ruth").get(URL).status_code == 405
