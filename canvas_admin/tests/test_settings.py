"""What the environment says, as the settings understand it, in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
SHOWN = """
import json
from canvas_admin import settings as s
found = {name: getattr(s, name, None) for name in dir(s) if name.isupper()}
print(json.dumps(found, default=str))
"""


def settings(folder: Path = PROJECT, **environment: str) -> dict[str, Any]:
    """The settings of the program in this folder, under these variables alone."""
    usual = {"SECRET_KEY": "x", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", SHOWN],
        cwd=folder,
        env=usual | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_without_an_address_the_database_is_sqlite_beside_the_program() -> None:
    database = settings()["DATABASES"]["default"]
    assert database["NAME"] == str(PROJECT / "canvas_admin.sqlite3")
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


@pytest.mark.parametrize("name", ["C#", "why?", "100%41", "a b", "ü"])
def test_whatever_the_folder_is_called_the_database_lies_in_it(
    tmp_path: Path, name: str
) -> None:
    """The demo's mark is looked for in SQLITE_FILE: no other file may be migrated."""
    shutil.copytree(PROJECT / "canvas_admin", tmp_path / name / "canvas_admin")
    for demo in ("", "1"):
        found = settings(tmp_path / name, CANVAS_ADMIN_DEMO=demo)
        database = found["DATABASES"]["default"]["NAME"]
        assert database == found["SQLITE_FILE"]
        assert Path(database).parent == tmp_path / name


def test_sqlite_may_lie_elsewhere_and_waits_all_the_same() -> None:
    address = "sqlite:////var/lib/canvas-admin/clinic.sqlite3"
    database = settings(DATABASE_URL=address)["DATABASES"]["default"]
    assert database["NAME"] == "/var/lib/canvas-admin/clinic.sqlite3"
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_a_password_in_an_address_may_be_percent_encoded() -> None:
    found = settings(
        DATABASE_URL="postgres://app:p%40ss%2Fw@db.example/clinic",
        EMAIL_URL="smtp://me%40clinic.example:p%40ss%2Fw@mail.example:587",
    )
    assert found["DATABASES"]["default"]["PASSWORD"] == "p@ss/w"
    assert found["DATABASES"]["default"]["CONN_MAX_AGE"] == 60
    assert found["EMAIL_HOST_USER"] == "me@clinic.example"
    assert found["EMAIL_HOST_PASSWORD"] == "p@ss/w"


@pytest.mark.parametrize("hosts", ["a.example,b.example", " a.example , b.example"])
def test_hosts_are_named_by_commas(hosts: str) -> None:
    found = settings(ALLOWED_HOSTS=hosts)
    assert found["ALLOWED_HOSTS"] == ["a.example", "b.example"]
    assert "https://b.example" in found["CSRF_TRUSTED_ORIGINS"]
