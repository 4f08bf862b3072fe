"""manage.py demo: the demo clinic, made at first start, served on this machine."""

import errno
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core.management import BaseCommand, CommandParser, call_command
from django.db import DatabaseError, connection, connections
from django.db.migrations.exceptions import InconsistentMigrationHistory

from canvas_admin.management import demo_clinic, demo_files, demo_server
from canvas_admin.management.demo_loading import passwords_file, read_passwords
from staffing.models import User

HOST = "127.0.0.1"
COMPLETE = 1
LAST_PORT = 65535
CHANGED = "(changed; make demo-reset makes a new one)"


class Command(BaseCommand):
    help = "Makes the demo clinic unless it is there, and serves it on this machine."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", default="8000", help="port of 127.0.0.1")
        parser.add_argument(
            "--reset", action="store_true", help="throw the demo clinic away first"
        )

    def handle(self, *args: Any, port: str, reset: bool, **options: Any) -> None:
        if not settings.DEMO:
            sys.exit("This command is for demonstration mode alone. Run: make demo")
        number, database = port_number(port), Path(settings.SQLITE_FILE)
        try:
            held = demo_files.hold(
                database.with_suffix(".lock"), f"http://{HOST}:{port}/"
            )
            listener = listen(number)
            leftovers = (passwords_file(), Path(settings.AUDIT_HEAD_FILE))
            if reset:
                demo_files.remove(database, *leftovers)
            demo_files.make_marked(database, *leftovers)
            self._prepare()
        except (demo_files.NotADemo, demo_files.Served) as error:
            sys.exit(str(error))
        except (DatabaseError, InconsistentMigrationHistory) as error:
            sys.exit(
                f"{database.name} cannot be brought up to date ({error}). "
                "To start afresh run: make demo-reset"
            )
        except KeyboardInterrupt:
            self.stderr.write("Stopped. Run make demo again: it goes on from here.")
            sys.exit(130)
        self.stdout.write(welcome(port))
        self.stdout.flush()
        connections.close_all()
        start_worker()
        serve(listener, held.fileno())

    def _prepare(self) -> None:
        """Bring the database to this version, load the clinic unless it is complete."""
        call_command("migrate", interactive=False, verbosity=0)
        if not is_complete():
            self.stdout.write("Loading the demo clinic (at first start alone) …")
            self.stdout.flush()
            call_command("load_demo")
            set_complete()
        call_command("collectstatic", interactive=False, verbosity=0)


def is_complete() -> bool:
    """Whether the clinic was loaded to its end and everybody's password is known."""
    known = set(read_passwords(passwords_file()))
    with connection.cursor() as cursor:
        done = cursor.execute("PRAGMA user_version").fetchone()[0] == COMPLETE
    return done and known.issuperset(person.username for person in demo_clinic.CAST)


def set_complete() -> None:
    """Remember, in the database itself, that the clinic was loaded to its end."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA user_version = {COMPLETE}")


def port_number(text: str) -> int:
    """The port that was asked for, or the program's end in one line."""
    if not re.fullmatch(r"[1-9][0-9]{0,4}", text) or int(text) > LAST_PORT:
        sys.exit(
            f"“{text}” is no port; take one from 1024 to 65535: make demo PORT=8010"
        )
    return int(text)


def listen(port: int) -> socket.socket:
    """A listening socket on this machine alone, or the program's end in one line.

    Port 0 is any that is free.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(64)
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        why = "is in use" if in_use else f"cannot be opened ({error.strerror})"
        sys.exit(f"Port {port} of {HOST} {why}. Take another: make demo PORT=8010")
    return listener


def welcome(port: str) -> str:
    """What the newcomer reads: the address, and everybody's sign-in."""
    passwords = passwords_now()
    people = [
        f"  {person.username:<7}{passwords[person.username]}\n"
        f"         {person.title}. {person.sentence}"
        for person in demo_clinic.CAST
    ]
    return "\n".join(
        [
            "",
            f"The demo clinic is at http://{HOST}:{port}/ (Ctrl-C stops it).",
            "Sign in with the user name and the password of:",
            "",
            *people,
            "",
        ]
    )


def passwords_now() -> dict[str, str]:
    """The cast's passwords by user name; CHANGED for who has chosen another since."""
    stored = dict(User.objects.values_list("username", "password"))
    return {
        name: given if check_password(given, stored.get(name)) else CHANGED
        for name, given in read_passwords(passwords_file()).items()
    }


def start_worker() -> None:
    """Let protocols run beside the server, as long as it does.

    Where they cannot, the worker says why and ends, and the clinic is served without.
    """
    command = [sys.executable, "manage.py", "run_protocols", "--until-parent-ends"]
    subprocess.Popen(  # noqa: S603
        command,
        cwd=settings.BASE_DIR,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def serve(listener: socket.socket, lock: int) -> NoReturn:
    """Become the production server; the listening socket and the lock go along."""
    os.set_inheritable(listener.fileno(), True)
    environment = {k: v for k, v in os.environ.items() if k != "GUNICORN_CMD_ARGS"}
    command = [sys.executable, "-m", "gunicorn", "canvas_admin.wsgi"]
    command += ["--bind", f"fd://{listener.fileno()}", "--threads", "4"]
    command += ["--log-level", "warning", "--no-control-socket"]
    command += ["--logger-class", "canvas_admin.audit.server_log.ServerLog"]
    command += ["--config", f"python:{demo_server.__name__}"]
    os.chdir(settings.BASE_DIR)
    os.execve(sys.executable, command, environment)  # noqa: S606
