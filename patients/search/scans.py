"""Reading the keys of streams: the merge of many, in SQL of each database.

Nothing here knows who may see whom: what is read are candidates, in the order of the
index, for patients.search.streams to put before the rule. The cost follows from how many are
asked for and from the number of streams, never from how many patients a stream holds.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from canvas_admin.records.lookups import as_parameter, one_of
from patients.models.stream_keys import StreamKey, place_of
from patients.search.folding import SEPARATOR

Kind = StreamKey.Kind
# Above every folded word that begins with what stands before it.
END = "\x7f"
# Of more streams than these a page is bounded first, by what a sample of them has.
FEW_STREAMS = 16
SAMPLE = 64
# Fewer keys than these are read without a look at how many each stream has of them.
WHOLE = 1000
# A word is rare when it has fewer entries than this in the streams that are read.
RARE = 300
WEIGHED = 4
# One of so many letters probably has fewer keys than this; then they are read at once.
LONG = 4
PROBABLY = 100
# The most candidates that are read at once when many are dropped.
MOST = 500


# What lies behind the first of two places, up to the second.
Span = tuple[str, str]


class Candidate(NamedTuple):
    """A key that was read; its order is the index's. `about` is a row's primary key."""

    place: str
    about: int


@dataclass(frozen=True)
class Table:
    """Where keys are, and the column that says what each is about."""

    name: str
    about: str


NAMES = Table("patients_streamkey", "patient_id")


@dataclass(frozen=True)
class Scan:
    """A stretch of each stream: of one kind, what lies behind `low` and before `high`.

    `having` are folded beginnings that words of the patient's name must have as well.
    What is `probably_rare` is read in another order, and nothing else depends on it.
    """

    kind: int
    low: str = ""
    high: str = ""
    having: tuple[str, ...] = ()
    probably_rare: bool = False
    table: Table = NAMES

    @classmethod
    def exact(cls, kind: int, word: str = "", having: Iterable[str] = ()) -> "Scan":
        """The keys of one word, which lie in the order of the patients' names."""
        low, high = place_of(word), place_of(word, END)
        return cls(int(kind), low, high, tuple(having), probably_rare=bool(word))

    @classmethod
    def prefix(cls, word: str, having: Iterable[str] = ()) -> "Scan":
        """The keys of names that have a word which begins so."""
        rare = len(word) >= LONG
        return cls(int(Kind.WORD), word, f"{word}{END}", tuple(having), rare)

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
    if not streams:
        return []
    span = scan.span(start, backwards)
    if len(streams) <= FEW_STREAMS:
        return _first(scan, span, streams, limit, backwards, limit)
    known, left = _some(scan, span, streams, limit, backwards)
    if not left:
        return known
    # Any candidates bound the page, be they only of some streams: nothing behind as many
    # as are wanted can be in it.
    if len(known) == limit:
        span = _until(known[-1].place, span, backwards)
    found = _any(scan, span, left, WHOLE, backwards)
    if len(found) == WHOLE:
        found = _first(scan, span, left, limit, backwards, limit)
    return sorted({*known, *found}, reverse=backwards)[:limit]


def batches(
    scan: Scan,
    streams: Sequence[int],
    size: int,
    start: str | None = None,
    backwards: bool = False,
) -> Iterator[list[Candidate]]:
    """All candidates behind a place, read `size` at a time, then more, up to MOST."""
    while True:
        batch = read(scan, streams, size, start, backwards)
        yield batch
        if len(batch) < size:
            return
        start, size = batch[-1].place, min(2 * size, MOST)


def some(
    kinds: Sequence[Scan], streams: Sequence[int], most: int
) -> list[list[Candidate]]:
    """Candidates of each of these kinds, in no order, perhaps one more than once.

    Fewer than `most` of a kind are all of it.
    """

    def each(scan: Scan, of: Sequence[int]) -> list[Candidate]:
        return _any(scan, scan.span(), of, most, False) if of else []

    if len(streams) <= FEW_STREAMS or len(kinds) == 1:
        return [each(scan, streams) for scan in kinds]
    found = {scan: each(scan, _spread(streams, SAMPLE)) for scan in kinds}
    few = [scan for scan, keys in found.items() if len(keys) < most]
    if few:
        together = _together(few, streams, most * len(few))
        found |= together or {scan: each(scan, streams) for scan in few}
    return [found[scan] for scan in kinds]


def _together(
    kinds: Sequence[Scan], streams: Sequence[int], most: int
) -> dict[Scan, list[Candidate]] | None:
    """All candidates of these kinds; None where there may be more of them than `most`.

    In the index the kinds of a stream stand side by side: one look at each stream finds
    what there is of several.
    """
    table = kinds[0].table
    sql = f"""
        SELECT k.kind, k.place, k.{table.about} FROM {table.name} k
        WHERE {one_of("k.stream")} AND k.kind BETWEEN %s AND %s LIMIT %s"""  # noqa: S608
    numbers = [scan.kind for scan in kinds]
    keys = _ask(sql, [as_parameter(streams), min(numbers), max(numbers), most])
    if len(keys) == most:
        return None
    return {
        scan: [Candidate(*key) for kind, *key in keys if kind == scan.kind]
        for scan in kinds
    }


def _some(
    scan: Scan, span: Span, streams: Sequence[int], limit: int, backwards: bool
) -> tuple[list[Candidate], Sequence[int]]:
    """Candidates to begin with, in order, and the streams that may have others."""
    if scan.probably_rare:
        found = _any(scan, span, streams, PROBABLY, backwards)
        known = sorted(set(found), reverse=backwards)[:limit]
        return known, streams if len(found) == PROBABLY else ()
    # To look past names that lack the other words costs so much that the sample is read to
    # the end then, and not again.
    some = _spread(streams, SAMPLE)
    each = limit if scan.having else -(-2 * limit // len(some))
    known = _first(scan, span, some, limit, backwards, each)
    if known and not scan.having:
        return known, streams
    return known, list(set(streams).difference(some))


def _spread(streams: Sequence[int], number: int) -> Sequence[int]:
    """At most so many of the streams, evenly spread."""
    return streams[:: -(-len(streams) // number)]


def _until(end: str, span: Span, backwards: bool) -> Span:
    """The part of a span that is not behind a place."""
    low, high = span
    return (end, high) if backwards else (low, end)


def _any(
    scan: Scan, span: Span, streams: Sequence[int], most: int, backwards: bool
) -> list[Candidate]:
    """Candidates of a span, in no order: all of them, where they are fewer than `most`."""
    sql = f"""
        SELECT k.place, k.{scan.table.about} FROM {scan.table.name} k
        WHERE {one_of("k.stream")} AND {_between("k", backwards)} {_having(scan, "k")}
        LIMIT %s"""  # noqa: S608
    stretch = [as_parameter(streams), scan.kind, *span, *_had(scan)]
    return [Candidate(*key) for key in _ask(sql, [*stretch, most])]


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
    way = "DESC" if backwards else "ASC"
    about = scan.table.about
    stretch = f"""
        SELECT c.place, c.{about} FROM {scan.table.name} c
        WHERE {_within("c", backwards)} {_having(scan, "c")}
        ORDER BY c.place {way} LIMIT %s"""  # noqa: S608
    stretched = [scan.kind, *span, *_had(scan), each]
    if connection.vendor == "postgresql":
        sql = f"""
            SELECT DISTINCT k.place, k.{about}
            FROM {_each()} CROSS JOIN LATERAL ({stretch}) k
            ORDER BY k.place {way} LIMIT %s"""  # noqa: S608
        found = _ask(sql, [as_parameter(streams), *stretched, limit])
        return [Candidate(*key) for key in found]
    # SQLite has no LATERAL. The keys of each stream come as one text: of other ways to
    # have several columns of several rows, none reads the index alone.
    sql = f"""
        SELECT (SELECT group_concat({about} || '{_FIELD}' || place, '{_KEY}')
                FROM ({stretch}))
        FROM {_each()}"""  # noqa: S608
    texts = _ask(sql, [*stretched, as_parameter(streams)])
    keys = {key for (text,) in texts if text for key in text.split(_KEY)}
    return sorted(map(_candidate, keys), reverse=backwards)[:limit]


# What parts the fields of a key, and keys, in a text of SQLite's: no place has them.
_FIELD, _KEY = "\x1d", "\x1e"


def _candidate(key: str) -> Candidate:
    """A key out of such a text. What a damaged key says, the rule finds wrong as ever."""
    about, _gap, place = key.partition(_FIELD)
    return Candidate(place, int(about) if about.isdecimal() else 0)


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
        WHERE {_within("k")} {_having(scan, "k")} {behind}
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
                WHERE {_within("k")} LIMIT {RARE}) n""")  # noqa: S608
        parameters += _stretch(Scan.prefix(word), some)
    counts = dict(_ask(" UNION ALL ".join(parts), parameters))
    return longest[min(counts, key=lambda number: (counts[number], number))]


def identified(text: str) -> list[int]:
    """The patients whose MRN, or an identifier of theirs, is this text in full."""
    sql = """
        SELECT id FROM patients_patient WHERE mrn = %s
        UNION
        SELECT patient_id FROM patients_patientidentifier
        WHERE value = %s AND NOT entered_in_error
        LIMIT 50"""
    return [row[0] for row in _ask(sql, [text, text])]


def _within(table: str, backwards: bool = False) -> str:
    """The condition that a key lies in a span of the stream that _each() has."""
    return f"{table}.stream = each.stream AND {_between(table, backwards)}"


def _between(table: str, backwards: bool) -> str:
    """The condition that a key lies in a span; its parameters: kind, span.

    Where the span begins is not in it, and its end is: backwards the other way round.
    """
    low, high = (">=", "<") if backwards else (">", "<=")
    return f"""{table}.kind = %s
          AND {table}.place {low} %s AND {table}.place {high} %s"""


def _stretch(scan: Scan, streams: Sequence[int]) -> list[Any]:
    """The parameters of _each() and _within(), of all of a scan."""
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
