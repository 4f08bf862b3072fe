"""The site without any permission filter on patients: what the bench compares with.

Nobody's standing is read and no rule is asked; everything else is the same: session,
model permissions, page, audit row. It serves the bench alone.
"""

from collections.abc import Iterable
from typing import Any

from canvas_admin.wsgi import application
from patients import access
from patients.models import Patient
from staffing.standing import Standing

__all__ = ["application"]


def _everything(account: Any) -> access.Reach:
    known = isinstance(account, access.Reach)
    return account if known else access.Reach(Standing(account.pk, superuser=True))


def _opened(_account: Any, patients: Iterable[int]) -> dict[Patient, str]:
    return dict.fromkeys(Patient.objects.filter(pk__in=patients), "unfiltered")


access.Reach.of = staticmethod(_everything)
access.opened = _opened
