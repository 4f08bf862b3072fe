"""A month of the trail goes into a file that proves itself, and only then from here."""

import ast
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.management import CommandError, call_command
from django.utils import timezone

from canvas_admin.audit import archives, heads, seals, stored
from canvas_admin.audit.models import AuditRow, Seal
from canvas_admin.audit.proving import Proving
from canvas_admin.tests.audit_trails import add_row, add_rows, findings, seal, sql

pytestmark = pytest.mark.django_db

MONTH = "2020-02"
DAY = datetime(2020, 2, 10, 12, tzinfo=UTC)
FILE = "audit-2020-02.jsonl.gz"


@pytest.fixture
def trail() -> heads.Head:
    """January, February and March of 2020, and today; sealed. Ids 1 to 12."""
    for number in range(4):
        moment = (
            DAY + timedelta(days=30 * (number - 1)) if number < 3 else timezone.now()
        )
        add_rows(3, recorded=min(moment, timezone.now() - timedelta(minutes=5)))
        seal()
    return heads.current()


def archive(folder: Path, *options: str, month: str = MONTH) -> None:
    call_command("archive_audit", month, "--to", str(folder), *options)


def prove(file: Path) -> None:
    call_command("verify_audit", "--archive", str(file))


def lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in gzip.open(file)]


def rewrite(file: Path, values: list[Any]) -> None:
    with gzip.open(file, "wb") as out:
        out.writelines(stored.canonical(value) + b"\n" for value in values)


# Writing ---------------------------------------------------------------------------------


def test_a_month_is_written_and_proves_itself_and_nothing_is_removed(
    trail: heads.Head, tmp_path: Path, capsys: Any
) -> None:
    archive(tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / FILE]
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    kinds = [next(iter(line)) for line in lines(tmp_path / FILE)]
    assert kinds == ["archive", "seal", "row", "row", "row", "end"]
    prove(tmp_path / FILE)
    assert "2020-02, seals: 1, rows: 3." in capsys.readouterr().out
    assert AuditRow.objects.filter(action="patient.chart").count() == 12
    assert findings(trail) == []


def test_what_is_archived_is_on_the_trail(trail: heads.Head, tmp_path: Path) -> None:
    archive(tmp_path)
    archive(tmp_path, "--remove")
    acts = AuditRow.objects.filter(actor_name="manage.py archive_audit").order_by("pk")
    assert [row.action for row in acts] == [
        "audit.archive",
        "audit.archive",
        "audit.remove",
    ]
    assert {row.detail["month"] for row in acts} == {MONTH}


def test_an_archive_is_written_once_and_proven_again(
    trail: heads.Head, tmp_path: Path
) -> None:
    archive(tmp_path)
    before = (tmp_path / FILE).read_bytes()
    archive(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize(
    "month", ["2020-13", "2020", "2020-2", "../2020-02", "0000-01", "", "２０２０-02"]
)
def test_what_is_no_month_is_refused(
    trail: heads.Head, tmp_path: Path, month: str
) -> None:
    with pytest.raises(CommandError, match="is no month"):
        archive(tmp_path, month=month)
    assert list(tmp_path.iterdir()) == []


def test_a_month_that_is_not_over_or_has_no_rows_is_refused(
    trail: heads.Head, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="is not over yet"):
        archive(tmp_path, month=f"{timezone.now():%Y-%m}")
    with pytest.raises(CommandError, match="No row of 2019-12 was ever sealed"):
        archive(tmp_path, month="2019-12")
    with pytest.raises(CommandError, match="nowhere"):
        archive(tmp_path / "nowhere")


def test_a_row_of_the_month_that_no_seal_holds_stops_it(
    trail: heads.Head, tmp_path: Path
) -> None:
    add_row(recorded=DAY)
    with pytest.raises(CommandError, match="4 rows of 2020-02 are here, .* hold 3"):
        archive(tmp_path)
    seal()
    archive(tmp_path)


def test_a_month_that_was_altered_is_not_archived(
    trail: heads.Head, tmp_path: Path
) -> None:
    sql("UPDATE audit_auditrow SET actor = '' WHERE id = 5")
    with pytest.raises(CommandError, match="seal 2, row 5: altered"):
        archive(tmp_path, "--remove")
    assert list(tmp_path.iterdir()) == []
    assert AuditRow.objects.filter(action="patient.chart").count() == 12


# Removing --------------------------------------------------------------------------------


def test_old_rows_are_removed_and_their_seals_stay(
    trail: heads.Head, tmp_path: Path, capsys: Any
) -> None:
    archive(tmp_path, "--remove")
    assert "3 rows are in the archive and removed here." in capsys.readouterr().out
    left = AuditRow.objects.filter(action="patient.chart").order_by("pk")
    assert [row.pk for row in left] == [*range(1, 4), *range(7, 13)]
    passed = Proving(trail)
    assert list(passed.findings()) == []
    assert [passed.seals, passed.archived, passed.rows] == [4, 1, 9]
    prove(tmp_path / FILE)
    add_row()
    seal()
    assert findings(trail) == []


def test_a_month_without_its_rows_cannot_be_archived_again(
    trail: heads.Head, tmp_path: Path
) -> None:
    archive(tmp_path, "--remove")
    archive(tmp_path, "--remove")
    (tmp_path / FILE).unlink()
    with pytest.raises(CommandError, match="the archive of then is needed"):
        archive(tmp_path)


@pytest.mark.parametrize("years", [6, 10])
def test_rows_are_removed_only_when_all_of_the_month_is_old_enough(
    tmp_path: Path, settings: Any, years: int
) -> None:
    settings.AUDIT_YEARS = years
    today = timezone.now()
    month = today.replace(year=today.year - years, day=1, hour=0)
    add_row(recorded=month)
    add_row(recorded=month - timedelta(days=2))
    seal()
    this, before = f"{month:%Y-%m}", f"{month - timedelta(days=2):%Y-%m}"
    with pytest.raises(CommandError, match=f"Not every row of {this} is {years} years"):
        archive(tmp_path, "--remove", month=this)
    assert list(tmp_path.iterdir()) == []
    archive(tmp_path, "--remove", month=before)
    assert AuditRow.objects.filter(action="patient.chart").count() == 1


def test_a_file_that_cannot_be_read_back_removes_nothing(
    trail: heads.Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = archives._write

    def losing_the_end(month: str, file: Path) -> None:
        real(month, file)
        file.write_bytes(file.read_bytes()[:-20])

    monkeypatch.setattr(archives, "_write", losing_the_end)
    with pytest.raises(CommandError, match="cannot be read to its end"):
        archive(tmp_path, "--remove")
    assert AuditRow.objects.filter(action="patient.chart").count() == 12
    assert list(tmp_path.iterdir()) == []


def test_a_removal_that_was_interrupted_goes_on(
    trail: heads.Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_rows(2, recorded=DAY)
    seal()
    with monkeypatch.context() as patch:
        patch.setattr(seals, "archived_of", lambda made: _fail(made.number == 5, made))
        with pytest.raises(KeyboardInterrupt):
            archive(tmp_path, "--remove")
    assert AuditRow.objects.filter(recorded=DAY).count() == 2
    assert findings() == []
    archive(tmp_path, "--remove")
    assert not AuditRow.objects.filter(recorded=DAY).exists()
    assert findings() == []


REAL = seals.archived_of


def _fail(now: bool, made: Seal) -> str:
    if now:
        raise KeyboardInterrupt
    return REAL(made)


def test_another_months_file_in_its_place_removes_nothing(
    trail: heads.Head, tmp_path: Path
) -> None:
    archive(tmp_path, month="2020-01")
    (tmp_path / "audit-2020-01.jsonl.gz").rename(tmp_path / FILE)
    with pytest.raises(CommandError, match="holds other seals"):
        archive(tmp_path, "--remove")
    assert AuditRow.objects.filter(action="patient.chart").count() == 12


# What an archive's file shows --------------------------------------------------------------


def edited(values: list[Any], act: str) -> list[Any]:
    """The lines of an archive after somebody was at them; 3 is its second row."""
    if act == "a value":
        values[3]["row"][4] = "nobody"
    if act == "an id":
        values[3]["row"][0] = 99
    if act == "a row less":
        del values[3]
    if act == "a row more":
        values.insert(3, {"row": [99, *values[3]["row"][1:]]})
    if act == "a seal":
        values[1]["seal"]["rows"] = 4
    if act == "no seal":
        del values[1:5]
    if act == "its month":
        values[0]["archive"]["month"] = "2020-01"
    if act == "its end":
        values[-1]["end"] = "0" * 64
    if act == "behind the end":
        values.append(values[1])
    return values


@pytest.mark.parametrize(
    ("act", "said"),
    [
        ("a value", "seal 2, row 5: altered"),
        ("an id", "seal 2, row 99: added"),
        ("a row less", "seal 2, row 5: gone"),
        ("a row more", "seal 2, row 99: added"),
        ("a seal", "seal 2: altered, or not made with this key"),
        ("no seal", "the end: seals are missing"),
        ("its month", "seal 2: altered"),
        ("its end", "the end: seals are missing or were added"),
        ("behind the end", "the end: seals are missing or were added"),
    ],
)
def test_what_was_done_to_an_archive_is_found(
    trail: heads.Head, tmp_path: Path, capsys: Any, act: str, said: str
) -> None:
    archive(tmp_path)
    file = tmp_path / FILE
    rewrite(file, edited(lines(file), act))
    with pytest.raises(CommandError, match="Findings"):
        prove(file)
    assert f"WRONG {said}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x1f\x8b\x08",
        b"not compressed",
        gzip.compress(b"", mtime=0),
        gzip.compress(b"{}\n", mtime=0),
        gzip.compress(b'{"archive": {"format": 2}}\n', mtime=0),
        gzip.compress(b'{"row": []}\n', mtime=0),
        gzip.compress(b"[" * 100_000, mtime=0),
        gzip.compress(b'{"archive": "x"}\n', mtime=0),
        gzip.compress(b"\xff\xfe\n", mtime=0),
    ],
)
def test_what_is_no_archive_is_said(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(CommandError, match=str(file)):
        prove(file)


def test_an_archive_that_ends_too_early_is_said(
    trail: heads.Head, tmp_path: Path
) -> None:
    archive(tmp_path)
    file = tmp_path / FILE
    rewrite(file, lines(file)[:-1])
    with pytest.raises(CommandError, match="ends too early"):
        prove(file)


def test_another_key_proves_nothing(
    trail: heads.Head, tmp_path: Path, settings: Any, capsys: Any
) -> None:
    archive(tmp_path)
    settings.AUDIT_KEY = "another key " * 4
    with pytest.raises(CommandError, match="Findings: 2"):
        prove(tmp_path / FILE)


# Nothing else --------------------------------------------------------------------------------


def test_nothing_else_of_the_program_deletes_or_alters_rows_of_the_trail() -> None:
    """No file that knows the rows calls delete() or update() but the one of archives."""
    rooms = ("canvas_admin", "staffing", "patients", "tasks")
    files = [file for room in rooms for file in (project.BASE_DIR / room).rglob("*.py")]
    found = set()
    for file in files:
        text = file.read_text(encoding="utf-8")
        if "tests" in file.parts or "AuditRow" not in text:
            continue
        calls = {
            node.func.attr
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        if calls & {"delete", "update", "bulk_update", "update_or_create"}:
            found.add(file.name)
    assert found == {"archives.py"}
