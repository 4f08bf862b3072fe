"""Reading stream keys: the merge of many streams, in SQL of each database.

Nothing here knows who may see whom: what is read are candidates, in the order of the
index, for patients.streams to put before the rule. The cost follows from how many are
asked for and from the number of streams, never from how many patients a stream holds.
"""

import json
from collections.abc import Iterable, Sequence
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

    def edges(self, start: Place | None = None, backwards: bool = False) -> list[Place]:
        """For each kind that has something behind `start`, the place from which to read."""
        first = (self.high if backwards else self.low, "")
        found = []
        for kind in self.kinds:
            if start is None or (kind < start[0] if backwards else kind > start[0]):
                found.append((kind, *first))
            elif kind == start[0]:
                found.append(start)
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
    edges = scan.edges(start, backwards)
    if not streams or not edges:
        return []
    if len(streams) <= FEW_STREAMS:
        keys = _fetch(scan, edges, streams, limit, backwards)
        return _merged(keys, limit, backwards)
    # The heads of all streams say which can hold more of the page: those whose head is in
    # it already.
    heads = _fetch(scan, edges, streams, 1, backwards)
    found = _merged(heads, limit, backwards)
    shown = set(found)
    promising = {stream for stream, *key in heads if Candidate(*key) in shown}
    keys = _fetch(scan, edges, sorted(promising), limit, backwards) if promising else []
    return _merged(keys, limit, backwards)


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
    edges = scan.edges()
    fields = [f"k.{f}" if f == "sort_name" else f"p.{f}" for f in order]
    columns = ", ".join(fields)
    patients = "JOIN patients_patient p ON p.id = k.patient_id"
    way, sign = ("DESC", "<") if backwards else ("ASC", ">")
    behind = ""
    if start is not None:
        behind = f"AND ({columns}) {sign} ({', '.join(['%s'] * len(start))})"
    sql = f"""
        SELECT DISTINCT {columns}, k.patient_id
        FROM {_lanes(edges)} CROSS JOIN patients_streamkey k
        {patients if scan.having or "p." in columns else ""}
        WHERE {_IN_LANE} {_having(scan)} {behind}
        ORDER BY {", ".join(f"{field} {way}" for field in fields)} LIMIT %s"""  # noqa: S608
    lanes = _parameters(streams, edges)
    parameters = [*lanes, scan.high, *_had(scan), *(start or ()), limit]
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
        scan = Scan.prefix(word)
        edges = scan.edges()
        parts.append(f"""
            SELECT {number}, count(*) FROM (
                SELECT 1 FROM {_lanes(edges)} CROSS JOIN patients_streamkey k
                WHERE {_IN_LANE} LIMIT {RARE}) n""")  # noqa: S608
        parameters += [*_parameters(streams, edges), scan.high]
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
              AND k.word >= lane.word AND k.word < %s"""


def _fetch(
    scan: Scan,
    edges: Sequence[Place],
    streams: Sequence[int],
    limit: int,
    backwards: bool,
) -> list[Any]:
    """The first keys of each kind in each stream: (stream, *candidate), in no order."""
    way, sign, edge = ("DESC", "<", ">=") if backwards else ("ASC", ">", "<")
    having = "JOIN patients_patient p ON p.id = c.patient_id" if scan.having else ""
    stretch = f"""
        FROM patients_streamkey c {having}
        WHERE c.stream = each.stream AND c.kind = lane.kind
          AND (c.word, c.sort_name) {sign} (lane.word, lane.name)
          AND c.word {edge} %s {_having(scan)}
        ORDER BY c.word {way}, c.sort_name {way} LIMIT %s"""
    if connection.vendor == "postgresql":
        sql = f"""
            SELECT k.* FROM {_lanes(edges)}
            CROSS JOIN LATERAL (SELECT {_columns("c")} {stretch}) k"""  # noqa: S608
    else:
        # SQLite has no LATERAL: the ids of a lane's stretch, then the rows of these ids.
        sql = f"""
            SELECT {_columns("k")} FROM {_lanes(edges)} CROSS JOIN patients_streamkey k
            WHERE k.id {"=" if limit == 1 else "IN"} (SELECT c.id {stretch})"""  # noqa: S608
    bound = scan.low if backwards else scan.high
    parameters = [*_parameters(streams, edges), bound, *_had(scan), limit]
    return _ask(sql, parameters)


def _merged(keys: list[Any], limit: int, backwards: bool) -> list[Candidate]:
    """The first of these keys, each once whatever streams it is from."""
    found = {Candidate(*key) for _stream, *key in keys}
    return sorted(found, reverse=backwards)[:limit]


def _columns(table: str) -> str:
    names = ("stream", "kind", "word", "sort_name", "patient_id")
    return ", ".join(f"{table}.{name}" for name in names)


def _having(scan: Scan) -> str:
    """The condition on the other words; in a form that tempts no planner to use it first."""
    function = "strpos" if connection.vendor == "postgresql" else "instr"
    return f"AND {function}(p.name_words, %s) > 0 " * len(scan.having)


def _had(scan: Scan) -> list[str]:
    return [f" {word}" for word in scan.having]


def _lanes(edges: Sequence[Place]) -> str:
    """Every stream with every kind to read, and the place from which to read it.

    The streams are one parameter, however many there are; see _parameters().
    """
    if connection.vendor == "postgresql":
        each = "unnest(%s::bigint[]) AS each(stream)"
        rows = ", ".join(["(%s::int, %s::text, %s::text)"] * len(edges))
        lane = f"(VALUES {rows}) AS lane(kind, word, name)"
    else:
        each = "(SELECT value AS stream FROM json_each(%s)) AS each"
        rows = " UNION ALL ".join(
            ["SELECT %s AS kind, %s AS word, %s AS name"] * len(edges)
        )
        lane = f"({rows}) AS lane"
    return f"{each} CROSS JOIN {lane}"


def _parameters(streams: Sequence[int], edges: Sequence[Place]) -> list[Any]:
    listed = list(streams)
    if connection.vendor == "sqlite":
        listed = json.dumps(listed)
    return [listed, *chain(*edges)]


def _ask(sql: str, parameters: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()
