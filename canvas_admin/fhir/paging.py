"""Pages of a search: where one begins, how many matches there are, and where it goes on.

By offset as far as offsets go, then by a sealed cursor, which names the last row shown
(DESIGN section 8).
"""

from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.http import QueryDict

from canvas_admin.fhir import outcomes
from canvas_admin.fhir.resources import Resource
from canvas_admin.fhir.searching import FURTHEST, MOST_COUNTED, Search

CURSOR = "canvas_admin.fhir.cursor"


def last_shown(request: Any, resource: Resource, search: Search) -> Any:
    """The row behind which a page begins, by the cursor; None where none is given."""
    if not search.cursor:
        return None
    try:
        logical_id = signing.loads(search.cursor, salt=CURSOR)
    except signing.BadSignature as error:
        raise outcomes.invalid("_cursor: follow the link “next”") from error
    row = resource.find(request, str(logical_id))
    if row is None:
        raise outcomes.invalid("_cursor: this page is gone; search again")
    return row


def total(found: Any, search: Search, read: int) -> int | None:
    """How many matches there are; None above what is counted, or where nobody asks."""
    if search.total == "none" and search.summary != "count":
        return None
    if not search.cursor and 0 < read <= search.count:
        return search.offset + read
    if search.total == "accurate":
        return found.count(None)
    number = found.count(MOST_COUNTED + 1)
    return number if number <= MOST_COUNTED else None


def links(
    query: QueryDict, search: Search, resource: Resource, rows: list[Any]
) -> dict[str, str]:
    """The query strings of this page, the first and the next."""
    asked = [
        (key, value)
        for key, values in query.lists()
        for value in values
        if key not in ("_count", "_offset", "_cursor")
    ]
    size = [("_count", str(search.count))]

    def page(**where: Any) -> str:
        return urlencode([*asked, *size, *((k, str(v)) for k, v in where.items())])

    here = {"_cursor": search.cursor} if search.cursor else {"_offset": search.offset}
    found = {"self": page(**here), "first": page(_offset=0)}
    if search.summary != "count" and len(rows) > search.count > 0:
        further = search.offset + search.count
        if search.cursor or further > FURTHEST:
            last = resource.id_of(rows[search.count - 1])
            found["next"] = page(_cursor=signing.dumps(last, salt=CURSOR))
        else:
            found["next"] = page(_offset=further)
    return found
