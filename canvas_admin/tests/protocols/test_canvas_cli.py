"""The workflow kit's own program, unmodified, against the running server (facts 7.6)."""

import json
import os
import subprocess
import sysconfig
from pathlib import Path
from types import SimpleNamespace

import pytest

from canvas_admin.protocols.models import ApiKey, Protocol
from canvas_admin.testing import give
from canvas_admin.tests.protocols.running import measure
from canvas_admin.tests.protocols.test_patient_data import TWELVE

PROGRAM = Path(sysconfig.get_path("scripts")) / "canvas-cli"


@pytest.fixture
def desk(transactional_db, cast, live_server, tmp_path):
    """A folder with the program's configuration and a protocol, and a way to call it."""
    give(cast.max, "Integrations", *TWELVE)
    secret = ApiKey(user=cast.max.user, name="laptop").begin()
    (tmp_path / ".canvas").mkdir()
    config = f"[canvas_cli]\nurl = {live_server.url}/\napi-key = {secret}\n"
    (tmp_path / ".canvas" / "config.ini").write_text(config)
    body = measure("result.add_recommendation(title='Do it', button='Go', key='K')")
    (tmp_path / "one.py").write_text(body)

    def call(*words, fails=False):
        done = subprocess.run(  # noqa: S603
            [PROGRAM, *words],
            cwd=tmp_path,
            env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (done.returncode != 0) is fails, done
        return done.stdout + done.stderr

    return SimpleNamespace(call=call, folder=tmp_path, cast=cast)


def test_every_command(desk):
    call, folder = desk.call, desk.folder
    assert "Version 1 set to latest version" in call("upload", "one.py")
    assert "there already" in call("upload", "one.py", fails=True)
    assert "Version 1 set" in call("upload", "--force", "--no-compute", "one.py")
    text = (folder / "one.py").read_text()
    later = text.replace("version = '1'", "version = '2'\n        changelog = 'More'")
    (folder / "one.py").write_text(later)
    assert "Version 2 set" in call("upload", "--no-compute", "one.py")
    (folder / "one.py").write_text(text.replace("version = '1'", "pass"))
    assert "no version" in call("upload", "one.py", fails=True)
    assert "Version 3 set" in call("upload", "--auto-increment", "one.py")

    said = call("list-versions", "One")
    assert "Is Active: False" in said
    assert "Active version: 3" in said
    assert "2: More" in said
    assert "2" in call("set-version", "One", "2")
    assert "no such version" in call("set-version", "One", "9", fails=True)
    assert "One is active" in call("set-active", "One")
    assert "no protocol of this name" in call("set-active", "Two", fails=True)
    assert "Is Active: True" in call("list-versions", "One")
    assert str(Protocol.objects.get().current) == "2"
    assert "not active any more" in call("set-inactive", "One")

    call("fixture-from-patient", "--destination", "fixtures", desk.cast.ada.key)
    (fixture,) = (folder / "fixtures").iterdir()
    assert len(list(fixture.iterdir())) > 20
    assert (
        json.loads((fixture / "patient.json").read_text())["key"] == desk.cast.ada.key
    )
    assert "Do it" in call("test-fixture", "one.py", "fixtures")
    assert "Do it" in call("test-fixture", "one.py", desk.cast.ada.key)

    call("create", "new.py")
    assert "Uploading" in call("upload", "new.py")


def test_who_is_refused_is_told_why(desk):
    give(desk.cast.nora)
    config = desk.folder / ".canvas" / "config.ini"
    good = config.read_text()
    key = ApiKey.objects.get()
    for secret, said in (
        ("nothing", "not known"),
        (ApiKey(user=desk.cast.nora.user, name="n").begin(), "Integrations"),
    ):
        config.write_text(good.rpartition("=")[0] + f"= {secret}\n")
        assert said in desk.call("upload", "one.py", fails=True)
    config.write_text(good)
    key.revoke()
    assert "not known" in desk.call("list-versions", "One", fails=True)
    assert not Protocol.objects.exists()
