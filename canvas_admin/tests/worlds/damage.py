"""What every test of damaged keys asks: who has wrong ones, and by whose account."""

from django.db import transaction

from canvas_admin.tests.worlds.building import Built
from patients.search import stream_keys
from patients.search.stream_keys import Book


def found_by_check(*, repair: bool = False) -> set[int]:
    """Whose keys check_access finds wrong, by primary key."""
    return {pk for _number, wrong in stream_keys.check(repair=repair) for pk in wrong}


def differing(built: Built, book: Book) -> set[int]:
    """Whose keys a plain rewriting of a book would change."""
    before = _keys(book)
    with transaction.atomic():
        book.model.objects.all().delete()
        stream_keys.refresh([p.pk for p in built.patients], book)
        after = _keys(book)
        transaction.set_rollback(True)
    pks = {pk for pk, *_key in before} | {pk for pk, *_key in after}
    return {
        pk
        for pk in pks
        if [k for k in before if k[0] == pk] != [k for k in after if k[0] == pk]
    }


def _keys(book: Book) -> list[tuple]:
    return sorted(book.model.objects.values_list("patient", *book.says._fields))
