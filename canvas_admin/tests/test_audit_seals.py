"""Sealing: which rows, in which seals, by whom, and where the head goes."""

import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from canvas_admin.audit import heads, seals, stored
from canvas_admin.audit.models import AuditRow, Seal
from canvas_admin.audit.proving import Proving
from canvas_admin.management.commands import seal_audit
from canvas_admin.tests.audit_trails import OLD, add_row, add_rows, findings, seal, sql

pytestmark = pytest.mark.django_db


@pytest.fixture
def head_file(tmp_path: Path, settings: Any) -> Path:
    """A place for the head, as AUDIT_HEAD_FILE names it; nothing is there yet."""
    settings.AUDIT_HEAD_FILE = str(tmp_path / "audit-head")
    return tmp_path / "audit-head"


# Which rows ----------------------------------------------------------------------------


def test_a_seal_names_its_rows_and_follows_the_one_before() -> None:
    first = add_rows(3)
    [one] = seal()
    second = add_rows(2)
    [two] = seal()
    assert [one.number, one.rows, one.previous] == [1, 3, ""]
    assert [two.number, two.rows, two.previous] == [2, 2, one.mac]
    assert list(seals.marks(one)) == [row.pk for row in first]
    assert list(seals.marks(two)) == [row.pk for row in second]
    assert seal() == []
    assert findings() == []


def test_rows_younger_than_a_minute_wait_and_so_do_those_behind_them() -> None:
    old = add_row()
    young = add_row(recorded=timezone.now() - timedelta(seconds=50))
    behind = add_row()
    [made] = seal()
    assert list(seals.marks(made)) == [old.pk]
    proving = Proving()
    assert list(proving.findings()) == []
    assert proving.unsealed == 2
    sql(
        "UPDATE audit_auditrow SET recorded = %s",
        str(timezone.now() - timedelta(seconds=61)),
    )
    [made] = seal()
    assert list(seals.marks(made)) == [young.pk, behind.pk]


def test_a_row_from_the_future_keeps_nobody_waiting() -> None:
    """A clock that was wrong for a moment must not end the sealing."""
    add_row(recorded=timezone.now() + timedelta(days=400))
    add_rows(2)
    assert sum(made.rows for made in seal()) == 3


def test_a_long_trail_is_sealed_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored.rows, "__defaults__", (4,))
    add_rows(10)
    assert [made.rows for made in seal()] == [4, 4, 2]
    assert findings() == []


def test_ids_that_were_never_committed_are_no_rows_of_a_seal() -> None:
    rows = [add_row(id=number) for number in (11, 12, 15)]
    [made] = seal()
    assert seals.spans(made) == [(11, 12), (15, 15)]
    assert list(seals.marks(made)) == [row.pk for row in rows]


def test_a_seal_is_of_one_month() -> None:
    november = datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC)
    add_row(recorded=november)
    add_row(recorded=november + timedelta(seconds=1))
    add_row(recorded=november)
    assert [made.month for made in seal()] == ["2026-10", "2026-11", "2026-10"]


def test_every_column_of_a_row_is_sealed() -> None:
    columns = [field.column for field in AuditRow._meta.concrete_fields]
    assert list(stored.COLUMNS) == columns
    covered = {field.column for field in Seal._meta.concrete_fields}
    assert covered - set(seals.COVERED) == {"id", "mac", "archived"}


def test_the_canonical_form_of_a_row_is_what_it_always_was() -> None:
    """Whatever changes it makes every seal there is worthless."""
    add_row(
        id=7,
        recorded=datetime(2026, 11, 21, 8, 30, 0, 5, tzinfo=UTC),
        detail={"to": "Süd"},
        address="127.0.0.1",
    )
    [row] = stored.rows(7, 7)
    recorded = row.pop(2)
    assert recorded.startswith("2026-11-21 08:30:00.000005")
    assert row == [
        7,
        "e" * 32,
        "a" * 32,
        "nora",
        "patient.chart",
        "shown",
        *[""] * 3,
        {"sqlite": '{"to": "S\\u00fcd"}', "postgresql": '{"to": "Süd"}'}[
            connection.vendor
        ],
        "",
        "127.0.0.1",
    ]
    assert stored.canonical([1, "ü", None]) == b'[1,"\\u00fc",null]'


# Rows that appear late -------------------------------------------------------------------


def late_trail() -> AuditRow:
    """Rows 1, 3 and 4 are sealed; then a transaction that had taken 2 is committed."""
    for number in (1, 3, 4):
        add_row(id=number)
    seal()
    add_row(id=5)
    seal()
    return add_row(id=2)


def test_a_late_row_is_found_until_it_is_sealed_and_told_of_afterwards() -> None:
    late_trail()
    assert len(findings()) == 1
    assert "row 2" in findings()[0]
    [made] = seal()
    assert list(seals.marks(made)) == [2]
    add_row(id=6)
    seal()
    proving = Proving(heads.current())
    assert list(proving.findings()) == []
    assert len(proving.remarks) == 1
    assert "seal 3, row 2: appeared late" in proving.remarks[0]


def test_a_late_row_is_wrong_by_a_head_that_was_kept_before_it() -> None:
    late_trail()
    before = heads.current()
    seal()
    assert findings(heads.current()) == []
    [finding] = findings(before)
    assert "row 2: put among rows that were sealed before the head" in finding


def grow_old(upto: int) -> None:
    """The seals up to a number were made more than a day ago."""
    old, before = seals._text(timezone.now() - seals.LATE - timedelta(minutes=1)), ""
    for made in Seal.objects.order_by("number"):
        made.sealed = old if made.number <= upto else made.sealed
        made.previous = before
        before = made.mac = seals.mac_of(made)
        made.save()


def test_a_row_among_rows_sealed_long_ago_is_never_sealed() -> None:
    """Else whoever adds one only had to wait for the next seal."""
    late_trail()
    grow_old(2)
    assert seal() == []
    add_row(id=9)
    assert [list(seals.marks(made)) for made in seal()] == [[9]]
    assert seal() == []
    [finding] = findings()
    assert finding.startswith("row 2: among rows that are sealed")


def test_what_old_seals_hold_is_no_gap_beside_a_late_seal() -> None:
    late_trail()
    seal()
    grow_old(2)
    assert seals.late_rows() == []
    add_row(id=8)
    assert [list(seals.marks(made)) for made in seal()] == [[8]]
    assert findings() == []


@pytest.mark.parametrize("number", [0, -5])
def test_ids_below_the_first_are_found_and_never_sealed(number: int) -> None:
    add_rows(2)
    seal()
    add_row(id=number)
    assert seal() == []
    assert f"row {number}" in findings()[0]


# Two at once -----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_sealers_at_once_do_not_fork_the_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored.rows, "__defaults__", (5,))
    add_rows(60)
    start = threading.Barrier(4)

    def sealing() -> int:
        try:
            start.wait(30)
            return len(seal())
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        made = sum(job.result() for job in [pool.submit(sealing) for _ in range(4)])
    assert made == Seal.objects.count() == 12
    assert findings(heads.current()) == []


@pytest.mark.django_db(transaction=True)
def test_rows_that_are_committed_out_of_order_are_sealed_once_each() -> None:
    """Writers keep their transactions open for a while; on PostgreSQL rows come late."""
    done = threading.Event()

    def writing(seed: int) -> None:
        chance = Random(seed)
        for _ in range(15):
            with transaction.atomic():
                AuditRow.objects.create(
                    recorded=timezone.now() - OLD,
                    actor_name=str(seed),
                    action="a",
                    outcome="done",
                )
                time.sleep(chance.uniform(0, 0.02))

    def sealing(_seed: int) -> None:
        while not done.is_set():
            seal()
            time.sleep(0.005)

    def run(work: Any, seed: int) -> None:
        try:
            work(seed)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        writers = [pool.submit(run, writing, seed) for seed in range(4)]
        sealers = [pool.submit(run, sealing, seed) for seed in range(2)]
        try:
            for job in writers:
                job.result()
        finally:
            done.set()
        for job in sealers:
            job.result()
    seal()
    assert findings(heads.current()) == []
    held = [one for made in Seal.objects.all() for one in seals.marks(made)]
    assert sorted(held) == sorted(AuditRow.objects.values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
def test_nothing_is_computed_while_the_database_is_locked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_rows(3)
    real, seen = seals._sealing, []

    def watched(*of: Any) -> Seal:
        seen.append(connection.in_atomic_block)
        return real(*of)

    monkeypatch.setattr(seals, "_sealing", watched)
    seal()
    assert seen == [False]


def test_a_sealer_that_comes_second_begins_its_batch_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_rows(3)
    real, quicker = seals._sealing, []

    def overtaken(rows: Any, before: Any) -> Seal:
        if not quicker:
            quicker.append(real(rows, before))
            quicker[0].save()
        return real(rows, before)

    monkeypatch.setattr(seals, "_sealing", overtaken)
    assert seal() == []
    assert list(Seal.objects.all()) == quicker
    assert findings() == []


# The head ----------------------------------------------------------------------------------


def test_the_head_goes_to_the_file_and_to_the_log(
    head_file: Path, caplog: pytest.LogCaptureFixture, capsys: Any
) -> None:
    add_rows(3)
    with caplog.at_level(logging.INFO, "canvas_admin.audit"):
        call_command("seal_audit")
    head = heads.current()
    assert heads.read(head_file) == head
    told = json.loads(head_file.read_text())
    assert [told["seal"], told["last_row"], told["mac"]] == [1, head.last_row, head.mac]
    assert f"seal 1, rows up to {head.last_row}, {head.mac}" in caplog.text
    assert "Rows sealed: 3; seals made: 1." in capsys.readouterr().out
    assert list(head_file.parent.iterdir()) == [head_file]


def test_without_a_file_the_command_says_so(settings: Any, capsys: Any) -> None:
    settings.AUDIT_HEAD_FILE = ""
    add_rows(1)
    call_command("seal_audit")
    assert "AUDIT_HEAD_FILE names no file for it" in capsys.readouterr().out


def test_an_empty_trail_has_no_head(head_file: Path) -> None:
    call_command("seal_audit")
    call_command("verify_audit")
    assert not head_file.exists()
    assert not Seal.objects.exists()


def test_a_head_that_cannot_be_written_is_said(settings: Any, tmp_path: Path) -> None:
    settings.AUDIT_HEAD_FILE = str(tmp_path / "nowhere" / "head")
    add_rows(1)
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("seal_audit")


def test_nothing_is_sealed_behind_a_cut(head_file: Path) -> None:
    """A new head would hide that the old one is gone."""
    add_rows(3)
    call_command("seal_audit")
    kept = head_file.read_text()
    add_rows(3)
    sql("DELETE FROM audit_seal")
    with pytest.raises(CommandError, match="does not hold the head"):
        call_command("seal_audit")
    assert head_file.read_text() == kept
    assert not Seal.objects.exists()


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"seal": "1"}', "\x00", "1"])
def test_a_damaged_head_file_is_said(head_file: Path, content: str) -> None:
    head_file.write_text(content)
    for command in ("seal_audit", "verify_audit"):
        with pytest.raises(CommandError, match="is no head of an audit trail"):
            call_command(command)


@pytest.mark.parametrize("damage", ["another key", "an altered seal"])
def test_nothing_is_sealed_on_top_of_a_seal_that_is_not_right(
    settings: Any, damage: str
) -> None:
    add_rows(3)
    seal()
    if damage == "another key":
        settings.AUDIT_KEY = "another key " * 4
    else:
        sql("UPDATE audit_seal SET month = '2020-01'")
    add_rows(1)
    with pytest.raises(CommandError, match="not made with this AUDIT_KEY"):
        call_command("seal_audit")
    assert Seal.objects.count() == 1


def test_the_loop_goes_on_after_a_failure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    slept = []

    def failing() -> str:
        raise CommandError("not now")

    def sleeping(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(seal_audit, "sealed", failing)
    monkeypatch.setattr(seal_audit, "close_old_connections", lambda: None)
    monkeypatch.setattr(seal_audit.time, "sleep", sleeping)
    with pytest.raises(KeyboardInterrupt):
        call_command("seal_audit", "--every", "5")
    assert slept == [5, 5]
    assert caplog.text.count("the audit trail was not sealed: not now") == 2
