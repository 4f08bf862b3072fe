"""The demo clinic's files: the mark, the secret, and what is refused in one line."""

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from gunicorn.app.wsgiapp import WSGIApplication

from canvas_admin.management import demo_clinic, demo_files, demo_loading
from canvas_admin.management.commands import demo
from staffing.models import User

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A place for a demo database; nothing is there yet."""
    return tmp_path / "demo.sqlite3"


@pytest.fixture
def somebodys(database: Path) -> Path:
    """A database of that name with somebody's rows and without the mark."""
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE patient (name text)")
    connection.close()
    return database


def test_a_new_demo_database_carries_the_mark_and_is_its_owners(database: Path) -> None:
    demo_files.make_marked(database)
    assert demo_files.check_mark(database)
    assert database.stat().st_mode & 0o077 == 0


def test_the_mark_outlives_migrating_and_write_ahead_logging(database: Path) -> None:
    demo_files.make_marked(database)
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE patient (name text)")
        assert demo_files.check_mark(database)
    connection.close()
    assert demo_files.check_mark(database)


def test_a_first_start_that_was_broken_off_is_begun_again(database: Path) -> None:
    database.touch()
    assert not demo_files.check_mark(database)
    demo_files.make_marked(database)
    assert demo_files.check_mark(database)


@pytest.mark.parametrize("content", [b"SQLite format 3\x00", b"notes", b"\x00" * 4096])
def test_a_file_without_the_mark_is_refused(database: Path, content: bytes) -> None:
    database.write_bytes(content)
    with pytest.raises(demo_files.NotADemo, match="left alone"):
        demo_files.make_marked(database)
    assert database.read_bytes() == content


def test_a_reset_removes_the_demo_and_nothing_else(database: Path) -> None:
    demo_files.make_marked(database)
    wal, other = Path(f"{database}-wal"), database.with_name("mine.txt")
    passwords = database.with_name("demo.passwords.json")
    for path in (wal, other, passwords):
        path.touch()
    demo_files.remove(database, passwords)
    assert [path for path in (database, wal, passwords) if path.exists()] == []
    assert other.exists()
    demo_files.remove(database, passwords)


def test_a_reset_refuses_a_file_without_the_mark(somebodys: Path) -> None:
    passwords = somebodys.with_name("demo.passwords.json")
    passwords.touch()
    with pytest.raises(demo_files.NotADemo):
        demo_files.remove(somebodys, passwords)
    assert somebodys.exists()
    assert passwords.exists()


def test_the_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "demo.secret"
    first = demo_files.kept_secret(path)
    assert len(first) >= 50
    assert demo_files.kept_secret(path) == first
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("")
    assert len(demo_files.kept_secret(path)) >= 50


def test_the_demo_clinic_has_one_process_at_a_time(tmp_path: Path) -> None:
    lock = tmp_path / "demo.lock"
    held = demo_files.hold(lock, "http://127.0.0.1:8010/")
    with pytest.raises(demo_files.Served, match=r"http://127\.0\.0\.1:8010/"):
        demo_files.hold(lock, "http://127.0.0.1:8011/")
    held.close()
    demo_files.hold(lock, "http://127.0.0.1:8011/").close()


def test_the_server_listens_on_this_machine_alone() -> None:
    listener = demo.listen(0)
    assert listener.getsockname()[0] == "127.0.0.1"
    listener.close()


def test_its_worker_hears_ctrl_c_by_its_master_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Told twice, gunicorn's worker may wait for itself, and the demo not end."""
    given: list[str] = []
    monkeypatch.setattr(
        os, "execve", lambda _path, command, _env: given.extend(command)
    )
    monkeypatch.chdir(PROJECT)
    with demo.listen(0) as listener:
        demo.serve(listener, 0)
        monkeypatch.setattr(sys, "argv", given[given.index("gunicorn") :])
        hook = WSGIApplication().cfg.post_worker_init
    before = signal.getsignal(signal.SIGINT)
    try:
        hook(None)
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_port_in_use_is_said_in_one_line() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SystemExit) as refusal:
            demo.listen(port)
    assert f"Port {port} of 127.0.0.1 is in use" in str(refusal.value)
    assert "make demo PORT=" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "port", ["", "http", "70000", "-1", "8000.5", "0", "000", "08000", "٨٠٠٠", "9" * 9]
)
def test_what_is_no_port_is_said_in_one_line(port: str) -> None:
    with pytest.raises(SystemExit) as refusal:
        demo.port_number(port)
    assert "is no port" in str(refusal.value)


def test_a_port_is_taken_as_it_is_typed() -> None:
    assert [demo.port_number(text) for text in ("1", "8000", "65535")] == [
        1,
        8000,
        65535,
    ]


@pytest.mark.django_db
def test_a_password_that_somebody_changed_is_not_promised(
    tmp_path: Path, settings: Any
) -> None:
    settings.SQLITE_FILE = tmp_path / "demo.sqlite3"
    for person in demo_clinic.CAST:
        User.objects.create_user(person.username)
    demo_loading.give_passwords(demo_loading.passwords_file())
    given = demo_loading.read_passwords(demo_loading.passwords_file())
    assert all(password in demo.welcome("8000") for password in given.values())
    first, *others = given
    changed = User.objects.get(username=first)
    changed.set_password("a sentence nobody else says")
    changed.save()
    said = demo.welcome("8000")
    assert given[first] not in said
    assert said.count("(changed; make demo-reset makes a new one)") == 1
    assert all(given[name] in said for name in others)


def test_make_lets_nothing_of_the_shell_reach_the_demo_clinic() -> None:
    """Every name that the settings read, but those that demonstration mode ignores."""
    read = set(
        re.findall(
            r'environ\.get\(\s*"(\w+)"',
            (PROJECT / "canvas_admin/settings.py").read_text(),
        )
    )
    unset = set(re.findall(r"-u (\w+)", (PROJECT / "Makefile").read_text()))
    assert read - unset == {
        "CANVAS_ADMIN_DEMO",
        "INSECURE_HTTP",
        "SECRET_KEY",
        "AUDIT_KEY",
        "AUDIT_HEAD_FILE",
        "MEDIA_ROOT",
    }


# The whole command, in a copy of the project --------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project in another folder, so that no demo clinic of ours is touched."""
    shutil.copytree(PROJECT / "canvas_admin", tmp_path / "canvas_admin")
    shutil.copy(PROJECT / "manage.py", tmp_path)
    for room in ("staffing", "patients", "tasks", "templates"):
        (tmp_path / room).symlink_to(PROJECT / room)
    return tmp_path


def manage(copy: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run manage.py there in demonstration mode; its exit code and all it said."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=copy,
        env={**os.environ, "CANVAS_ADMIN_DEMO": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def free_port() -> str:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        return str(other.getsockname()[1])


@pytest.mark.parametrize("arguments", [["demo"], ["demo", "--reset"]])
def test_the_command_leaves_somebodys_database_alone(
    copy: Path, arguments: list[str]
) -> None:
    database = copy / "demo.sqlite3"
    database.write_bytes(b"SQLite format 3\x00 somebody's")
    code, said = manage(copy, *arguments, "--port", free_port())
    assert code == 1
    assert said.count("\n") == 1
    assert "does not carry the mark of the demo clinic" in said
    assert database.read_bytes() == b"SQLite format 3\x00 somebody's"


def test_the_command_is_for_demonstration_mode_alone(copy: Path) -> None:
    code, said = manage(
        copy, "demo", CANVAS_ADMIN_DEMO="", SECRET_KEY="x", AUDIT_KEY="y" * 40
    )
    assert code == 1
    assert said == "This command is for demonstration mode alone. Run: make demo\n"


def test_demonstration_mode_ignores_database_url_and_secret_key(copy: Path) -> None:
    shown = (
        "from django.conf import settings as s;"
        "print(s.DATABASES['default']['NAME'], s.SECRET_KEY)"
    )
    code, said = manage(
        copy, "shell", "-v", "0", "-c", shown, DATABASE_URL="nonsense", SECRET_KEY="x"
    )
    assert code == 0
    assert said.split() == [
        str(copy / "demo.sqlite3"),
        (copy / "demo.secret").read_text(),
    ]
