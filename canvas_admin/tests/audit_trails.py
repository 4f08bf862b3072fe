"""Trails to seal: rows that are old enough, written as the database would have them."""

from datetime import timedelta
from random import Random
from typing import Any

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from canvas_admin.audit import seals
from canvas_admin.audit.models import AuditRow, Seal
from canvas_admin.audit.proving import Proving

OLD = timedelta(minutes=5)


def add_row(**fields: Any) -> AuditRow:
    """A row of five minutes ago, behind all others, unless told otherwise."""
    usual = {
        "id": (AuditRow.objects.aggregate(last=Max("id"))["last"] or 0) + 1,
        "event": "e" * 32,
        "recorded": timezone.now() - OLD,
        "actor": "a" * 32,
        "actor_name": "nora",
        "action": "patient.chart",
        "outcome": "shown",
        "detail": {},
    }
    row = AuditRow.objects.create(**(usual | fields))
    if connection.vendor == "postgresql":
        sql(
            "SELECT setval('audit_auditrow_id_seq', "
            "greatest((SELECT last_value FROM audit_auditrow_id_seq), %s))",
            row.pk,
        )
    return row


def add_rows(number: int, **fields: Any) -> list[AuditRow]:
    """Some rows, one behind the other."""
    return [add_row(**fields) for _ in range(number)]


def random_row(rng: Random, **fields: Any) -> AuditRow:
    """A row that says anything, as our own code could have written it."""
    drawn = {
        "event": f"{rng.getrandbits(128):032x}",
        "recorded": timezone.now() - OLD - timedelta(seconds=rng.uniform(0, 60)),
        "actor": f"{rng.getrandbits(128):032x}",
        "actor_name": rng.choice(["nora", "sam", "Zoë Ünal", "anonymous"]),
        "action": rng.choice(["patient.chart", "patient.list", "staff.grant"]),
        "outcome": rng.choice(AuditRow.Outcome.values),
        "patient": rng.choice(["", f"{rng.getrandbits(128):032x}"]),
        "access_path": rng.choice(["", "patient-group", "all-patients"]),
        "subject": rng.choice(["", "staff/1", "team/2"]),
        "detail": rng.choice([{}, {"n": 1}, {"group": "Süd", "to": [1.5, None]}]),
        "correlation": rng.choice(["", "c" * 36]),
        "address": rng.choice([None, "127.0.0.1", "2001:db8::1"]),
    }
    return add_row(**(drawn | fields))


def seal() -> list[Seal]:
    """Seal what is ready; the seals made."""
    return list(seals.seal_ready())


def findings(head: Any = None) -> list[str]:
    """What a pass over the trail finds."""
    return list(Proving(head).findings())


def sql(statement: str, *values: Any) -> int:
    """Write to the database past the application; how many rows were met."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount
