"""What the environment says, as the settings understand it, in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.core.checks import run_checks
from oauth2_provider.settings import oauth2_settings

PROJECT = Path(__file__).resolve().parents[2]
AUDIT_KEY = "a key for the tests of settings, and for nothing else"
SHOWN = """
import json
from canvas_admin import settings as s
found = {name: getattr(s, name, None) for name in dir(s) if name.isupper()}
print(json.dumps(found, default=str))
"""


def settings(folder: Path = PROJECT, **environment: str) -> dict[str, Any]:
    """The settings of the program in this folder, under these variables alone."""
    done = started(folder, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def started(
    folder: Path = PROJECT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The program in this folder shows its settings, or fails."""
    usual = {"SECRET_KEY": "x", "AUDIT_KEY": AUDIT_KEY, "PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-c", SHOWN],
        cwd=folder,
        env=usual | environment,
        capture_output=True,
        text=True,
        check=False,
    )


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


@pytest.mark.parametrize("key", ["", "too short", "x" * 40])
def test_a_start_without_a_key_for_the_trail_says_what_is_missing(key: str) -> None:
    done = started(SECRET_KEY="x" * 40, AUDIT_KEY=key)
    assert done.returncode == 1
    assert "AUDIT_KEY is not set" in done.stderr
    assert "secrets.token_urlsafe(50)" in done.stderr


def test_the_demo_makes_and_keeps_a_key_for_the_trail(tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "canvas_admin", tmp_path / "canvas_admin")
    found = settings(tmp_path, CANVAS_ADMIN_DEMO="1", AUDIT_KEY="")
    kept = tmp_path / "demo.audit-key"
    assert found["AUDIT_KEY"] == kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0
    assert found["AUDIT_HEAD_FILE"] == str(tmp_path / "demo.audit-head")


@pytest.mark.parametrize("years", ["5", "0", "-6"])
def test_audit_rows_cannot_be_kept_for_less_than_six_years(years: str) -> None:
    done = started(AUDIT_YEARS=years)
    assert done.returncode == 1
    assert "six years at least" in done.stderr
    assert settings()["AUDIT_YEARS"] == 6
    assert settings(AUDIT_YEARS="10")["AUDIT_YEARS"] == 10


def test_paper_is_of_a_size_that_is_known() -> None:
    assert settings(PAPER_SIZE="A4")["PAPER_SIZE"] == "a4"
    assert "neither letter nor a4" in started(PAPER_SIZE="a5").stderr


def test_the_toolkit_finds_nothing_against_the_rules_for_programs() -> None:
    """RFC 9700, and nothing besides: no library's page, no scope by default."""
    found = run_checks(include_deployment_checks=True)
    assert [each for each in found if each.id.startswith("oauth2_provider")] == []
    assert oauth2_settings.DEFAULT_SCOPES == []
    lasting = oauth2_settings.ACCESS_TOKEN_EXPIRE_SECONDS
    assert (lasting, oauth2_settings.REFRESH_TOKEN_EXPIRE_SECONDS) == (600, 43_200)
    registered = {model._meta.app_label for model in admin.site._registry}
    assert "oauth2_provider" not in registered


def test_procrastinate_is_installed_where_it_is_wanted_on_postgresql_alone() -> None:
    app, on = "procrastinate.contrib.django", {"PROCRASTINATE": "1"}
    at = {"DATABASE_URL": "postgres://a:b@db/c"}
    assert app in settings(**at, **on)["INSTALLED_APPS"]
    assert app not in settings(**at)["INSTALLED_APPS"]
    assert app not in settings(**on, CANVAS_ADMIN_DEMO="1")["INSTALLED_APPS"]
    assert "PROCRASTINATE needs PostgreSQL" in started(**on).stderr
