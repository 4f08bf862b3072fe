"""The administration of applications: for "Integrations" alone, and without groups."""

import re

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from canvas_admin.audit.models import AuditRow
from canvas_admin.records.addresses import address
from canvas_admin.testing import give, make_application, make_staff, token_of
from staffing.models import Application, GroupChange, Staff, User
from staffing.tests.pages import errors_of, fields_of, history_of, submit
from staffing.tests.programs import ask, named, post

pytestmark = pytest.mark.urls("staffing.tests.programs")
ADD = "/admin/staffing/application/add/"
LIST = "/admin/staffing/application/"
FORM = "application_form"


@pytest.fixture
def ivy(cast, signed_in):
    """Somebody with "Integrations" and nothing else."""
    cast.ivy = make_staff("ivy", "Integrations")
    return signed_in("ivy")


@pytest.fixture
def feed(cast):
    return make_application("Lab feed")


def made_by(client, **changes):
    """The answer to the form for a new application."""
    return submit(client, ADD, FORM, **{"name": "Results"} | changes)


def secret_in(answer):
    text = answer.content.decode()
    return re.search(r'id="client-secret"[^>]*>([^<]+)<', text).group(1)


def pages_about(application):
    yield from (LIST, ADD, address(application), address(application, page="history"))
    yield address(application, page="secret")
    yield address(application, page="revoke")


# Who ------------------------------------------------------------------------------------


def test_the_pages_are_open_to_integrations_alone(cast, signed_in, ivy, feed):
    give(cast.max, "Settings", "Audit read", "Staff Permissions")
    pages = list(pages_about(feed))
    for url in pages:
        assert ivy.get(url).status_code == 200, url
    for name in ("ruth", "max", "nora"):
        client = signed_in(name)
        for url in pages:
            assert client.get(url).status_code == 403, (name, url)
            assert client.post(url).status_code == 403, (name, url)
    assert ivy.get(address(feed, page="delete")).status_code == 403


def test_integrations_opens_nothing_else_and_gives_no_group(cast, ivy, feed):
    staff = feed.staff
    closed = [
        "/admin/staffing/staff/",
        "/admin/staffing/staffpermissions/",
        f"/admin/staffing/staffpermissions/{staff.key}/change/",
        f"/admin/staffing/staff/{staff.key}/deactivate/",
        f"/patient/{cast.ada.key}/",
    ]
    for url in closed:
        assert ivy.get(url).status_code == 403
        assert ivy.post(url, {"groups": ["All Patients"]}).status_code in (403, 405)
    before = GroupChange.objects.count()
    forged = {
        "groups": ["All Patients"],
        "staff": cast.max.key,
        "user": cast.max.user.key,
        "client_id": "mine",
        "client_secret": "mine",
        "skip_authorization": "on",
    }
    made_by(ivy, **forged)
    submit(ivy, address(feed), FORM, **forged)
    assert GroupChange.objects.count() == before
    for application in Application.objects.all():
        assert not application.staff.user.groups.exists()
        assert application.staff.service
        assert application.client_id != "mine"
        assert not application.skip_authorization
    page = ivy.get(address(feed)).content.decode()
    assert "staffpermissions" not in page


def test_the_front_page_leads_there(ivy, signed_in):
    assert f'href="{LIST}"' in ivy.get(reverse("admin:index")).content.decode()
    other = signed_in("ruth").get(reverse("admin:index")).content.decode()
    assert LIST not in other


# Making and changing --------------------------------------------------------------------


def test_a_new_application_has_a_service_staff_and_a_secret_that_is_shown_once(
    cast, ivy
):
    answer = made_by(ivy, scopes="system/Patient.rs")
    secret = secret_in(answer)
    application = Application.objects.get(name="Results")
    staff = application.staff
    assert (str(staff), staff.user.username) == ("Results (program)", "program-results")
    assert not staff.user.groups.exists()
    application.secret = secret
    assert ask(token_of(application)).json()["may"] == ["read", "search"]
    for url in pages_about(application):
        assert secret not in ivy.get(url).content.decode()
    acts = AuditRow.objects.filter(actor=cast.ivy.user.key).values_list("action")
    assert {"account.made", "application.added"} <= {act for (act,) in acts}


def test_one_form_sent_twice_makes_one(ivy):
    data = fields_of(ivy.get(ADD), FORM) | {"name": "Results", "_save": "Save"}
    ivy.post(ADD, data)
    assert ivy.post(ADD, data).status_code == 302
    assert Application.objects.count() == 1
    assert Staff.objects.filter(service=True).count() == 1


REFUSED = [
    ({"name": ""}, "required"),
    ({"name": "Lab feed"}, "exists already"),
    ({"authorization_grant_type": "implicit"}, "not one of the available choices"),
    ({"authorization_grant_type": "authorization-code"}, "needs a redirect address"),
    ({"redirect_uris": "http://app.example/"}, "cannot be used"),
    ({"redirect_uris": "https://*.app.example/"}, "cannot be used"),
    ({"redirect_uris": "https://app.example/#x"}, "cannot be used"),
    ({"redirect_uris": "https://me@app.example/"}, "cannot be used"),
    ({"redirect_uris": "https://app.example/ javascript:x"}, "cannot be used"),
    ({"redirect_uris": "https://[::1/"}, "cannot be used"),
    ({"scopes": "patient/Patient.read"}, "is no scope"),
    ({"scopes": "system/Patient.rs, system/Task.rs"}, "is no scope"),
]


def test_what_cannot_work_is_said_at_its_field(ivy, feed):
    for changes, sentence in REFUSED:
        answer = made_by(ivy, **changes)
        assert sentence in errors_of(answer), changes
    assert Application.objects.count() == 1
    assert User.objects.filter(username__startswith="program-").count() == 1


def test_name_addresses_and_scopes_are_changed_and_how_it_acts_is_not(ivy, feed):
    changes = {
        "name": "Results",
        "redirect_uris": "https://a.example/x\r\n  https://b.example/y",
        "scopes": " system/Patient.rs   system/Task.* ",
        "authorization_grant_type": "authorization-code",
    }
    assert submit(ivy, address(feed), FORM, **changes).status_code == 302
    feed.refresh_from_db()
    assert feed.redirect_uris.split() == ["https://a.example/x", "https://b.example/y"]
    assert feed.scopes == "system/Patient.rs system/Task.*"
    assert feed.authorization_grant_type == Application.Grant.CREDENTIALS
    assert str(Staff.objects.get(pk=feed.staff_id)) == "Results (program)"
    assert AuditRow.objects.filter(action="application.changed").count() == 1


def test_a_stale_form_is_refused_with_both_versions(ivy, feed):
    data = fields_of(ivy.get(address(feed)), FORM)
    feed.name = "Theirs"
    feed.save()
    answer = ivy.post(address(feed), data | {"name": "Mine", "_save": "Save"})
    assert "yours is “Mine”, saved is “Theirs”" in errors_of(answer)


def test_switched_off_the_next_request_is_refused(ivy, feed):
    token = token_of(feed)
    data = fields_of(ivy.get(address(feed)), FORM)
    del data["active"]
    ivy.post(address(feed), data | {"_save": "Save"})
    assert ask(token).status_code == 401


# Acts -----------------------------------------------------------------------------------


def test_a_new_secret_is_asked_for_shown_once_and_ends_the_old_one(cast, ivy, feed):
    url, old = address(feed, page="secret"), feed.secret
    assert "good for nothing" in ivy.get(url).content.decode()
    data = {"grant_type": "client_credentials"}
    assert post("/auth/token/", named(feed, **data)).status_code == 200
    feed.secret = secret_in(ivy.post(url))
    assert feed.secret != old
    assert post("/auth/token/", named(feed, **data)).status_code == 200
    refused = post("/auth/token/", named(feed, **data, client_secret=old))
    assert refused.status_code == 401
    row = AuditRow.objects.get(action="application.secret")
    assert (row.actor, row.subject) == (cast.ivy.user.key, f"application/{feed.key}")
    assert "A new secret was made." in history_of(ivy, feed)


def test_all_tokens_are_revoked_after_a_question(ivy, feed):
    tokens, url = [token_of(feed), token_of(feed)], address(feed, page="revoke")
    ivy.get(url)
    assert ask(tokens[0]).status_code == 200
    answer = ivy.post(url, follow=True)
    assert "2 tokens of Lab feed are revoked." in answer.content.decode()
    assert {ask(token).status_code for token in tokens} == {401}
    assert AuditRow.objects.get(action="application.revoke").detail == {"tokens": 2}


def test_the_list_asks_as_much_for_one_as_for_many(
    cast, ivy, feed, django_assert_num_queries, django_assert_max_num_queries
):
    ivy.get(LIST)
    with django_assert_max_num_queries(20) as few:
        ivy.get(LIST)
    for number in range(4):
        make_application(f"Feed {number}")
    with django_assert_num_queries(len(few)):
        text = ivy.get(LIST).content.decode()
    assert "Feed 3 (program), program-feed-3" in text


def test_no_group_is_tied_to_an_application(feed):
    """What a program may do is what its service staff holds."""
    assert not Group.objects.filter(name__icontains="lab feed").exists()
