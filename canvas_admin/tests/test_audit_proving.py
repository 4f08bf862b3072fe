"""What is done to a sealed trail by SQL is found, all of it; and nothing else is.

`make proof` does a thousand things at random to random trails. What the seals are worth
shows only when the proof fails as soon as a part of it is left out: see the end.
"""

import time
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import override_settings

from canvas_admin.audit import heads, proving, seals, stored
from canvas_admin.audit.models import AuditRow, Seal
from canvas_admin.tests import proof
from canvas_admin.tests.audit_trails import (
    add_row,
    add_rows,
    findings,
    random_row,
    seal,
    sql,
)

PARTS = proof.count(2, 10)
EDITS = proof.count(120, 1_000) // PARTS
ON_ONE_TRAIL = 10

ROWS, SEALS = "audit_auditrow", "audit_seal"
OTHER_KEY = "a key that somebody else has " * 2


# Trails ----------------------------------------------------------------------------------


def make_trail(rng: Random) -> heads.Head:
    """A trail with gaps, rows that came late, archived and unsealed ones; its head."""
    number = rng.randint(1, 1_000)
    for _ in range(rng.randint(4, 7)):
        for _ in range(rng.randint(2, 8)):
            random_row(rng, id=number)
            number += rng.choice([1, 1, 1, 2, 5])
        seal()
        if rng.random() < 0.5:
            if gaps := ids_in_gaps():
                random_row(rng, id=rng.choice(gaps))
                seal()
    if rng.random() < 0.3:
        archive(rng.choice(list(Seal.objects.all())))
    head = heads.current()
    for _ in range(rng.randint(0, 3)):
        number += 1
        random_row(rng, id=number)
    if rng.random() < 0.5:
        seal()
    return head


def archive(made: Seal) -> None:
    """Do to a seal's rows what archive_audit does with --remove."""
    AuditRow.objects.filter(pk__in=seals.marks(made)).delete()
    made.archived = seals.archived_of(made)
    made.save()


def sealed_ids(upto: int | None = None) -> list[int]:
    """The rows that are here and sealed, by the seals up to a number."""
    made = Seal.objects.filter(archived="")
    if upto is not None:
        made = made.filter(number__lte=upto)
    return sorted(one for each in made for one in seals.marks(each))


def ids_in_gaps() -> list[int]:
    """Ids among the sealed ones that no row ever had."""
    held = {one for each in Seal.objects.all() for one in seals.marks(each)}
    return [one for one in range(min(held), max(held)) if one not in held]


# What can be done to them ------------------------------------------------------------------

OTHERS: dict[str, list[Any]] = {
    "event": ["f" * 32, "", "E" * 32],
    "recorded": ["2026-11-01 00:00:00+00:00", "1999-12-31 23:59:59.999999+00:00"],
    "actor": ["", "b" * 32],
    "actor_name": ["ruth", "Nora", "nora ", "ｎora"],
    "action": ["patient.profile", ""],
    "outcome": ["shown", "done", "refused"],
    "patient": ["", "c" * 32],
    "access_path": ["", "superuser", "all-patients"],
    "subject": ["", "staff/2"],
    "detail": ["{}", '{"n": 2}', '{"n": "1"}', "[]", "null"],
    "correlation": ["", "d" * 36],
    "address": ["10.0.0.1", None, "127.0.0.1"],
}


def column(name: str) -> Callable[[Random], None]:
    """An act that writes something else into a column of one sealed row."""

    def edit(rng: Random) -> None:
        one = rng.choice(sealed_ids())
        sql(
            f'UPDATE {ROWS} SET "{name}" = %s WHERE id = %s',  # noqa: S608
            rng.choice(OTHERS[name]),
            one,
        )

    return edit


def another_id(rng: Random) -> None:
    ids = sealed_ids()
    free = [-1, max(ids) + 1_000, *ids_in_gaps()]
    sql(
        f"UPDATE {ROWS} SET id = %s WHERE id = %s",  # noqa: S608
        rng.choice(free),
        rng.choice(ids),
    )


def rows_deleted(rng: Random) -> None:
    for one in rng.sample(sealed_ids(), rng.randint(1, 3)):
        sql(f"DELETE FROM {ROWS} WHERE id = %s", one)  # noqa: S608


def a_seals_rows_deleted(rng: Random) -> None:
    made = rng.choice(list(Seal.objects.filter(archived="")))
    AuditRow.objects.filter(pk__in=seals.marks(made)).delete()


def contents_swapped(rng: Random) -> None:
    first, second = rng.sample(sealed_ids(), 2)
    swap_ids(ROWS, first, second)


def swap_ids(table: str, first: int, second: int, name: str = "id") -> None:
    spare = 2**40
    for old, new in ((first, spare), (second, first), (spare, second)):
        sql(f"UPDATE {table} SET {name} = %s WHERE {name} = %s", new, old)  # noqa: S608


def row_inserted(rng: Random) -> None:
    free = [*ids_in_gaps(), min(sealed_ids()) - 1, -7]
    random_row(rng, id=rng.choice(free))


def row_copied_into_a_gap(rng: Random) -> None:
    row = AuditRow.objects.get(pk=rng.choice(sealed_ids()))
    row.pk = rng.choice([*ids_in_gaps(), -1])
    row.save(force_insert=True)


def row_replaced(rng: Random) -> None:
    one = rng.choice(sealed_ids())
    AuditRow.objects.filter(pk=one).delete()
    random_row(rng, id=one)


def end_cut_off(rng: Random, head: heads.Head) -> None:
    """The last seals before the head and all behind go, together with their rows."""
    number = rng.randint(1, head.seal)
    for made in Seal.objects.filter(number__gte=number):
        AuditRow.objects.filter(pk__in=seals.marks(made)).delete()
        made.delete()


def end_unsealed(rng: Random, head: heads.Head) -> None:
    Seal.objects.filter(number__gte=rng.randint(1, head.seal)).delete()


def end_cut_off_and_sealed_anew(rng: Random, head: heads.Head) -> None:
    """The clinic's own sealer goes on behind the cut, with the key."""
    end_cut_off(rng, head)
    add_row(id=max([0, *AuditRow.objects.values_list("id", flat=True)]) + 1)
    seal()


def everything_deleted(rng: Random) -> None:
    Seal.objects.all().delete()
    AuditRow.objects.all().delete()


def seal_deleted(rng: Random) -> None:
    last = Seal.objects.order_by("-number").first().number
    Seal.objects.filter(number=rng.randint(1, last - 1)).delete()


def seals_column(rng: Random) -> None:
    made = rng.choice(list(Seal.objects.all()))
    others = {
        "number": 1_000_000,
        "month": "1999-01",
        "first_row": made.first_row - 1,
        "last_row": made.last_row + 1,
        "rows": made.rows + 1,
        "ranges": rng.choice(["[]", "", "[[1,9223372036854775807]]"]),
        "digest": "0" * 64,
        "marks": "",
        "sealed": "1999-01-01T00:00:00.000000+00:00",
        "previous": "0" * 64,
        "mac": "0" * 64,
        "archived": rng.choice(["1", made.mac, made.previous]),
    }
    name = rng.choice(list(others))
    sql(
        f"UPDATE {SEALS} SET {name} = %s WHERE id = %s",  # noqa: S608
        others[name],
        made.pk,
    )


def seals_swapped(rng: Random) -> None:
    first, second = rng.sample(range(1, Seal.objects.count() + 1), 2)
    swap_ids(SEALS, first, second, "number")


def rows_passed_off_as_archived(rng: Random) -> None:
    """By what says so for another seal, or by nothing that the key has made."""
    made, other = rng.sample(list(Seal.objects.filter(archived="")), 2)
    AuditRow.objects.filter(pk__in=seals.marks(made)).delete()
    made.archived = rng.choice([seals.archived_of(other), "f" * 64])
    made.save()


def seal_forged(rng: Random) -> None:
    """A row is altered, and its seal made anew, without the key."""
    made = rng.choice(list(Seal.objects.filter(archived="")))
    one = rng.choice(list(seals.marks(made)))
    sql(f"UPDATE {ROWS} SET actor_name = 'nobody' WHERE id = %s", one)  # noqa: S608
    digests = [stored.digest(stored.rows(n, n)[0]) for n in seals.marks(made)]
    made.digest = seals.digest_of(digests)
    made.marks = "".join(map(seals.mark_of, digests))
    with override_settings(AUDIT_KEY=OTHER_KEY):
        made.mac = rng.choice([made.mac, seals.mac_of(made)])
    made.save()


def chain_forged(rng: Random) -> None:
    """From some seal on all are made anew, each right but for the key."""
    number = rng.randint(1, Seal.objects.count())
    random_row(rng, id=seals.highest() + 1_000)
    Seal.objects.filter(number__gte=number).delete()
    before = Seal.objects.filter(number=number - 1).first()
    last = before.last_row if before else 0
    rows = stored.rows(last + 1, 2**40)
    with override_settings(AUDIT_KEY=OTHER_KEY):
        seals._sealing(rows, before).save()


def chain_spliced(rng: Random, head: heads.Head) -> None:
    """The clinic's own sealer seals what was altered; then the old end is put behind."""
    last = Seal.objects.order_by("-number").first()
    if last.number != head.seal or last.archived:
        return
    kept = list(Seal.objects.filter(number__gte=head.seal))
    cut = Seal.objects.get(number=head.seal - 1)
    if cut.archived:
        return
    Seal.objects.filter(number__gte=cut.number).delete()
    sql(
        f"UPDATE {ROWS} SET actor_name = 'nobody' WHERE id = %s",  # noqa: S608
        cut.first_row,
    )
    made = seals._sealing(
        [stored.rows(n, n)[0] for n in seals.marks(cut)],
        Seal.objects.filter(number=cut.number - 1).first(),
    )
    made.pk = cut.pk
    made.save(force_insert=True)
    for made in kept:
        made.save(force_insert=True)


WITHOUT_HEAD: list[Callable[[Random], None]] = [
    *(column(name) for name in OTHERS),
    another_id,
    rows_deleted,
    a_seals_rows_deleted,
    contents_swapped,
    row_inserted,
    row_copied_into_a_gap,
    row_replaced,
    everything_deleted,
    seal_deleted,
    seals_column,
    seals_swapped,
    rows_passed_off_as_archived,
    seal_forged,
    chain_forged,
]
AGAINST_HEAD: list[Callable[[Random, heads.Head], None]] = [
    end_cut_off,
    end_unsealed,
    end_cut_off_and_sealed_anew,
    chain_spliced,
]
ACTS = [*WITHOUT_HEAD, *AGAINST_HEAD]


def everything() -> list[Any]:
    """All rows and seals as they are stored."""
    rows = list(stored.all_rows(stored.LOWEST, 2**62))
    return [rows, list(Seal.objects.order_by("number").values())]


# The proof ---------------------------------------------------------------------------------


def done_to(act: Callable, rng: Random, head: heads.Head) -> bool:
    """Do it; whether the trail is another one now."""
    before = everything()
    act(rng, head) if act in AGAINST_HEAD else act(rng)
    return everything() != before


def missed(seed: int) -> tuple[Counter, list[str]]:
    """What was done to one trail, each time from the start, and what was not found."""
    rng, tally, wrong = Random(seed), Counter(), []
    with transaction.atomic():
        head = make_trail(rng)
        wrong += [f"nothing was done: {found}" for found in findings(head)]
        while tally.total() < ON_ONE_TRAIL:
            act = rng.choice(ACTS)
            with transaction.atomic():
                if done_to(act, rng, head):
                    tally[name_of(act)] += 1
                    if not findings(head):
                        wrong.append(f"{name_of(act)} was not found")
                transaction.set_rollback(True)
        transaction.set_rollback(True)
    return tally, [f"trail {seed}: {what}" for what in wrong]


def name_of(act: Callable) -> str:
    found = dict(zip(map(id, WITHOUT_HEAD), OTHERS, strict=False))
    return found.get(id(act), act.__name__)


@pytest.mark.proof
@pytest.mark.django_db
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_is_done_to_sealed_rows_is_found(part: int) -> None:
    start, first = time.monotonic(), proof.seed() + part * EDITS
    tally, failed = Counter(), []
    for seed in range(first, first + EDITS // ON_ONE_TRAIL):
        done, wrong = missed(seed)
        tally += done
        failed += wrong
    proof.record(
        "audit_seals",
        connection.vendor,
        proof.SEED,
        tally.total(),
        len(failed),
        time.monotonic() - start,
        part=str(part),
        acts=dict(sorted(tally.items())),
    )
    assert not failed, "\n".join(failed[:10])


# One by one, and what is said ----------------------------------------------------------------


@pytest.fixture
def head(db: None) -> heads.Head:
    """Rows 1 to 9, in three seals of three, and the head behind them."""
    for _ in range(3):
        add_rows(3)
        seal()
    return heads.current()


def test_an_untouched_trail_is_right(head: heads.Head) -> None:
    add_rows(2)
    passed = proving.Proving(head)
    assert list(passed.findings()) == []
    assert [passed.seals, passed.rows, passed.unsealed] == [3, 9, 2]
    assert passed.remarks == []


SAID = {
    "UPDATE audit_auditrow SET subject = 'x' WHERE id IN (2, 4)": [
        "seal 1, row 2: altered",
        "seal 2, row 4: altered",
    ],
    "DELETE FROM audit_auditrow WHERE id IN (4, 5, 8)": [
        "seal 2, rows 4-5: gone",
        "seal 3, row 8: gone",
    ],
    "UPDATE audit_auditrow SET id = 0 WHERE id = 9": [
        "seal 3, row 9: gone",
        "row 0: among rows that are sealed, and held by no seal",
    ],
    "DELETE FROM audit_seal WHERE number = 2": [
        "seal 2: gone; seal 3 is in its place",
        "rows 4-6: among rows that are sealed, and held by no seal",
    ],
    "UPDATE audit_seal SET digest = '' WHERE number = 3": [
        "seal 3: altered, or not made with this key",
        "seal 3: not the one that the head names",
    ],
    "DELETE FROM audit_seal WHERE number = 3": [
        "seal 3: the head names it, and the chain has ended with seal 2: what was "
        "sealed behind row 6, up to row 9, was cut off",
    ],
    "UPDATE audit_seal SET archived = 'x' WHERE number = 1": [
        "seal 1, rows 1-3: said to be archived, not by this key",
    ],
}


@pytest.mark.parametrize("statement", SAID)
def test_a_finding_names_the_seal_and_the_rows(
    head: heads.Head, statement: str
) -> None:
    sql(statement)
    found = findings(head)
    assert len(found) == len(SAID[statement])
    for line, said in zip(found, SAID[statement], strict=True):
        assert line.startswith(said)


def test_text_that_cannot_be_read_is_a_finding_about_its_seal_alone(
    head: heads.Head,
) -> None:
    """SQLite keeps anything; PostgreSQL refuses to store what is no text."""
    text = {
        "sqlite": "CAST(x'ff' AS text)",
        "postgresql": "convert_from('\\xff', 'UTF8')",
    }
    act = f"UPDATE {ROWS} SET actor = {text[connection.vendor]} WHERE id = 5"  # noqa: S608
    if connection.vendor == "postgresql":
        with pytest.raises(DatabaseError), transaction.atomic():
            sql(act)
        return
    sql(act)
    [finding] = findings(head)
    assert finding.startswith("seal 2: the rows cannot be read")


def test_without_a_head_a_cut_cannot_be_found_and_the_command_says_so(
    head: heads.Head, capsys: Any
) -> None:
    sql("DELETE FROM audit_seal WHERE number = 3")
    sql("DELETE FROM audit_auditrow WHERE id > 6")
    call_command("verify_audit")
    said = capsys.readouterr().out
    assert "There is no head" in said
    assert "The audit trail is what was sealed." in said


def test_the_command_has_a_line_for_each_finding_and_fails(
    head: heads.Head, capsys: Any, tmp_path: Any
) -> None:
    heads.write(tmp_path / "head", head)
    call_command("verify_audit", "--head", str(tmp_path / "head"))
    assert (
        "Sealed rows read: 9; seals: 3; rows not sealed yet: 0."
        in capsys.readouterr().out
    )
    sql("UPDATE audit_auditrow SET actor = '' WHERE id IN (1, 9)")
    with pytest.raises(CommandError, match="Findings: 2"):
        call_command("verify_audit", "--head", str(tmp_path / "head"))
    said = capsys.readouterr().err
    assert "WRONG seal 1, row 1: altered.\nWRONG seal 3, row 9: altered.\n" in said


def test_the_head_that_is_kept_is_looked_at_without_asking(
    head: heads.Head, settings: Any, tmp_path: Any
) -> None:
    settings.AUDIT_HEAD_FILE = str(tmp_path / "head")
    heads.write(tmp_path / "head", head)
    sql("DELETE FROM audit_seal WHERE number = 3")
    with pytest.raises(CommandError, match="Findings: 1"):
        call_command("verify_audit")


def test_a_head_that_is_not_there_is_said(db: None, tmp_path: Any) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("verify_audit", "--head", str(tmp_path / "nowhere"))


def test_a_pass_reads_few_rows_at_a_time(
    head: heads.Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where somebody has put many rows among the sealed ones."""
    for number in range(-20, 0):
        add_row(id=number)
    monkeypatch.setattr(stored.rows, "__defaults__", (4,))
    read, real = [], stored.rows

    def counted(*of: Any) -> Any:
        read.append(len(found := real(*of)))
        return found

    monkeypatch.setattr(stored, "rows", counted)
    assert findings(head) != []
    assert max(read) == 4


# The proof can fail ------------------------------------------------------------------------


def rows_are_not_compared(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(proving, "differences", lambda *_of: iter(()))


def macs_are_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(seals, "mac_of", lambda made: made.mac)


def added_rows_are_overlooked(patch: pytest.MonkeyPatch) -> None:
    real = proving.Proving._read

    def forgetting(self: Any, *of: Any) -> Any:
        found = real(self, *of)
        self._unheld.clear()
        return found

    patch.setattr(proving.Proving, "_read", forgetting)


def the_head_is_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    real = proving.Proving.__init__
    patch.setattr(proving.Proving, "__init__", lambda self, *_of: real(self))


def the_chain_is_not_followed(patch: pytest.MonkeyPatch) -> None:
    real = proving.Proving._link

    def alone(self: Any, made: Seal, sound: bool) -> Any:
        return (line for line in real(self, made, sound) if not sound)

    patch.setattr(proving.Proving, "_link", alone)


def archives_are_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(seals, "archived_of", lambda made: made.archived)


def a_column_is_left_out(patch: pytest.MonkeyPatch) -> None:
    real = stored.canonical

    def without(row: Any) -> bytes:
        return real([*row[:9], *row[10:]] if len(row) == len(stored.COLUMNS) else row)

    patch.setattr(stored, "canonical", without)


ENOUGH = range(60)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "mutation",
    [
        rows_are_not_compared,
        macs_are_believed,
        added_rows_are_overlooked,
        the_head_is_not_looked_at,
        the_chain_is_not_followed,
        archives_are_believed,
        a_column_is_left_out,
    ],
    ids=lambda broken: broken.__name__,
)
def test_it_shows_when(
    mutation: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutation(monkeypatch)
    assert any(missed(seed)[1] for seed in ENOUGH)
