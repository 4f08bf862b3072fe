"""The patients of a narrow reach, as a way into a search of any kind.

A search that many rows meet would go through all of them to find the few within a narrow
reach. There the keys of its streams say where to look: they propose, and the rule decides
as everywhere (DESIGN section 6).
"""

from django.db.models import QuerySet

from patients import access
from patients.models import StreamKey
from patients.models.stream_keys import streams_of

# A reach of no more keys than this is narrow.
NARROW = 10_000


def candidates(reach: access.Reach) -> QuerySet | None:
    """The primary keys of those whom a narrow reach may hold; None for one that is wide.

    One query of at most NARROW keys, unless the reach is everyone.
    """
    groups = access.streams(reach)
    if None in groups:
        return None
    streams = [one for half in (True, False) for one in streams_of(groups, half)]
    keys = StreamKey.objects.filter(stream__among=streams, kind=StreamKey.Kind.NAME)
    number = keys.order_by().values("kind")[: NARROW + 1].count()
    return keys.order_by().values("patient") if number <= NARROW else None
