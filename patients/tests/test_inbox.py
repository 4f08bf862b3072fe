"""Data integration: what is taken in, who sees it, how it is served, rejected, assigned."""

import re
from pathlib import Path

import pytest
from django.utils import timezone
from django.utils.formats import date_format

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_staff
from patients import uploads
from patients.forms import incoming
from patients.models import IncomingFile
from patients.tests.inbox import (
    HOLDER,
    INBOX,
    PDF,
    PNG,
    act,
    form_of,
    link,
    upload,
    uploaded,
)
from patients.views.data_integration import PAGE
from staffing.models import Team, TeamMember


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def clinic(cast):
    """nora links files, to ada; pat holds Data integration access and nothing else."""
    give(cast.nora, *HOLDER)
    cast.pat = make_staff("pat", *HOLDER)
    return cast


def text(client, address=INBOX):
    return client.get(address).content.decode()


def test_files_are_uploaded_together_and_wait_in_the_inbox(clinic, signed_in):
    client = signed_in("pat")
    team = Team.objects.create(name="Front office")
    answer = upload(client, PDF, PNG, comment="Two pages", team=f"{team.key}")
    assert answer["Location"] == INBOX
    png, pdf = IncomingFile.objects.order_by("-pk")
    assert (pdf.media_type, png.media_type) == ("application/pdf", "image/png")
    for row in (pdf, png):
        assert (row.state, row.source, row.uploaded_by) == ("new", "fax", clinic.pat)
        assert (row.comment, row.team) == ("Two pages", team)
        assert row.assigned_at == row.uploaded
        assert "Ada" not in row.file.name
    page = text(client)
    assert "2 files are in the inbox." in page
    assert page.count("Two pages") == page.count("Front office") == 2
    # The name of a file may hold a patient's, and is kept nowhere.
    assert "Alvarez" not in page + str(list(IncomingFile.objects.values()))


@pytest.mark.parametrize(
    ("contents", "fields", "said"),
    [
        ([b"<script>alert(1)</script>"], {}, "Only PDF"),
        ([b"<svg xmlns='http://www.w3.org/2000/svg'/>"], {}, "Only PDF"),
        ([b""], {}, "empty"),
        ([PDF[:-5]], {}, "end of this file is missing"),
        ([PDF + b"x" * 64], {}, "larger than"),
        ([PDF, PDF[:-5]], {}, "File 2 of 2: The end"),
        ([PDF] * 21, {}, "more than 20 files"),
        ([PDF + b" " * 30] * 5, {}, "Together"),
        ([], {}, "required"),
        ([PDF], {"source": "pigeon"}, "valid choice"),
        ([PDF], {"comment": "a\u202eb"}, "cannot be saved"),
        ([PDF], {"assignee": "0" * 32}, "valid choice"),
        ([PDF], {"form_token": ""}, "damaged"),
    ],
)
def test_what_is_refused_says_why_and_leaves_nothing(
    clinic, signed_in, monkeypatch, settings, contents, fields, said
):
    monkeypatch.setattr(uploads, "LARGEST", 64)
    monkeypatch.setattr(incoming, "LARGEST", 250)
    response = upload(signed_in("pat"), *contents, **fields)
    page = response.content.decode()
    assert response.status_code == 200
    assert said in page
    assert "Alvarez" not in page
    assert not IncomingFile.objects.exists()
    assert not [each for each in Path(settings.MEDIA_ROOT).rglob("*") if each.is_file()]


def test_a_file_is_given_to_a_reviewer(clinic, signed_in):
    client = signed_in("pat")
    file = uploaded(client)
    assert file.assigned_at is None
    act(client, file, "change/", source="scan", comment="", assignee=clinic.nora.key)
    file.refresh_from_db()
    assert (file.assignee, file.source) == (clinic.nora, "scan")
    assert file.assigned_at is not None
    assert "Nora Example" in text(client)


def test_sending_the_upload_twice_takes_the_files_once(clinic, signed_in):
    client = signed_in("pat")
    token = form_of(client, f"{INBOX}upload/")
    for _time in range(2):
        assert upload(client, PDF, PNG, **token).status_code == 302
    assert IncomingFile.objects.count() == 2


def test_the_same_upload_at_the_same_moment_is_taken_once(
    clinic, signed_in, monkeypatch, settings
):
    """Between check and save the other one of two clicks has saved."""
    checked = incoming.UploadForm.is_valid

    def is_valid(form):
        valid = checked(form)
        IncomingFile.objects.create(
            key=form.instance.key, source="fax", size=1, file="x"
        )
        return valid

    monkeypatch.setattr(incoming.UploadForm, "is_valid", is_valid)
    client = signed_in("pat")
    assert upload(client, PDF, PNG)["Location"] == INBOX
    assert "nothing was saved again" in text(client)
    assert IncomingFile.objects.get().file.name == "x"
    assert not [each for each in Path(settings.MEDIA_ROOT).rglob("*") if each.is_file()]


def test_who_holds_no_data_integration_access_is_refused(clinic, signed_in):
    file = uploaded(signed_in("pat"))
    for who in ("sam", "max", "olga", "nil"):
        client = signed_in(who)
        for page in ("", "upload/", f"{file.key}/file/", f"{file.key}/change/"):
            assert client.get(f"{INBOX}{page}").status_code == 403, (who, page)
        assert client.post(f"{INBOX}{file.key}/restore/").status_code == 403
        if who == "sam":
            assert INBOX not in text(client, "/patients/")
    assert INBOX in text(signed_in("pat"), "/patients/")


def test_holders_see_of_a_file_what_a12_lists_and_no_more(clinic, signed_in):
    """Without its tags the row says this and nothing else, whoever's file it may be."""
    client, day = signed_in("pat"), "26 Nov 2026 10:30"
    file = uploaded(client, comment="Zqx comment", assignee=clinic.nora.key)
    page = text(client)
    for moment in (file.uploaded, file.assigned_at):
        shown = date_format(timezone.localtime(moment), "DATETIME_FORMAT")
        page = page.replace(shown, day).replace(shown[:-6], day[:-6])
    row = page.partition("<tbody>")[2].partition("</tbody>")[0]
    file_is = f"PDF, {len(PDF)}\xa0bytes"
    said = f": {file_is}, uploaded {day}"
    assert " ".join(re.sub("<[^>]*>", " ", row).split()) == " ".join(
        f"{file_is} Zqx comment {day} Fax, Pat Example Nora Example since {day[:-6]} "
        f"Edit {said} Reject {said}".split()
    )
    assert set(re.findall("[0-9a-f]{32}", row)) == {file.key}


def test_everybody_finds_the_files_that_they_look_after(clinic, signed_in):
    client, team = signed_in("pat"), Team.objects.create(name="Front office")
    TeamMember.objects.create(team=team, staff=clinic.pat)
    own = uploaded(client, assignee=clinic.pat.key, team=team.key)
    ours, theirs, nobodys = (
        uploaded(client, **to)
        for to in (
            {"team": team.key},
            {"assignee": clinic.nora.key, "team": team.key},
            {},
        )
    )
    rows = client.get(f"{INBOX}?show=mine").context["rows"]
    assert rows == [ours, own]
    assert {theirs, nobodys} < set(client.get(INBOX).context["rows"])


def test_a_linked_file_is_gone_for_whoever_does_not_reach_the_patient(
    clinic, signed_in
):
    file = uploaded(signed_in("pat"))
    other = uploaded(signed_in("pat"))
    link(signed_in("nora"), file, clinic.ada)
    pat, sam = signed_in("pat"), signed_in("sam")
    give(clinic.sam, *HOLDER)
    # Who links nothing is not led to what is linked, not even by the address.
    assert pat.get(f"{INBOX}?show=linked").context["show"] == "new"
    for client in (pat, sam):
        for show in ("", "?show=linked", "?show=rejected"):
            page = text(client, f"{INBOX}{show}")
            assert file.key not in page
            assert "Alvarez" not in page
        # The other one's twin is nobody's to know of.
        assert "Came before" not in text(client)
        got = []
        for key in (file.key, "0" * 32, "x"):
            for page in ("file/", "change/", "reject/"):
                response = client.get(f"{INBOX}{key}/{page}")
                got.append((response.status_code, len(response.content)))
        assert len(set(got)) == 1
        assert got[0][0] == 403
        for key in (file.key, "0" * 32, "x"):
            assert client.post(f"{INBOX}{key}/restore/")["Location"] == INBOX
            assert "Nothing of yours is saved" in text(client)
    assert other.key in text(pat)
    assert "Alvarez" in text(signed_in("nora"), f"{INBOX}?show=linked")


def test_a_file_goes_out_through_the_gate_alone(clinic, signed_in, settings):
    client = signed_in("pat")
    pdf, tiff = uploaded(client), uploaded(client, b"II*\x00 scan")
    answer = client.get(f"{INBOX}{pdf.key}/file/")
    assert b"".join(answer.streaming_content) == PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'inline; filename="incoming.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]
    saved = client.get(f"{INBOX}{tiff.key}/file/")["Content-Disposition"]
    assert saved == 'attachment; filename="incoming.tif"'
    path = Path(pdf.file.path)
    assert path.is_relative_to(settings.MEDIA_ROOT)
    assert not path.stat().st_mode & 0o077
    name = pdf.file.name
    for address in (f"/{name}", f"/media/{name}", f"/static/{name}"):
        assert client.get(address).status_code == 404
    path.unlink()
    assert client.get(f"{INBOX}{pdf.key}/file/").status_code == 404


def test_junk_is_rejected_with_a_reason_and_can_be_put_back(clinic, signed_in):
    client = signed_in("pat")
    file = uploaded(client)
    answer = act(client, file, "reject/", rejected_reason=" ")
    assert "required" in answer.content.decode()
    act(client, file, "reject/", rejected_reason="Advertising")
    file.refresh_from_db()
    assert (file.state, file.rejected_by) == ("rejected", clinic.pat)
    assert file.key not in text(client)
    rejected = text(client, f"{INBOX}?show=rejected")
    assert "Advertising" in rejected
    assert "Pat Example" in rejected
    assert client.get(f"{INBOX}{file.key}/file/").status_code == 200
    assert client.get(f"{INBOX}{file.key}/change/").status_code == 403
    client.post(f"{INBOX}{file.key}/restore/")
    file.refresh_from_db()
    assert (file.state, file.rejected_reason, file.rejected_by) == ("new", "", None)


def test_a_change_by_another_is_not_overwritten(clinic, signed_in):
    client = signed_in("pat")
    file = uploaded(client)
    data = form_of(client, f"{INBOX}{file.key}/change/")
    file.comment = "Theirs"
    file.save()
    answer = act(client, file, "change/", source="fax", comment="Mine", **data)
    assert "saved is “Theirs”" in answer.content.decode()
    file.refresh_from_db()
    assert file.comment == "Theirs"


def test_the_same_file_again_is_noticed(clinic, signed_in):
    client = signed_in("pat")
    uploaded(client, PNG)
    uploaded(client)
    assert "Came before" not in text(client)
    uploaded(client)
    page = text(client)
    assert "some came before" in page
    assert page.count("Came before") == 2


def test_every_act_is_on_the_trail_without_what_was_typed(clinic, signed_in):
    client = signed_in("pat")
    AuditRow.objects.all().delete()
    file = uploaded(client, comment="Zqx comment")
    text(client)
    client.get(f"{INBOX}{file.key}/file/")
    act(client, file, "reject/", rejected_reason="Zqx reason")
    client.post(f"{INBOX}{file.key}/restore/")
    acts = {"file.upload", "file.reject", "file.restore", "files.new", "file.open"}
    assert acts <= set(AuditRow.objects.values_list("action", flat=True))
    assert "Zqx" not in str(list(AuditRow.objects.values()))


def test_the_list_costs_the_same_whatever_it_shows(
    clinic, signed_in, django_assert_num_queries, django_assert_max_num_queries
):
    client = signed_in("nora")
    file = uploaded(client, assignee=clinic.nora.key)
    text(client)
    with django_assert_max_num_queries(12) as few:
        client.get(INBOX)
    for number in range(PAGE):
        IncomingFile.objects.create(
            file=file.file.name,
            media_type=file.media_type,
            size=number,
            sha256=f"{number}",
            source="scan",
            uploaded_by=clinic.pat,
            assignee=clinic.pat,
        )
    with django_assert_num_queries(len(few)):
        assert client.get(INBOX).context["next"]
