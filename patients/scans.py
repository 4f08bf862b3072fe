"""Reading stream keys: the merge of many streams, in SQL of each database.

Nothing here knows who may see whom: what is read are candidates, in the order of the
index, for patients.streams to put before the rule. The cost follows from how many are
asked for and from the number of streams, never from how many patients a stream holds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from canvas_admin.records.lookups import as_parameter
from patients.folding import SEPARATOR
from patients.models.stream_keys import StreamKey, place_of

Kind = StreamKey.Kind
# Above every folded word that begins with what stands before it.
END = "\x7f"
# Of more streams than these a page is bounded first, by what a sample of them has.
FEW_STREAMS = 16
SAMPLE = 128
# A word is rare when it has fewer entries than this in the streams that are read.
RARE = 300
WEIGHED = 4


# What lies behind the first of two places, up to the second.
Span = tuple[str, str]


class Candidate(NamedTuple):
    """A key that was read; its order is the index's."""

    place: str
    patient: int


@dataclass(frozen=True)
class Scan:
    """A stretch of each stream: of one kind, what lies behind `low` and before `high`.

    `having` are folded beginnings that words of the patient's name must have as well.
    """

    kind: int
    low: str = ""
    high: str = ""
    having: tuple[str, ...] = ()

    @classmethod
    def exact(cls, kind: int, word: str = "", having: Iterable[str] = ()) -> "Scan":
        """The keys of one word, which lie in the order of the patients' names."""
        low, high = place_of(word), place_of(word, END)
        return cls(int(kind), low, high, tuple(having))

    @classmethod
    def prefix(cls, word: str, having: Iterable[str] = ()) -> "Scan":
        """The keys of names that have a word which begins so."""
        return cls(int(Kind.WORD), word, f"{word}{END}", tuple(having))

    def span(self, start: str | None = None, backwards: bool = False) -> Span:
        """What to read: all of it, or what is behind `start`, or ahead of it backwards."""
        if start and backwards:
            return self.low, min(self.high, start)
        return max(self.low, start or ""), self.high


BY_NAME = Scan.exact(Kind.NAME)
BY_BIRTH = Scan(int(Kind.BIRTH), "", END)


def read(
    scan: Scan,
    streams: Sequence[int],
    limit: int,
    start: str | None = None,
    backwards: bool = False,
) -> list[Candidate]:
    """The first candidates of the merged streams behind a place, each place once.

    Going backwards, the last ones ahead of it, the nearest first. Fewer than `limit`
    means that there are no more.
    """
    span = scan.span(start, backwards)
    # With other words wanted too, a sample would cost nearly what the page does.
    if len(streams) > FEW_STREAMS and not scan.having:
        # Any candidates bound the page, be they only of some streams: nothing behind as
        # many as are wanted can be in it.
        some = _spread(streams, SAMPLE)
        each = -(-2 * limit // len(some))
        known = _first(scan, span, some, limit, backwards, each)
        if len(known) == limit:
            span = _until(known[-1].place, span, backwards)
        elif not known:
            streams = list(set(streams).difference(some))
    return _first(scan, span, streams, limit, backwards, limit)


def _spread(streams: Sequence[int], number: int) -> Sequence[int]:
    """At most so many of the streams, evenly spread."""
    return streams[:: -(-len(streams) // number)]


def _until(end: str, span: Span, backwards: bool) -> Span:
    """The part of a span that is not behind a place."""
    low, high = span
    return (end, high) if backwards else (low, end)


def _first(
    scan: Scan,
    span: Span,
    streams: Sequence[int],
    limit: int,
    backwards: bool,
    each: int,
) -> list[Candidate]:
    """The first candidates among the first `each` keys of a span of every stream.

    Forward it reads up to the span's end, and backwards down to its beginning, that place
    with it: it may be the last candidate's own.
    """
    if not streams:
        return []
    way, behind, until = ("DESC", "<", ">=") if backwards else ("ASC", ">", "<=")
    stretch = f"""
        FROM patients_streamkey c
        WHERE c.stream = each.stream AND c.kind = %s
          AND c.place {behind} %s AND c.place {until} %s {_having(scan, "c")}
        ORDER BY c.place {way} LIMIT %s"""  # noqa: S608
    if connection.vendor == "postgresql":
        keys = f"""CROSS JOIN LATERAL (
            SELECT c.place, c.patient_id {stretch}) k"""
    else:
        # SQLite has no LATERAL: the ids of a stream's stretch, then the rows of these ids.
        keys = f"""CROSS JOIN patients_streamkey k
            ON k.id {"=" if each == 1 else "IN"} (SELECT c.id {stretch})"""
    sql = f"""
        SELECT DISTINCT k.place, k.patient_id FROM {_each()} {keys}
        ORDER BY k.place {way} LIMIT %s"""  # noqa: S608
    near, far = reversed(span) if backwards else span
    stretched = [scan.kind, near, far, *_had(scan), each]
    found = _ask(sql, [as_parameter(streams), *stretched, limit])
    return [Candidate(*key) for key in found]


def collect(
    scan: Scan,
    streams: Sequence[int],
    limit: int,
    order: Sequence[str],
    start: Sequence[str] | None = None,
    backwards: bool = False,
) -> dict[int, tuple[str, ...]]:
    """The first patients of a stretch in another order than the index's.

    `order` are fields of the patient, `start` their values behind which to begin. Returns
    {primary key: values}, in order. Every key of the stretch is looked at, so that the cost
    follows from how many patients have the word.
    """
    behind_word = f"substr(k.place, {_position()}(k.place, '{SEPARATOR}') + 1)"
    fields = [behind_word if f == "sort_name" else f"p.{f}" for f in order]
    columns = ", ".join(fields)
    patients = "JOIN patients_patient p ON p.id = k.patient_id"
    way, sign = ("DESC", "<") if backwards else ("ASC", ">")
    behind = ""
    if start is not None:
        behind = f"AND ({columns}) {sign} ({', '.join(['%s'] * len(start))})"
    sql = f"""
        SELECT DISTINCT {columns}, k.patient_id
        FROM {_each()} CROSS JOIN patients_streamkey k
        {patients if "p." in columns else ""}
        WHERE {_IN_STRETCH} {_having(scan, "k")} {behind}
        ORDER BY {", ".join(f"{field} {way}" for field in fields)} LIMIT %s"""  # noqa: S608
    stretch = _stretch(scan, streams)
    parameters = [*stretch, *_had(scan), *(start or ()), limit]
    return {pk: tuple(map(str, values)) for *values, pk in _ask(sql, parameters)}


def rarest(words: Sequence[str], streams: Sequence[int]) -> str:
    """Of these beginnings of words the one that the fewest names in the streams have.

    Counting stops at RARE; where all are frequent it is the longest. Of many streams some
    are counted, evenly spread: a poor choice costs time and changes nothing that is found.
    """
    if len(words) == 1:
        return words[0]
    longest = sorted(words, key=len, reverse=True)[:WEIGHED]
    some = _spread(streams, FEW_STREAMS)
    parts, parameters = [], []
    for number, word in enumerate(longest):
        parts.append(f"""
            SELECT {number}, count(*) FROM (
                SELECT 1 FROM {_each()} CROSS JOIN patients_streamkey k
                WHERE {_IN_STRETCH} LIMIT {RARE}) n""")  # noqa: S608
        parameters += _stretch(Scan.prefix(word), some)
    counts = dict(_ask(" UNION ALL ".join(parts), parameters))
    return longest[min(counts, key=lambda number: (counts[number], number))]


def identified(text: str) -> list[int]:
    """The patients whose MRN, or an identifier of theirs, is this text in full."""
    sql = """
        SELECT id FROM patients_patient WHERE mrn = %s
        UNION
        SELECT patient_id FROM patients_patientidentifier WHERE value = %s
        LIMIT 50"""
    return [row[0] for row in _ask(sql, [text, text])]


_IN_STRETCH = """k.stream = each.stream AND k.kind = %s
          AND k.place > %s AND k.place <= %s"""


def _stretch(scan: Scan, streams: Sequence[int]) -> list[Any]:
    """The parameters of _each() and _IN_STRETCH."""
    return [as_parameter(streams), scan.kind, *scan.span()]


def _having(scan: Scan, table: str) -> str:
    """The condition on the other words; in a form that tempts no planner to use it first."""
    return f"AND {_position()}({table}.words, %s) > 0 " * len(scan.having)


def _position() -> str:
    """The function that tells where a text has another."""
    return "strpos" if connection.vendor == "postgresql" else "instr"


def _had(scan: Scan) -> list[str]:
    return [f" {word}" for word in scan.having]


def _each() -> str:
    """The streams as a table: one parameter, however many there are."""
    if connection.vendor == "postgresql":
        return "unnest(%s::bigint[]) AS each(stream)"
    return "(SELECT value AS stream FROM json_each(%s)) AS each"


def _ask(sql: str, parameters: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()
