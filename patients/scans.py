"""Reading stream keys: the merge of many streams, in SQL of each database.

Nothing here knows who may see whom: what is read are candidates, in the order of the
index, for patients.streams to put before the rule. The cost follows from how many are
asked for and from the number of streams, never from how many patients a stream holds.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from django.db import connection

from canvas_admin.records.lookups import as_parameter
from patients.models.stream_keys import StreamKey

Kind = StreamKey.Kind
# Above every folded word that begins with what stands before it.
END = "\x7f"
# Of more streams than these a page is bounded first, by what a sample of them has.
FEW_STREAMS = 16
SAMPLE = 128
# A word is rare when it has fewer entries than this in the streams that are read.
RARE = 300
WEIGHED = 4


# Where a scan stands: kind, word, sort name.
Place = tuple[int, str, str]
# A part of one kind: kind, lower word and sort name, upper word and sort name.
Span = tuple[int, str, str, str, str]


class Candidate(NamedTuple):
    """A key that was read; its order is the index's."""

    kind: int
    word: str
    sort_name: str
    patient: int

    @property
    def place(self) -> Place:
        """Where it stands in a scan."""
        return self[:3]


@dataclass(frozen=True)
class Scan:
    """A stretch of each stream: these kinds, words from `low` on and before `high`.

    `having` are folded beginnings that words of the patient's name must have as well.
    """

    kinds: tuple[int, ...]
    low: str = ""
    high: str = ""
    having: tuple[str, ...] = ()

    @classmethod
    def exact(cls, kind: int, word: str = "", having: Iterable[str] = ()) -> "Scan":
        """The keys of one word, which lie in the order of the patients' names."""
        return cls((int(kind),), word, f"{word}\x01", tuple(having))

    @classmethod
    def prefix(cls, word: str, having: Iterable[str] = ()) -> "Scan":
        """The keys of names that have a word which begins so, family names first."""
        kinds = (int(Kind.FAMILY), int(Kind.GIVEN))
        return cls(kinds, word, f"{word}{END}", tuple(having))

    def spans(self, start: Place | None = None, backwards: bool = False) -> list[Span]:
        """What to read of each kind: all of it that is behind `start`."""
        found = []
        for kind in self.kinds:
            low, high = (kind, self.low, ""), (kind, self.high, "")
            if start and backwards:
                high = min(high, start)
            elif start:
                low = max(low, start)
            if low < high:
                found.append((*low, *high[1:]))
        return found


BY_NAME = Scan.exact(Kind.NAME)
BY_BIRTH = Scan((int(Kind.BIRTH),), "", END)


def read(
    scan: Scan,
    streams: Sequence[int],
    limit: int,
    start: Place | None = None,
    backwards: bool = False,
) -> list[Candidate]:
    """The first candidates of the merged streams behind a place, each place once.

    Going backwards, the last ones ahead of it, the nearest first. Fewer than `limit`
    means that there are no more.
    """
    spans = scan.spans(start, backwards)
    # With other words wanted too, a sample would cost nearly what the page does.
    if len(streams) > FEW_STREAMS and not scan.having:
        # Any candidates bound the page, be they only of some streams: nothing behind as
        # many as are wanted can be in it.
        some = _spread(streams, SAMPLE)
        each = -(-2 * limit // len(some))
        known = _first(scan, spans, some, limit, backwards, each)
        if len(known) == limit:
            end = known[-1].place
            spans = [cut for span in spans if (cut := _until(end, span, backwards))]
        elif not known:
            streams = list(set(streams).difference(some))
    return _first(scan, spans, streams, limit, backwards, limit)


def _spread(streams: Sequence[int], number: int) -> Sequence[int]:
    """At most so many of the streams, evenly spread."""
    return streams[:: -(-len(streams) // number)]


def _until(end: Place, span: Span, backwards: bool) -> Span | None:
    """What of a span is not behind a place; None when nothing is."""
    kind, low, low_name, high, high_name = span
    if kind != end[0]:
        return span if (kind > end[0]) is backwards else None
    return (*end, high, high_name) if backwards else (kind, low, low_name, *end[1:])


def _first(
    scan: Scan,
    spans: Sequence[Span],
    streams: Sequence[int],
    limit: int,
    backwards: bool,
    each: int,
) -> list[Candidate]:
    """The first candidates among the first `each` keys of every span in every stream."""
    if not spans or not streams:
        return []
    keys, parameters = _keys(scan, spans, streams, each, backwards)
    way = "DESC" if backwards else "ASC"
    sql = f"""
        SELECT DISTINCT k.kind, k.word, k.sort_name, k.patient_id FROM {keys}
        ORDER BY k.kind {way}, k.word {way}, k.sort_name {way} LIMIT %s"""  # noqa: S608
    return [Candidate(*key) for key in _ask(sql, [*parameters, limit])]


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
    spans = scan.spans()
    fields = [f"k.{f}" if f == "sort_name" else f"p.{f}" for f in order]
    columns = ", ".join(fields)
    patients = "JOIN patients_patient p ON p.id = k.patient_id"
    way, sign = ("DESC", "<") if backwards else ("ASC", ">")
    behind = ""
    if start is not None:
        behind = f"AND ({columns}) {sign} ({', '.join(['%s'] * len(start))})"
    sql = f"""
        SELECT DISTINCT {columns}, k.patient_id
        FROM {_lanes(spans)} CROSS JOIN patients_streamkey k
        {patients if "p." in columns else ""}
        WHERE {_IN_LANE} {_having(scan, "k")} {behind}
        ORDER BY {", ".join(f"{field} {way}" for field in fields)} LIMIT %s"""  # noqa: S608
    lanes = _parameters(streams, spans)
    parameters = [*lanes, *_had(scan), *(start or ()), limit]
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
        spans = Scan.prefix(word).spans()
        parts.append(f"""
            SELECT {number}, count(*) FROM (
                SELECT 1 FROM {_lanes(spans)} CROSS JOIN patients_streamkey k
                WHERE {_IN_LANE} LIMIT {RARE}) n""")  # noqa: S608
        parameters += _parameters(some, spans)
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


_IN_LANE = """k.stream = each.stream AND k.kind = lane.kind
          AND (k.word, k.sort_name) > (lane.low, lane.low_name)
          AND (k.word, k.sort_name) <= (lane.high, lane.high_name)"""


def _keys(
    scan: Scan,
    spans: Sequence[Span],
    streams: Collection[int],
    limit: int,
    backwards: bool,
) -> tuple[str, list[Any]]:
    """The first keys of each span in each stream, as a table `k`, and its parameters."""
    way, behind, until = ("DESC", "<", ">=") if backwards else ("ASC", ">", "<=")
    first, last = ("high", "low") if backwards else ("low", "high")
    stretch = f"""
        FROM patients_streamkey c
        WHERE c.stream = each.stream AND c.kind = lane.kind
          AND (c.word, c.sort_name) {behind} (lane.{first}, lane.{first}_name)
          AND (c.word, c.sort_name) {until} (lane.{last}, lane.{last}_name)
          {_having(scan, "c")}
        ORDER BY c.word {way}, c.sort_name {way} LIMIT %s"""
    if connection.vendor == "postgresql":
        table = f"""{_lanes(spans)} CROSS JOIN LATERAL (
            SELECT c.stream, c.kind, c.word, c.sort_name, c.patient_id {stretch}) k"""
    else:
        # SQLite has no LATERAL: the ids of a lane's stretch, then the rows of these ids.
        table = f"""{_lanes(spans)} CROSS JOIN patients_streamkey k
            ON k.id {"=" if limit == 1 else "IN"} (SELECT c.id {stretch})"""
    return table, [*_parameters(streams, spans), *_had(scan), limit]


def _having(scan: Scan, table: str) -> str:
    """The condition on the other words; in a form that tempts no planner to use it first."""
    function = "strpos" if connection.vendor == "postgresql" else "instr"
    return f"AND {function}({table}.words, %s) > 0 " * len(scan.having)


def _had(scan: Scan) -> list[str]:
    return [f" {word}" for word in scan.having]


def _lanes(spans: Sequence[Span]) -> str:
    """Every stream with every span, as the tables `each` and `lane`.

    The streams are one parameter, however many there are; see _parameters().
    """
    names = ("kind", "low", "low_name", "high", "high_name")
    if connection.vendor == "postgresql":
        each = "unnest(%s::bigint[]) AS each(stream)"
        row = f"(%s::int{', %s::text' * 4})"
        lane = f"(VALUES {', '.join([row] * len(spans))}) AS lane({', '.join(names)})"
    else:
        each = "(SELECT value AS stream FROM json_each(%s)) AS each"
        row = "SELECT " + ", ".join(f"%s AS {name}" for name in names)
        lane = f"({' UNION ALL '.join([row] * len(spans))}) AS lane"
    return f"{each} CROSS JOIN {lane}"


def _parameters(streams: Collection[int], spans: Sequence[Span]) -> list[Any]:
    return [as_parameter(streams), *chain(*spans)]


def _ask(sql: str, parameters: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()
