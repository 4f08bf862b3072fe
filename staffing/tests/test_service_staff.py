"""A program has an account, and no door through which a person comes in."""

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db.models import ProtectedError
from django.test import Client

from canvas_admin.records.addresses import address
from canvas_admin.testing import give, make_application
from canvas_admin.tests.signing_in import (
    is_signed_in,
    sign_in,
    use_link,
    with_password,
)
from patients import booking, unreachable
from patients.forms.care_team import who_can_care
from patients.work.assigning import Assignees
from staffing.accounts import one_time_path
from staffing.forms.staff import StaffForm
from staffing.forms.teams import TeamForm
from staffing.models import (
    Role,
    Staff,
    StaffPermissions,
    StaffRole,
    User,
)
from staffing.models.staff import LastAdministrator
from staffing.tests.pages import submit

ROBOT = "program-lab-feed"


@pytest.fixture(autouse=True)
def _no_rate_limit_from_another_test():
    cache.clear()


@pytest.fixture
def feed(cast):
    return make_application("Lab feed", "Profile read", "Patients: North")


def by_password(user):
    """Somebody wrote a password into the database."""
    with_password(user)
    return sign_in(ROBOT).client


def by_one_time_link(user):
    path = one_time_path(user)
    assert "no longer valid" in use_link(path).text
    return sign_in(ROBOT).client


def by_forgotten_password(user):
    with_password(user)
    Client().post("/account/password/reset/", {"email": user.email})
    assert mail.outbox == []
    return Client()


def by_session(user):
    client = Client()
    client.force_login(user, backend="staffing.backends.StaffBackend")
    return client


def by_second_step(user):
    with_password(user)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    client = sign_in(ROBOT).client
    client.post("/account/two-factor/authenticate/", {"code": "123456"})
    return client


DOORS = [
    by_password,
    by_one_time_link,
    by_forgotten_password,
    by_session,
    by_second_step,
]


@pytest.mark.parametrize("door", DOORS)
def test_no_door_opens(feed, door):
    user = feed.staff.user
    assert not user.has_usable_password()
    assert not is_signed_in(door(user))


def test_an_operator_gets_no_link_for_it(feed):
    with pytest.raises(CommandError, match="acts for a program"):
        call_command("sign_in_link", ROBOT)


def test_administrators_get_no_link_for_it_and_do_not_change_its_account(
    cast, signed_in, feed
):
    ruth, user = signed_in("ruth"), feed.staff.user
    for page in ("link", "second-step-off"):
        for ask in (ruth.get, ruth.post):
            assert ask(f"/admin/staffing/user/{user.key}/{page}/").status_code == 403
    assert ruth.post(address(user), {"email": "x@clinic.example"}).status_code == 403
    user.refresh_from_db()
    assert user.email == ""


def test_it_is_marked_as_a_program_wherever_staff_are_listed(cast, signed_in, feed):
    ruth = signed_in("ruth")
    for page in (
        "/admin/staffing/staff/",
        "/admin/staffing/staffpermissions/",
        "/admin/staffing/user/",
        address(feed.staff),
        address(StaffPermissions.objects.get(pk=feed.staff.pk)),
    ):
        assert "Lab feed (program)" in ruth.get(page).content.decode(), page


def test_it_is_no_choice_where_people_are(cast, feed):
    program = feed.staff
    team = TeamForm()
    assert program not in team.fields["members"].queryset
    assert program not in Assignees(None, []).people
    assert program not in booking.providers()
    assert program not in who_can_care()
    assert program.user not in StaffForm.base_fields["account"].queryset


def test_it_has_no_roles_and_never_becomes_a_person(cast, feed):
    nurse = Role.objects.get(internal_code="RN")
    with pytest.raises(ValidationError, match="no roles"):
        StaffRole(staff=feed.staff, role=nurse).save()
    feed.staff.service = False
    with pytest.raises(ValidationError, match="never becomes a person"):
        feed.staff.save()
    for row in (feed, feed.staff):
        with pytest.raises(ProtectedError):
            row.delete()


def test_its_name_follows_the_application(feed):
    feed.name = "Results"
    feed.save()
    assert str(Staff.objects.get(pk=feed.staff.pk)) == "Results (program)"
    assert User.objects.get(pk=feed.staff.user_id).username == ROBOT


def test_two_names_that_look_alike_make_two_accounts(feed):
    other = make_application("Lab: feed!")
    assert other.staff.user.username.startswith(f"{ROBOT}-")


def test_staff_permissions_gives_it_groups_on_the_page_that_is_there(
    cast, signed_in, feed
):
    page = address(StaffPermissions.objects.get(pk=feed.staff.pk))
    answer = submit(
        signed_in("ruth"), page, "staffpermissions_form", groups=["Tasking access"]
    )
    assert answer.status_code == 302
    assert [group.name for group in feed.staff.user.groups.all()] == ["Tasking access"]


def test_staff_permissions_switches_it_off_and_on(cast, signed_in, feed):
    ruth = signed_in("ruth")
    for act, active in (("deactivate", False), ("activate", True)):
        url = f"/admin/staffing/staff/{feed.staff.key}/{act}/"
        assert "program" in ruth.get(url).content.decode()
        ruth.post(url)
        feed.staff.refresh_from_db()
        assert feed.staff.active is active
    changes = {"last_name": "Nobody", "form_version": feed.staff.version}
    assert ruth.post(address(feed.staff), changes).status_code == 403


def test_it_does_not_count_as_an_administrator_who_is_left(cast, feed):
    give(feed.staff, "Staff Permissions")
    with_password(feed.staff.user)
    with_password(cast.ruth.user)
    cast.ruth.refresh_from_db()
    cast.ruth.active = False
    with pytest.raises(LastAdministrator):
        cast.ruth.save()


def test_a_patient_whom_a_program_alone_reaches_is_one_whom_nobody_can_open(cast, feed):
    for staff in (cast.nora, cast.max, cast.ines):
        for group in staff.user.groups.all():
            staff.revoke(group)
    assert cast.ada in unreachable.unreachable()


def test_a_program_with_a_password_is_still_no_person(feed):
    with_password(feed.staff.user)
    assert feed.staff.user not in User.objects.able_to_sign_in()
    assert feed.staff.user in User.objects.live()
