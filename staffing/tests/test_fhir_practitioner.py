"""FHIR Practitioner: who works here, made and changed as in the administration (facts 5.2)."""

import copy
import re
from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import give, make_application, make_staff
from canvas_admin.tests.programs import Program, said
from canvas_admin.tests.signing_in import letters, use_link, with_password
from staffing.models import (
    GroupChange,
    Location,
    Role,
    Staff,
    StaffContactPoint,
    StaffRole,
    User,
)

EXTENSIONS = "http://schemas.canvasmedical.com/fhir/extensions/"
USERNAME = f"{EXTENSIONS}practitioner-user-username"
PLACE = f"{EXTENSIONS}practitioner-primary-practice-location"
NPI = "http://hl7.org/fhir/sid/us-npi"
NPI_WORDS = "body -> identifier — an NPI has exactly 10 digits"


def role(code):
    """A role as clients write it."""
    coding = {"system": "http://schemas.canvasmedical.com/fhir/roles", "code": code}
    return {
        "url": f"{EXTENSIONS}roles",
        "extension": [{"url": "code", "valueCoding": coding}],
    }


def username(name):
    return {"url": USERNAME, "valueString": name}


def at(place):
    return {"url": PLACE, "valueReference": {"reference": f"Location/{place}"}}


def full(**changes):
    """A practitioner with all that is required, and more."""
    return {
        "resourceType": "Practitioner",
        "extension": [role("RN")],
        "identifier": [{"system": NPI, "value": "1234567893"}],
        "active": True,
        "name": [
            {"use": "usual", "family": "Garcia", "given": ["Maria"], "suffix": ["PhD"]}
        ],
        "telecom": [
            {"system": "phone", "value": "5550100", "use": "work", "rank": 1},
            {"system": "email", "value": "m@clinic.example", "use": "work", "rank": 1},
        ],
        "birthDate": "1984-05-06",
    } | changes


@pytest.fixture
def office(cast):
    """A program that administers staff."""
    return Program(make_application("Office", "Staff Permissions").staff)


def everything():
    """All that a refused request must leave as it is."""
    fields = ("pk", "is_superuser", "is_active", "password", "username", "email")
    return [
        sorted(User.objects.values_list(*fields)),
        sorted(User.groups.through.objects.values_list("user", "group")),
        sorted(StaffRole.objects.values_list("staff", "role")),
        sorted(Staff.objects.values_list("pk", "version", "active")),
        sorted(StaffContactPoint.objects.values_list("pk", "value")),
        GroupChange.objects.count(),
    ]


# Making somebody ----------------------------------------------------------------------


def test_a_practitioner_becomes_staff_with_an_account_and_roles(cast, office):
    made = Staff.objects.get(key=office.create("Practitioner", full()))
    user = made.user
    assert (made.name, made.suffix, made.npi) == ("Maria Garcia", "PhD", "1234567893")
    assert made.date_of_birth == date(1984, 5, 6)
    assert made.active
    assert (user.username, user.email) == ("mariagarcia", "m@clinic.example")
    assert not user.has_usable_password()
    assert user.is_active
    assert not user.is_superuser
    defaults = set(Role.objects.get(internal_code="RN").default_auth_groups.all())
    assert set(user.groups.all()) == defaults
    changes = GroupChange.objects.filter(user=user)
    assert {change.via for change in changes} == {GroupChange.Via.ROLE}
    assert {change.by for change in changes} == {"program-office"}
    acts = AuditRow.objects.filter(actor_name="program-office", outcome="done")
    assert set(acts.values_list("action", flat=True)) == {
        "account.made",
        "staff.added",
        "staff.role_added",
        "staff.grant",
    }


def test_no_link_comes_back(cast, office):
    answer = office.send("POST", "Practitioner", full(), prefer="return=representation")
    assert answer.status_code == 201
    assert "link" not in answer.content.decode()
    assert not AuditRow.objects.filter(action="account.link").exists()


def test_a_user_name_is_chosen_or_made_of_the_name(cast, office):
    by_later_pages = {"url": f"{EXTENSIONS}username", "valueString": "m.g"}
    for name, extension, wanted in [
        ("Garcia", [username("Maria.G")], "maria.g"),
        ("Garcia", [by_later_pages], "m.g"),
        ("O'Brien-Núñez", [], "mariaobriennúñez"),
    ]:
        name = [{"use": "usual", "family": name, "given": ["Maria"]}]
        key = office.create("Practitioner", full(name=name, extension=extension))
        assert Staff.objects.get(key=key).user.username == wanted


def test_a_user_name_that_somebody_has_is_told_as_the_original_does(cast, office):
    office.create("Practitioner", full())
    before = everything()
    text = (
        "Cannot create Staff with default generated username `mariagarcia` because "
        "Staff with same first name and last name already exists. Please provide "
        "unique username in payload."
    )
    answer = office.send("POST", "Practitioner", full())
    assert said(answer) == (422, "business-rule", text)
    chosen = full(extension=[username("NORA")])
    status, _code, text = said(office.send("POST", "Practitioner", chosen))
    assert (status, "`nora`" in text) == (422, True)
    assert everything() == before


def test_of_two_who_make_the_same_account_at_once_one_is_told(
    cast, office, monkeypatch
):
    """The second one looked before the first was saved."""
    office.create("Practitioner", full())
    before, rows = everything(), User.objects.filter

    def too_early(*args, **kwargs):
        return rows(*args, **kwargs).exclude(username="mariagarcia")

    monkeypatch.setattr(User.objects, "filter", too_early)
    status, _code, text = said(office.send("POST", "Practitioner", full()))
    assert (status, "`mariagarcia`" in text) == (422, True)
    assert everything() == before


def test_roles_that_nobody_knows_are_told_as_the_original_does(cast, office):
    for codes, text in [
        (["XY"], "Cannot find 1 Staff role(s) for the given role_codes.{'XY'}"),
        (
            ["ZZ", "RN", "XY", "ZZ"],
            "Cannot find 2 Staff role(s) for the given role_codes.{'XY', 'ZZ'}",
        ),
    ]:
        text = text.replace(".{", ".Missing roles: {")
        data = full(extension=[role(code) for code in codes])
        answer = office.send("POST", "Practitioner", data)
        assert said(answer) == (422, "business-rule", text)
    assert not User.objects.filter(username="mariagarcia").exists()


def test_somebody_without_roles_holds_nothing(cast, office):
    made = full()
    del made["extension"], made["identifier"], made["active"]
    staff = Staff.objects.get(key=office.create("Practitioner", made))
    assert not staff.staff_roles.exists()
    assert not staff.user.groups.exists()
    assert staff.active


def name(**parts):
    return {"name": [{"use": "usual", "family": "G", "given": ["M"]} | parts]}


PHONE = {"system": "phone", "value": "5550100", "use": "work", "rank": 1}
EMAIL = {"system": "email", "value": "m@clinic.example", "use": "work", "rank": 1}
NO_PHONE = "body -> telecom — has at least one phone with use 'work'"
ONE_EMAIL = "body -> telecom — has exactly one email with rank 1"
MALFORMED = [
    ({"birthDate": None}, "body -> birthDate — Field required (type=missing)"),
    ({"birthDate": "1984-05"}, "body -> birthDate — is a whole date: YYYY-MM-DD"),
    ({"birthDate": "3000-01-01"}, "body -> birthDate: the year is impossible"),
    ({"name": None}, "body -> name — Field required (type=missing)"),
    (name(use="official"), "body -> name — is one name, with use 'usual'"),
    (name(use=None), "body -> name — is one name, with use 'usual'"),
    (name(family=None), "body -> name -> 0 -> family — Field required (type=missing)"),
    (name(given=[" "]), None),
    (name(given=None), "body -> name -> 0 -> given — Field required (type=missing)"),
    (name(family="x" * 101), None),
    ({"telecom": None}, NO_PHONE),
    ({"telecom": [EMAIL]}, NO_PHONE),
    ({"telecom": [PHONE | {"use": "home"}, EMAIL]}, NO_PHONE),
    ({"telecom": [PHONE]}, ONE_EMAIL),
    ({"telecom": [PHONE, EMAIL, EMAIL | {"value": "n@clinic.example"}]}, ONE_EMAIL),
    ({"telecom": [PHONE, EMAIL | {"rank": 2}]}, ONE_EMAIL),
    (
        {"telecom": [PHONE, EMAIL, {"system": "fax", "value": "1", "use": "work"}]},
        "body -> telecom -> 2 -> rank — Field required (type=missing)",
    ),
    (
        {"telecom": [PHONE | {"value": "555-0100"}, EMAIL]},
        "body -> telecom -> 0 -> value — a phone is digits only",
    ),
    ({"telecom": [PHONE | {"value": "٣٣٣"}, EMAIL]}, None),
    ({"telecom": [PHONE, EMAIL | {"value": "nobody"}]}, None),
    ({"telecom": [PHONE] * 21}, None),
    ({"identifier": [{"system": NPI, "value": "123456789"}]}, NPI_WORDS),
    ({"identifier": [{"system": NPI, "value": "٣" * 10}]}, NPI_WORDS),
    ({"identifier": [{"system": NPI, "value": "1234567893"}] * 2}, None),
    ({"extension": [username("two words")]}, None),
    ({"extension": [username("x" * 151)]}, None),
    ({"extension": [username("a"), username("b")]}, None),
    ({"extension": [{"url": f"{EXTENSIONS}roles"}]}, None),
    ({"extension": [role("RN")] * 21}, None),
    ({"extension": [at("x")]}, None),
    (
        {"extension": [{"url": PLACE, "valueReference": {"reference": "Patient/x"}}]},
        None,
    ),
    (name(family="-", given=["-"]) | {"extension": []}, None),
]


@pytest.mark.parametrize(("changes", "text"), MALFORMED)
def test_what_is_malformed_is_said_and_nothing_is_made(cast, office, changes, text):
    before = everything()
    data = {k: v for k, v in full(**changes).items() if v is not None}
    if "name" in data:
        data["name"] = [{k: v for k, v in data["name"][0].items() if v is not None}]
    status, code, found = said(office.send("POST", "Practitioner", data))
    assert (status, code) in [(400, "invalid"), (422, "business-rule")]
    assert text in (None, found)
    assert everything() == before


def test_nobody_is_born_tomorrow(cast, office):
    tomorrow = clock.today() + timedelta(days=1)
    data = full(birthDate=tomorrow.isoformat())
    assert said(office.send("POST", "Practitioner", data))[0] == 400


# Reading ------------------------------------------------------------------------------


def test_who_may_write_is_shown_what_a_write_needs(cast, office):
    place = Location.objects.create(name="North office")
    data = full(extension=[role("RN"), username("m.g"), at(place.key)])
    path = f"Practitioner/{office.create('Practitioner', data)}"
    found = office.read(path)
    assert found["birthDate"] == "1984-05-06"
    urls = [each["url"].removeprefix(EXTENSIONS) for each in found["extension"]]
    assert urls == ["roles", "practitioner-user-username", PLACE[len(EXTENSIONS) :]]
    for other in (
        Program(make_application("Other", "Profile read").staff),
        Program(cast.ruth, scope="user/Practitioner.rs"),
    ):
        found = other.read(path)
        assert "birthDate" not in found
        assert "m.g" not in str(found)
        (found,) = other.search("Practitioner", name="maria")
        assert "birthDate" not in found


def test_what_was_read_is_accepted_and_changes_nothing(cast, office):
    place = Location.objects.create(name="North office")
    names = {"family": "Garcia Vega", "given": ["Ana Maria", "Luz"], "prefix": ["Dr."]}
    extension = [role("RN"), role("OM"), at(place.key)]
    key = office.create("Practitioner", full(extension=extension, **name(**names)))
    path = f"Practitioner/{key}"
    before = office.read(path)
    rows = everything()[1:3], sorted(StaffContactPoint.objects.values_list("pk"))
    assert office.update(path, before).status_code == 200
    assert office.read(path) == before
    assert rows == (
        everything()[1:3],
        sorted(StaffContactPoint.objects.values_list("pk")),
    )


def test_a_search_asks_no_more_for_more(cast, office):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            found = office.search("Practitioner", _count="100")
        return len(found), len(queries)

    asked()
    (few, queries), place = asked(), Location.objects.create(name="North office")
    for number in range(5):
        name = f"maria{number}"
        office.create(
            "Practitioner", full(extension=[role("RN"), username(name), at(place.key)])
        )
    assert asked() == (few + 5, queries)


# Changing -----------------------------------------------------------------------------


@pytest.fixture
def maria(cast, office):
    return Staff.objects.get(key=office.create("Practitioner", full()))


def path_of(staff):
    return f"Practitioner/{staff.key}"


def test_what_is_left_out_is_taken_away_but_no_group_and_no_user_name(
    cast, office, maria
):
    groups = set(maria.user.groups.all())
    data = full(telecom=[PHONE | {"value": "5550199"}, EMAIL])
    del data["extension"], data["identifier"], data["active"], data["name"][0]["suffix"]
    assert office.update(path_of(maria), data).status_code == 200
    maria = Staff.objects.get(pk=maria.pk)
    assert (maria.suffix, maria.npi, maria.primary_location) == ("", "", None)
    assert not maria.staff_roles.exists()
    assert set(maria.user.groups.all()) == groups
    assert maria.user.username == "mariagarcia"
    assert maria.active
    values = maria.contact_points.values_list("value", flat=True)
    assert set(values) == {"5550199", "m@clinic.example"}
    acts = AuditRow.objects.filter(subject=f"staff/{maria.key}")
    assert {"staff.role_removed", "staff.changed"} <= set(
        acts.values_list("action", flat=True)
    )


def test_a_role_that_is_added_gives_its_groups(cast, office, maria):
    data = full(extension=[role("RN"), role("FD")])
    assert office.update(path_of(maria), data).status_code == 200
    names = set(maria.user.groups.values_list("name", flat=True))
    assert {"Schedule write", "Clinical read"} <= names


def test_the_accounts_own_address_stays(cast, office, maria):
    data = full(telecom=[PHONE, EMAIL | {"value": "other@clinic.example"}])
    assert office.update(path_of(maria), data).status_code == 200
    maria.user.refresh_from_db()
    assert maria.user.email == "m@clinic.example"


def test_a_user_name_cannot_change(cast, office, maria):
    for name in ("other", "nora"):
        answer = office.update(path_of(maria), full(extension=[username(name)]))
        assert said(answer)[::2] == (422, "A user name cannot be changed")
    same = full(extension=[username("MariaGarcia")])
    assert office.update(path_of(maria), same).status_code == 200
    directory = Staff.objects.create(first_name="Dora", last_name="Directory")
    answer = office.update(path_of(directory), full(extension=[username("dora")]))
    assert said(answer)[0] == 422
    assert office.update(path_of(directory), full()).status_code == 200
    assert Staff.objects.get(pk=directory.pk).user is None


def test_an_older_version_does_not_win(cast, office, maria):
    path = path_of(maria)
    tag = office.get(path)["ETag"]
    later = full(name=[{"use": "usual", "family": "Vega", "given": ["Maria"]}])
    assert office.update(path, later, if_match=tag).status_code == 200
    before = everything()
    answer = office.update(path, full(), if_match=tag)
    assert said(answer)[:2] == (412, "conflict")
    long_ago = {"if_unmodified_since": "Sat, 01 Jan 2000 00:00:00 GMT"}
    assert said(office.update(path, full(), **long_ago))[0] == 412
    assert everything() == before


def test_a_place_that_is_closed_stays_with_whom_it_was(cast, office, maria):
    place = Location.objects.create(name="North office")
    data = full(extension=[at(place.key)])
    assert office.update(path_of(maria), data).status_code == 200
    place.active = False
    place.save()
    assert office.update(path_of(maria), data).status_code == 200
    other = full(extension=[at(place.key), username("other")])
    status, _code, text = said(office.send("POST", "Practitioner", other))
    assert (status, text) == (422, f"Unknown Location resource '{place.key}'")


def test_switching_off_ends_the_account_and_on_again(cast, office):
    path = path_of(cast.nora)
    for active in (False, True):
        data = full(active=active, extension=[role("RN")])
        assert office.update(path, data).status_code == 200
        user = User.objects.get(pk=cast.nora.user_id)
        assert (user.is_active, user.staff.active) == (active, active)
    acts = AuditRow.objects.filter(subject=f"staff/{cast.nora.key}")
    assert {"staff.deactivate", "staff.activate"} <= set(
        acts.values_list("action", flat=True)
    )


def test_nobody_who_is_missing_is_changed(cast, office):
    for key in ("0" * 32, "x"):
        text = f"Unknown Practitioner resource '{key}'"
        answer = office.update(f"Practitioner/{key}", full())
        assert said(answer) == (404, "not-found", text)


LINK, PARAMETERS = "$send-reset-password-email", {"resourceType": "Parameters"}


def test_a_one_time_link_is_mailed_to_the_accounts_address(cast, office, maria):
    answer = office.send("POST", f"{path_of(maria)}/{LINK}", PARAMETERS)
    assert (answer.status_code, answer.content) == (200, b"")
    (message,) = letters(1)
    assert message.to == ["m@clinic.example"]
    use_link(re.search(r"http://testserver(/\S+)", message.body)[1])
    maria.user.refresh_from_db()
    assert maria.user.has_usable_password()
    row = AuditRow.objects.get(action="account.link")
    assert (row.actor_name, row.subject) == ("program-office", f"user/{maria.user.key}")


def test_no_link_is_mailed_to_whom_nobody_helps(cast, office, maria):
    user = User.objects.create_superuser("boss", "boss@clinic.example", "x" * 20)
    boss = Staff.objects.create(user=user, first_name="Bo", last_name="Ss")
    directory = Staff.objects.create(first_name="Dora", last_name="Directory")
    program = make_application("Other").staff
    User.objects.update(email="x@clinic.example")
    User.objects.filter(pk=cast.nora.user_id).update(email="")
    for staff in (boss, directory, program, cast.ines, cast.nora):
        answer = office.send("POST", f"{path_of(staff)}/{LINK}", PARAMETERS)
        assert said(answer)[0] == 422, staff
    ruth = Program(cast.ruth)
    assert said(ruth.send("POST", f"{path_of(cast.ruth)}/{LINK}", PARAMETERS))[0] == 422
    sam = f"{path_of(cast.sam)}/{LINK}"
    for program, path, body, status in [
        (Program(cast.nora), sam, PARAMETERS, 403),
        (Program(cast.ruth, scope="user/Practitioner.crs"), sam, PARAMETERS, 403),
        (office, sam, {}, 400),
        (office, sam, [], 400),
        (office, f"Practitioner/{'0' * 32}/{LINK}", PARAMETERS, 404),
        (office, f"Practitioner/{cast.sam.key}/$other", PARAMETERS, 404),
        (office, f"Patient/{cast.ada.key}/{LINK}", PARAMETERS, 404),
        (office, f"Nothing/{cast.ada.key}/{LINK}", PARAMETERS, 404),
    ]:
        assert said(program.send("POST", path, body))[0] == status, path
    assert said(office.get(sam))[0] == 405
    assert mail.outbox == []
    assert not AuditRow.objects.filter(action="account.link").exists()


# Administering is not access ----------------------------------------------------------


def refused(program, method, path, data, reason):
    """A refusal that changes nothing, and is on the trail."""
    before = everything()
    status, _code, text = said(program.send(method, path, data))
    assert everything() == before
    row = AuditRow.objects.filter(outcome="refused").latest("pk")
    assert row.detail.get("reason", "") == reason
    return status, text


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_writing_needs_staff_permissions(cast, method):
    path = "Practitioner" if method == "POST" else path_of(cast.nora)
    every = (
        "Profile write",
        "Clinical write",
        "Settings",
        "Integrations",
        "Audit read",
    )
    for program in (
        Program(make_application("Bot", *every, "All Patients").staff),
        Program(cast.nora),
        Program(cast.ruth, scope="user/Practitioner.rs"),
    ):
        assert refused(program, method, path, full(), "")[0] == 403


@pytest.mark.parametrize(
    "group", ["All Patients", "Staff Permissions", "Settings", "Audit read"]
)
def test_no_role_that_opens_everything_is_assigned(cast, office, maria, group):
    opener = Role.objects.create(internal_code="ALL", name="All", domain="ADM")
    opener.default_auth_groups.add(Group.objects.get(name=group))
    data = full(extension=[role("RN"), role("ALL"), username("other")])
    status, text = refused(office, "POST", "Practitioner", data, "powerful_role")
    assert (status, group in text) == (422, True)
    data = full(extension=[role("RN"), role("ALL")])
    refused(office, "PUT", path_of(maria), data, "powerful_role")
    directory = Staff.objects.create(first_name="Dora", last_name="Directory")
    refused(office, "PUT", path_of(directory), data, "powerful_role")
    StaffRole(staff=maria, role=opener).save()
    assert office.update(path_of(maria), data).status_code == 200


def test_nobody_who_holds_everything_is_switched_on(cast, office):
    give(cast.ines, "All Patients")
    data = full(extension=[role("RN")])
    path = path_of(cast.ines)
    status, text = refused(office, "PUT", path, data, "powerful_person")
    assert (status, "All Patients" in text) == (422, True)
    assert office.update(path, data | {"active": False}).status_code == 200


def test_nobody_changes_the_roles_of_ones_own_account(cast):
    ruth, path = Program(cast.ruth), path_of(cast.ruth)
    kept = full(extension=[role("OM")])
    for data in (
        full(extension=[role("OM"), role("RN")]),
        full(extension=[role("RN")]),
        full(extension=[]) | {"extension": [username("ruth")]},
        kept | {"active": False},
    ):
        assert refused(ruth, "PUT", path, data, "own_account")[0] == 422
    assert ruth.update(path, kept).status_code == 200


def test_no_program_changes_itself_or_another(cast, office):
    itself = Staff.objects.get(service=True, last_name="Office")
    other = make_application("Other").staff
    for staff in (itself, other):
        for data in (full(), full(active=False)):
            refused(office, "PUT", path_of(staff), data, "program")


def test_an_operator_is_not_touched(cast, office):
    user = User.objects.create_superuser("boss", "boss@clinic.example", "x" * 20)
    boss = Staff.objects.create(user=user, first_name="Bo", last_name="Ss")
    for data in (full(), full(active=False), full(extension=[username("boss")])):
        refused(office, "PUT", path_of(boss), data, "superuser")


def test_the_last_administrator_is_not_switched_off(cast, office):
    with_password(cast.ruth.user)
    data = full(active=False, extension=[role("OM")])
    path = path_of(cast.ruth)
    status, text = refused(office, "PUT", path, data, "last_administrator")
    assert (status, "last person" in text) == (422, True)
    with_password(make_staff("rosa", "Staff Permissions").user)
    assert office.update(path, data).status_code == 200


@pytest.mark.parametrize("value", [True, "true", "True", 1, "1", "on"])
def test_no_other_field_is_written(cast, office, maria, value):
    powers = ("is_superuser", "is_staff", "groups", "user_permissions", "password")
    for power in powers:
        for holder in ("root", "extension"):
            data = copy.deepcopy(full())
            if holder == "root":
                data[power] = value
            else:
                extension = {"url": f"{EXTENSIONS}{power}", "valueString": str(value)}
                data["extension"].append(extension)
            office.update(path_of(maria), data)
    user = User.objects.get(pk=maria.user_id)
    assert not user.is_superuser
    assert not user.has_usable_password()
    defaults = Role.objects.get(internal_code="RN").default_auth_groups.all()
    assert set(user.groups.all()) == set(defaults)
