"""Reading stream keys: the merge of many streams, in SQL of each database.

Nothing here knows who may see whom: what is read are candidates, in the order of the
index, for patients.streams to put before the rule. The cost follows from how many are
asked for and from the number of streams, never from how many patients a stream holds.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from patients.models.stream_keys import StreamKey

Kind = StreamKey.Kind
# Above every folded word that begins with what stands before it.
END = "\x7f"
# From each of many streams a sip is read first, and a full page only where it matters.
FEW_STREAMS = 16
SIP = 2
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
        return cls((kind,), word, f"{word}\x01", tuple(having))

    @classmethod
    def prefix(cls, word: str, having: Iterable[str] = ()) -> "Scan":
        """The keys of names that have a word which begins so, family names first."""
        kinds = (Kind.FAMILY, Kind.GIVEN)
        return cls(kinds, word, f"{word}{END}", tuple(having))


BY_NAME = Scan.exact(Kind.NAME)
BY_BIRTH = Scan((Kind.BIRTH,), "", END)


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
    lanes = _lanes(scan, streams, start, backwards)
    if not lanes or limit < 1:
        return []
    if len(lanes) <= FEW_STREAMS:
        return _merged(_fetch(scan, lanes, limit, backwards), limit, backwards)
    sips = _fetch(scan, lanes, SIP, backwards)
    found = _merged(sips, limit, backwards)
    unfinished = _unfinished(sips, found, limit, backwards)
    more = [lane for lane in lanes if lane[:2] in unfinished]
    if not more:
        return found
    return _merged(sips + _fetch(scan, more, limit, backwards), limit, backwards)


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
    fields = [f"k.{f}" if f == "sort_name" else f"p.{f}" for f in order]
    columns = ", ".join(fields)
    patients = "JOIN patients_patient p ON p.id = k.patient_id"
    way, sign = ("DESC", "<") if backwards else ("ASC", ">")
    behind = ""
    if start is not None:
        behind = f"AND ({columns}) {sign} ({', '.join(['%s'] * len(start))})"
    sql = f"""
        SELECT DISTINCT {columns}, k.patient_id
        FROM {_source()} CROSS JOIN patients_streamkey k
        {patients if scan.having or "p." in columns else ""}
        WHERE {_IN_LANE} {_having(scan)} {behind}
        ORDER BY {", ".join(f"{field} {way}" for field in fields)} LIMIT %s"""  # noqa: S608
    lanes = _lanes_as_parameters(_lanes(scan, streams))
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
        parts.append(f"""
            SELECT {number}, count(*) FROM (
                SELECT 1 FROM {_source()} CROSS JOIN patients_streamkey k
                WHERE {_IN_LANE} LIMIT {RARE}) n""")  # noqa: S608
        scan = Scan.prefix(word)
        parameters += [*_lanes_as_parameters(_lanes(scan, streams)), scan.high]
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


class Lane(NamedTuple):
    """One kind of one stream, and the place from which it is read."""

    stream: int
    kind: int
    word: str
    name: str


_IN_LANE = """k.stream = lane.stream AND k.kind = lane.kind
              AND k.word >= lane.word AND k.word < %s"""


def _lanes(
    scan: Scan,
    streams: Sequence[int],
    start: Place | None = None,
    backwards: bool = False,
) -> list[Lane]:
    """The lanes that have something behind `start`, or all of them."""
    edge = (scan.high if backwards else scan.low, "")
    found = []
    for kind in scan.kinds:
        if start and (kind > start[0] if backwards else kind < start[0]):
            continue
        place = start[1:] if start and kind == start[0] else edge
        found += [Lane(stream, int(kind), *place) for stream in streams]
    return found


def _fetch(scan: Scan, lanes: list[Lane], limit: int, backwards: bool) -> list[Any]:
    """The first keys of each lane, as (stream, *candidate), in no order."""
    way, sign, edge = ("DESC", "<", ">=") if backwards else ("ASC", ">", "<")
    having = scan.having and "JOIN patients_patient p ON p.id = c.patient_id"
    stretch = f"""
        FROM patients_streamkey c {having or ""}
        WHERE c.stream = lane.stream AND c.kind = lane.kind
          AND (c.word, c.sort_name) {sign} (lane.word, lane.name)
          AND c.word {edge} %s {_having(scan)}
        ORDER BY c.word {way}, c.sort_name {way} LIMIT %s"""
    columns = "stream, kind, word, sort_name, patient_id"
    if connection.vendor == "postgresql":
        named = ", ".join(f"c.{name.strip()}" for name in columns.split(","))
        sql = f"SELECT k.* FROM {_source()} CROSS JOIN LATERAL (SELECT {named} {stretch}) k"  # noqa: S608
    else:
        # SQLite has no LATERAL: the ids of a lane's stretch, then the rows of these ids.
        named = ", ".join(f"k.{name.strip()}" for name in columns.split(","))
        sql = f"""
            SELECT {named} FROM {_source()} CROSS JOIN patients_streamkey k
            WHERE k.id IN (SELECT c.id {stretch})"""  # noqa: S608
    bound = scan.low if backwards else scan.high
    return _ask(sql, [*_lanes_as_parameters(lanes), bound, *_had(scan), limit])


def _unfinished(
    sips: list[Any], found: list[Candidate], limit: int, backwards: bool
) -> set[tuple[int, int]]:
    """The lanes that may hold more of the page than was sipped from them."""
    taken: dict[tuple[int, int], list[Place]] = {}
    for stream, kind, word, name, _patient in sips:
        taken.setdefault((stream, kind), []).append((kind, word, name))
    ends = {
        lane: (min if backwards else max)(places)
        for lane, places in taken.items()
        if len(places) == SIP
    }
    if len(found) < limit:
        return set(ends)
    edge = found[-1].place
    return {
        lane for lane, end in ends.items() if (end > edge if backwards else end < edge)
    }


def _merged(rows: list[Any], limit: int, backwards: bool) -> list[Candidate]:
    """The first of these keys, each once whatever streams it is from."""
    found = {Candidate(*key) for _stream, *key in rows}
    return sorted(found, reverse=backwards)[:limit]


def _having(scan: Scan) -> str:
    """The condition on the other words; in a form that tempts no planner to use it first."""
    function = "strpos" if connection.vendor == "postgresql" else "instr"
    return f"AND {function}(p.name_words, %s) > 0 " * len(scan.having)


def _had(scan: Scan) -> list[str]:
    return [f" {word}" for word in scan.having]


def _source() -> str:
    """The lanes as a table; _lanes_as_parameters() fills its placeholders."""
    if connection.vendor == "postgresql":
        arrays = "%s::bigint[], %s::int[], %s::text[], %s::text[]"
        return f"unnest({arrays}) AS lane(stream, kind, word, name)"
    fields = ", ".join(f"value ->> {n} AS {f}" for n, f in enumerate(Lane._fields))
    return f"(SELECT {fields} FROM json_each(%s)) AS lane"  # noqa: S608


def _lanes_as_parameters(lanes: list[Lane]) -> list[Any]:
    if connection.vendor == "postgresql":
        return [list(column) for column in zip(*lanes, strict=True)] or [[]] * 4
    return [json.dumps(lanes)]


def _ask(sql: str, parameters: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()
