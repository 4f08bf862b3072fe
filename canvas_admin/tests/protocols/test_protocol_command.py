"""manage.py protocol: the life of a protocol at the shell."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from canvas_admin.protocols.models import Protocol, Recompute
from canvas_admin.tests.protocols.running import measure


def said(*words):
    """What the command says."""
    out = StringIO()
    call_command("protocol", *words, stdout=out)
    return out.getvalue()


def test_a_life(cast, tmp_path):
    file = tmp_path / "one.py"
    file.write_text(measure("pass"))
    told = said("upload", str(file))
    assert "One, version 1, is uploaded." in told
    assert "holds no auth group" in told
    for words, why in (
        (("upload", str(file)), "there already"),
        (("upload", str(tmp_path / "none.py")), "cannot be read"),
        (("recompute", "One"), "not active"),
        (("set-version", "One", "9"), "no such version"),
        (("set-active", "Two"), "no protocol"),
    ):
        with pytest.raises(CommandError, match=why):
            said(*words)
    assert said("set-active", "One") == "One is active.\n"
    assert Recompute.objects.count() == 1
    file.write_text(measure("pass").replace("version = '1'", "changelog = 'More'"))
    assert "version 2" in said("upload", "--auto-increment", "--no-compute", str(file))
    assert said("list-versions", "One") == "* 2  More\n  1\n"
    assert said("set-version", "One", "1") == "One uses version 1.\n"
    said("recompute", "One")
    assert Recompute.objects.count() == 3
    said("set-inactive", "One")
    assert not Protocol.objects.get().active
    assert not Recompute.objects.filter(ended__isnull=True).exists()
