"""Reading stream keys: the merge of many streams, in SQL of each database.

Nothing here knows who may see whom: what is read are candidates, in the order of the
index, for patients.streams to put before the rule. The cost follows from how many are
asked for and from the number of streams, never from how many patients a stream holds.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from django.db import connection

from patients.models.stream_keys import StreamKey

Kind = StreamKey.Kind
# Above every folded word that begins with what stands before it.
END = "\x7f"
# Of more streams than this only the heads are read first, and a page only where it matters.
FEW_STREAMS = 16
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
    if not streams:
        return []
    # Where other words are wanted too, a head costs what a page does.
    if len(streams) <= FEW_STREAMS or scan.having:
        keys = _fetch(scan, spans, streams, limit, backwards) if spans else []
        return _merged(keys, limit, backwards)
    found: list[Candidate] = []
    for span in reversed(spans) if backwards else spans:
        if len(found) < limit:
            found += _first(scan, span, streams, limit - len(found), backwards)
    return found


def _first(
    scan: Scan, span: Span, streams: Sequence[int], limit: int, backwards: bool
) -> list[Candidate]:
    """The first candidates of one span in many streams.

    The heads of the streams bound the page: each is a candidate itself, so that nothing
    behind as many heads as are wanted can be in it.
    """
    heads = _fetch(scan, [span], streams, 1, backwards)
    page = _merged(heads, limit, backwards)
    if not page:
        return []
    shown = set(page)
    promising = [head[0] for head in heads if head[1:] in shown]
    if len(page) == limit:
        kind, low, low_name, high, high_name = span
        end = page[-1].place[1:]
        span = (
            (kind, *end, high, high_name) if backwards else (kind, low, low_name, *end)
        )
    return _merged(_fetch(scan, [span], promising, limit, backwards), limit, backwards)


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

    Counting stops at RARE; where all are frequent it is the longest.
    """
    if len(words) == 1:
        return words[0]
    longest = sorted(words, key=len, reverse=True)[:WEIGHED]
    parts, parameters = [], []
    for number, word in enumerate(longest):
        spans = Scan.prefix(word).spans()
        parts.append(f"""
            SELECT {number}, count(*) FROM (
                SELECT 1 FROM {_lanes(spans)} CROSS JOIN patients_streamkey k
                WHERE {_IN_LANE} LIMIT {RARE}) n""")  # noqa: S608
        parameters += _parameters(streams, spans)
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


def _fetch(
    scan: Scan,
    spans: Sequence[Span],
    streams: Collection[int],
    limit: int,
    backwards: bool,
) -> list[Any]:
    """The first keys of each span in each stream: (stream, *candidate), in no order."""
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
        sql = f"""
            SELECT k.* FROM {_lanes(spans)}
            CROSS JOIN LATERAL (SELECT {_columns("c")} {stretch}) k"""  # noqa: S608
    else:
        # SQLite has no LATERAL: the ids of a lane's stretch, then the rows of these ids.
        sql = f"""
            SELECT {_columns("k")} FROM {_lanes(spans)} CROSS JOIN patients_streamkey k
            WHERE k.id {"=" if limit == 1 else "IN"} (SELECT c.id {stretch})"""  # noqa: S608
    return _ask(sql, [*_parameters(streams, spans), *_had(scan), limit])


def _merged(keys: list[Any], limit: int, backwards: bool) -> list[Candidate]:
    """The first of these keys, each once whatever streams it is from."""
    first = sorted({key[1:] for key in keys}, reverse=backwards)[:limit]
    return [Candidate(*key) for key in first]


def _columns(table: str) -> str:
    names = ("stream", "kind", "word", "sort_name", "patient_id")
    return ", ".join(f"{table}.{name}" for name in names)


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
    listed: Any = list(streams)
    if connection.vendor == "sqlite":
        listed = json.dumps(listed)
    return [listed, *chain(*spans)]


def _ask(sql: str, parameters: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()
