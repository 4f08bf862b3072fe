"""A backup is the same truth elsewhere, and nothing is lost to one that is not whole."""

import io
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as project
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from oauth2_provider.models import AccessToken

from canvas_admin.audit import heads
from canvas_admin.audit.models import AuditRow
from canvas_admin.management import backup_files, database_copies
from canvas_admin.management.commands import restore
from canvas_admin.testing import make_application
from canvas_admin.tests.audit_trails import OLD, add_rows, seal
from patients.models import Patient


@pytest.fixture
def place(tmp_path: Path, settings: Any) -> Path:
    """A folder, with a head and stored files as the settings name them."""
    settings.AUDIT_HEAD_FILE = str(tmp_path / "audit-head")
    settings.MEDIA_ROOT = str(tmp_path / "files")
    return tmp_path


def backup(file: Path) -> None:
    call_command("backup", str(file))


def members(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def rewrite(file: Path, parts: dict[str, bytes]) -> None:
    with tarfile.open(file, "w:gz") as tar:
        for name, content in parts.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


# There and back ----------------------------------------------------------------------------


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """The address of another database, which is empty."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path / 'elsewhere.sqlite3'}"
        return
    at = connection.settings_dict
    name = f"{at['NAME']}_elsewhere"
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{name}"
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def manage(address: str, folder: Path, *arguments: str) -> tuple[int, str]:
    """Run manage.py on another database; its exit code and all it said."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=project.BASE_DIR,
        env={
            **os.environ,
            "DATABASE_URL": address,
            "AUDIT_HEAD_FILE": str(folder / "other-head"),
            "MEDIA_ROOT": str(folder / "other-files"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def rows(address: str) -> dict[str, list[str]]:
    """Every row of every table, read without Django."""
    if address.startswith("sqlite"):
        opened = sqlite3.connect(address.removeprefix("sqlite:///"))
    else:
        opened = psycopg.connect(address)
    found = {}
    with closing(opened) as database:
        for table in connection.introspection.table_names():
            every = database.execute(f'SELECT * FROM "{table}"').fetchall()  # noqa: S608
            found[table] = sorted(map(repr, every))
    return found


def here() -> str:
    """The address of the tests' own database."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    return f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/" + str(
        at["NAME"]
    )


@pytest.mark.django_db(transaction=True)
def test_a_backup_restores_to_the_same_truth_and_again_over_another(
    cast: Any, place: Path, elsewhere: str
) -> None:
    stored = place / "files" / "ü" / "letter.pdf"
    stored.parent.mkdir(parents=True)
    stored.write_bytes(b"%PDF \x00 letter")
    Session.objects.create(
        session_key="s" * 32, session_data="x", expire_date=timezone.now()
    )
    AccessToken.objects.create(
        application=make_application("Lab feed"),
        token_checksum="t" * 64,
        expires=timezone.now() + OLD,
    )
    AuditRow.objects.update(recorded=timezone.now() - OLD)
    sealed = AuditRow.objects.count()
    seal()
    file, head = place / "clinic.backup", heads.current()
    backup(file)
    assert file.stat().st_mode & 0o077 == 0
    told = json.loads(members(file)["manifest.json"])
    assert told["rows"]["patients_patient"] == Patient.objects.count() == 3
    assert told["rows"]["audit_auditrow"] == AuditRow.objects.count()
    assert f"media/ü/{stored.name}" in told["files"]
    before = rows(here())

    code, said = manage(elsewhere, place, "restore", str(file))
    assert code == 0, said
    assert "as many as in the backup" in said
    assert f"The audit trail is what was sealed; rows: {sealed}, seals: 1." in said
    after = rows(elsewhere)
    assert after.pop("django_session") == []
    before.pop("django_session")
    assert after.pop("oauth2_provider_accesstoken") == []
    assert len(before.pop("oauth2_provider_accesstoken")) == 1
    assert len(after.pop("audit_auditrow")) == len(before.pop("audit_auditrow")) + 1
    assert after == before
    assert (place / "other-files" / "ü" / "letter.pdf").read_bytes() == (
        stored.read_bytes()
    )
    assert heads.read(place / "other-head") == head

    code, said = manage(elsewhere, place, "restore", str(file))
    assert code == 1
    assert "is not empty. Nothing is changed." in said
    code, said = manage(elsewhere, place, "verify_audit")
    assert code == 0, said
    assert "rows not sealed yet: 2" in said

    code, said = manage(
        elsewhere, place, "restore", str(file), "--replace", "--no-input"
    )
    assert code == 0, said
    assert rows(elsewhere)["patients_patient"] == before["patients_patient"]
    aside = [path.name for path in place.glob("*.before-restore-*")]
    assert {name.partition(".")[0] for name in aside} == {"other-head", "other-files"}


@pytest.mark.django_db
@pytest.mark.parametrize("what", ["a row", "another key"])
def test_a_restored_trail_that_proves_nothing_is_said(
    settings: Any, capsys: Any, what: str
) -> None:
    add_rows(3)
    seal()
    if what == "a row":
        AuditRow.objects.update(actor="")
    else:
        settings.AUDIT_KEY = "another key " * 4
    with pytest.raises(CommandError, match="All is restored. Findings .*: 1."):
        restore.Command()._prove({"head": None})
    assert "WRONG seal 1" in capsys.readouterr().err


@pytest.mark.django_db(transaction=True)
def test_no_key_and_no_password_is_in_a_backup(place: Path, settings: Any) -> None:
    backup(place / "file")
    password = str(connection.settings_dict.get("PASSWORD") or "no password at all")
    for content in members(place / "file").values():
        for secret in (settings.SECRET_KEY, settings.AUDIT_KEY, password):
            assert secret.encode() not in content


@pytest.mark.django_db(transaction=True)
def test_a_backup_is_on_the_trail_and_in_it(place: Path) -> None:
    backup(place / "file")
    row = AuditRow.objects.get(action="backup.make")
    assert row.actor_name == "manage.py backup"
    told = json.loads(members(place / "file")["manifest.json"])
    assert told["rows"]["audit_auditrow"] == AuditRow.objects.count()
    assert "audit-head.json" not in told["files"]


@pytest.mark.django_db(transaction=True)
def test_a_backup_overwrites_nothing_and_leaves_nothing_behind(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "file").write_text("somebody's")
    with pytest.raises(CommandError, match="is there already"):
        backup(place / "file")
    assert (place / "file").read_text() == "somebody's"
    with pytest.raises(CommandError, match="cannot be written"):
        backup(place / "nowhere" / "file")

    def failing(*_of: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup_files, "_add", failing)
    with pytest.raises(CommandError, match="No space left"):
        backup(place / "other")
    assert sorted(path.name for path in place.iterdir()) == ["file"]


# What is refused before anything is touched ------------------------------------------------


@pytest.fixture
def whole(place: Path) -> Path:
    """A backup of the tests' own database."""
    backup(place / "clinic.backup")
    return place / "clinic.backup"


def altered(file: Path, **changes: Any) -> None:
    """The same backup with other words in its manifest."""
    parts = members(file)
    told = json.loads(parts["manifest.json"]) | changes
    rewrite(file, {**parts, "manifest.json": json.dumps(told).encode()})


def refusal(file: Path, *options: str) -> str:
    """Why a restore is refused; nothing is written here by it."""
    with pytest.raises(CommandError) as refused:
        call_command("restore", str(file), *options)
    assert not AuditRow.objects.filter(action="backup.restore").exists()
    return str(refused.value)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_not_empty_is_refused_and_so_are_stored_files(
    whole: Path, place: Path
) -> None:
    assert "is not empty. Nothing is changed." in refusal(whole)
    (place / "files").mkdir()
    assert str(connection.settings_dict["NAME"]) in refusal(whole)
    (place / "files" / "letter.pdf").touch()
    assert str(place / "files") in refusal(whole)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("typed", ["", "yes", None])
def test_replacing_takes_the_name_of_the_database(
    whole: Path, monkeypatch: pytest.MonkeyPatch, typed: str | None
) -> None:
    def answer(_question: str) -> str:
        if typed is None:
            raise EOFError
        return typed

    monkeypatch.setattr("builtins.input", answer)
    assert "Nothing is changed." in refusal(whole, "--replace")
    name = Path(str(connection.settings_dict["NAME"])).name
    monkeypatch.setattr("builtins.input", lambda _question: name)
    restore.confirm()


@pytest.mark.django_db(transaction=True)
def test_a_backup_of_another_kind_or_version_is_refused(whole: Path) -> None:
    altered(whole, vendor="oracle")
    assert "The backup is of oracle" in refusal(whole, "--replace", "--no-input")
    altered(whole, vendor=connection.vendor, migrations=["patients.0999_later"])
    said = refusal(whole, "--replace", "--no-input")
    assert "made by another version" in said
    altered(whole, backup=2)
    assert "does not know" in refusal(whole, "--replace", "--no-input")
    altered(whole, backup=1, rows="many")
    assert "lacks rows" in refusal(whole, "--replace", "--no-input")


@pytest.mark.django_db(transaction=True)
def test_a_backup_that_was_altered_is_refused(whole: Path) -> None:
    parts = members(whole)
    database = database_copies.FILES[connection.vendor]
    content = bytearray(parts[database])
    content[len(content) // 2] ^= 1
    rewrite(whole, parts | {database: bytes(content)})
    said = refusal(whole, "--replace", "--no-input")
    assert said == f"{database} is not what the backup's manifest says."


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A backup of two parts and one stored file."""
    inside, media = tmp_path / "inside", tmp_path / "media"
    for folder in (inside, media):
        folder.mkdir()
    (inside / "database.dump").write_text("rows")
    (media / "letter.pdf").write_text("letter")
    (media / "link").symlink_to(media / "letter.pdf")
    facts = dict.fromkeys(("vendor", "made", "version"), "x")
    facts |= {"rows": {}, "migrations": []}
    backup_files.pack(tmp_path / "small", inside, media, facts)
    return tmp_path / "small"


def unpack(file: Path) -> dict[str, Any]:
    folder = file.with_name("out")
    folder.mkdir()
    return backup_files.unpack(file, folder)


def test_what_goes_in_comes_out_and_links_stay_outside(small: Path) -> None:
    assert unpack(small)["files"].keys() == {"database.dump", "media/letter.pdf"}
    out = small.with_name("out")
    assert (out / "media" / "letter.pdf").read_text() == "letter"
    assert (out / "database.dump").read_text() == "rows"


@pytest.mark.parametrize(
    "name", ["../evil", "/evil", "media/../../evil", "other/file", "media", "a\\b/c"]
)
def test_a_name_that_leads_elsewhere_is_refused(small: Path, name: str) -> None:
    rewrite(small, {name: b"x", **members(small)})
    with pytest.raises(backup_files.BackupDamaged, match="has no place in a backup"):
        unpack(small)
    assert not small.with_name("evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_what_is_no_plain_file_is_refused(small: Path, kind: bytes) -> None:
    with tarfile.open(small, "w:gz") as tar:
        info = tarfile.TarInfo("media/x")
        info.type, info.linkname = kind, "/etc/passwd"
        tar.addfile(info)
    with pytest.raises(backup_files.BackupDamaged, match="has no place in a backup"):
        unpack(small)


@pytest.mark.parametrize("act", ["less", "more", "other", "no manifest", "cut", "none"])
def test_a_file_that_is_not_whole_is_refused(small: Path, act: str) -> None:
    parts = members(small)
    if act == "less":
        del parts["database.dump"]
    if act == "more":
        parts["media/more"] = b"x"
    if act == "other":
        parts["media/letter.pdf"] = b"Letter"
    if act == "no manifest":
        del parts["manifest.json"]
    rewrite(small, parts)
    if act == "cut":
        small.write_bytes(small.read_bytes()[:-30])
    if act == "none":
        small.write_bytes(b"not a backup")
    with pytest.raises(backup_files.BackupDamaged):
        unpack(small)


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{", b"[" * 100_000, b"\xff"])
def test_a_manifest_that_makes_no_sense_is_refused(
    small: Path, manifest: bytes
) -> None:
    rewrite(small, {**members(small), "manifest.json": manifest})
    with pytest.raises(backup_files.BackupDamaged):
        unpack(small)


# SQLite --------------------------------------------------------------------------------------


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A SQLite database with a row, in the mode in which clinics have it."""
    file = tmp_path / "clinic.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA page_size=8192")
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE patient (name text)")
        database.execute("INSERT INTO patient VALUES ('Ada')")
        database.commit()
    monkeypatch.setitem(connection.settings_dict, "NAME", str(file))
    monkeypatch.setattr(database_copies, "WAIT", 0.1)
    return file


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy with another row, and pages of another size."""
    with closing(sqlite3.connect(tmp_path / "copy.sqlite3")) as database:
        database.execute("PRAGMA page_size=4096")
        database.execute("CREATE TABLE patient (name text)")
        database.execute("INSERT INTO patient VALUES ('Ben')")
        database.commit()
    return tmp_path / "copy.sqlite3"


def patients(file: Path) -> list[tuple[str]]:
    with closing(sqlite3.connect(file)) as database:
        return database.execute("SELECT name FROM patient").fetchall()


def test_sqlite_takes_a_copy_with_pages_of_another_size(
    clinic: Path, copy: Path
) -> None:
    database_copies._put_back_sqlite(copy)
    assert patients(clinic) == [("Ben",)]


def test_sqlite_is_left_alone_while_somebody_has_it_open(
    clinic: Path, copy: Path
) -> None:
    with closing(sqlite3.connect(clinic)) as service:
        service.execute("SELECT name FROM patient").fetchall()
        with pytest.raises(database_copies.CopyFailed, match="Stop the service first"):
            database_copies._put_back_sqlite(copy)
    assert patients(clinic) == [("Ada",)]


# PostgreSQL's programs -----------------------------------------------------------------------


def test_missing_programs_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_copies, "DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(database_copies.CopyFailed, match="postgresql-client"):
        database_copies.find("pg_dump")


def test_the_newest_programs_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("9.6", "15", "17"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "pg_dump").touch()
    monkeypatch.setattr(database_copies, "DEBIAN", tmp_path)
    assert database_copies.find("pg_dump") == str(tmp_path / "17" / "bin" / "pg_dump")
