"""What is taken in as a protocol, and what is refused, with reason and line."""

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.protocols.models import Protocol, ProtocolVersion, Recompute
from canvas_admin.protocols.uploading import Refused, put_to_use, switch, upload
from canvas_admin.tests.protocols.running import EXAMPLES, measure


def source(version="1", more=""):
    meta = f"version = '{version}'" if version else "pass"
    return measure("pass").replace("version = '1'", f"{meta}\n{more}").encode()


def test_a_new_name_makes_a_protocol_that_sees_nobody_yet(cast):
    more = "        changelog = 'First'\n        compute_on_change_types = ['consent']"
    version = upload(source(more=more), cast.ruth.user)
    one = version.protocol
    assert (one.name, one.active, str(version)) == ("One", False, "1")
    assert Protocol.objects.get().current == version
    assert (version.title, version.changelog) == ("One", "First")
    assert (version.change_types, version.notification_only) == (["consent"], False)
    assert version.uploaded_by == cast.ruth.user
    assert one.application.staff.user.get_all_permissions() == set()
    assert not Recompute.objects.exists()
    acts = AuditRow.objects.filter(subject=f"protocol/{one.key}")
    assert set(acts.values_list("action", flat=True)) == {
        "protocol.uploaded",
        "protocol.version_used",
    }


def test_a_version_is_new_or_forced(cast):
    by = cast.ruth.user
    first = upload(source(), by)
    with pytest.raises(Refused, match="there already"):
        upload(source(), by)
    forced = upload(source(more="        title = 'Two'"), by, force=True)
    first.refresh_from_db()
    assert first.replaced
    assert (forced.number, forced.title) == ("1", "Two")
    second = upload(source("2"), by, use=False)
    assert Protocol.objects.get().current == forced
    put_to_use(second, by)
    assert Protocol.objects.get().current == second
    assert ProtocolVersion.objects.count() == 3


def test_a_version_is_counted_where_that_is_wanted(cast):
    by = cast.ruth.user
    with pytest.raises(Refused, match="no version"):
        upload(source(""), by)
    assert str(upload(source(""), by, auto_increment=True)) == "1"
    upload(source("2023-01"), by)
    assert str(upload(source(""), by, auto_increment=True)) == "2"


def test_what_is_active_computes_over_everybody(cast):
    by = cast.ruth.user
    one = upload(source(), by).protocol
    switch(one, True, by)
    assert Recompute.objects.count() == 1
    upload(source("2"), by, compute=False)
    assert Recompute.objects.count() == 1
    latest = upload(source("3"), by)
    assert Recompute.objects.first().version == latest
    upload(source("4", "        notification_only = True"), by)
    assert Recompute.objects.count() == 2


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"x = 1", "No clinical quality measures"),
        (b"def f(:\n", "Line 1: SyntaxError"),
        (b"\n\nimport nothing_of_the_kind\n", "Line 3: ModuleNotFoundError"),
        (source() + source().replace(b"class One", b"class Two"), "More than one"),
        (b"\xff\xfe", "UTF-8"),
        (b"x = '\x00'", "NUL"),
        (b"#" * 300_000, "256 KiB"),
        (
            source().replace(b"compute_results", b"compute_nothing"),
            "no compute_results",
        ),
        (source().replace(b"class One", b"class " + b"O" * 200), "longer than"),
        (source(more="        compute_on_change_types = 'task'"), "no list"),
        (source().replace(b"class One", b"raise SystemExit\nclass One"), "SystemExit"),
        (b"while True: pass", "longer than"),
    ],
)
def test_what_can_be_no_protocol_is_refused_with_its_place(cast, data, why):
    with pytest.raises(Refused, match=why):
        upload(data, cast.ruth.user)
    assert not Protocol.objects.exists()


@pytest.mark.parametrize(
    "file", sorted(EXAMPLES.glob("[a-z]*.py")), ids=lambda f: f.stem
)
def test_the_examples_are_taken_as_they_are(cast, file):
    version = upload(file.read_bytes(), cast.ruth.user)
    assert version.title
    assert version.change_types
