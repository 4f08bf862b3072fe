"""Changes that are made and taken back, so that what they would be is seen (security A13)."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def undone_if(dry: bool) -> Iterator[None]:
    """One transaction, which leaves nothing behind if this is a dry run."""
    with transaction.atomic():
        yield
        if dry:
            transaction.set_rollback(True)
