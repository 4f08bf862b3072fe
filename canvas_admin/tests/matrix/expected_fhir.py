"""What the API answers to which groups: written by hand from DESIGN section 5.

Nothing here is read from the application. Each line is one way to be let in: what it is
about, the interactions, what happens out of reach, and the alternatives of groups as in
expected.py; "program" is any service staff, whatever its groups.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from canvas_admin.tests.matrix.expected import FIVE, TWELVE, alternatives, the_sets

PROGRAM = "program"
# "-": reach is not asked. "reach": out of reach is as not there. Another word is the answer
# out of reach itself. Behind a colon stand the kinds of rows that one type has. What the
# table says of "view patient" is here the three groups that hold it.
FHIR_LINES = """
Patient              read by-id by-patient  reach   profile-read | clinical-read | patient-create
Patient              create                 -       patient-create
Patient              update                 reach   profile-write + profile-read | profile-write + clinical-read | profile-write + patient-create
Coverage             read by-id by-patient  reach   profile-read | clinical-read | patient-create
Consent              read by-id by-patient  reach   profile-read | clinical-read | patient-create
Consent              create                 reach   profile-write + profile-read | profile-write + clinical-read | profile-write + patient-create
CareTeam             read by-patient        reach   profile-read | clinical-read | patient-create
CareTeam             update                 reach   profile-write + profile-read | profile-write + clinical-read | profile-write + patient-create
Appointment          read by-id             -       any
Appointment          by-patient             reach   any
Appointment          create                 reach   schedule-write
Appointment          update                 refused schedule-write
Task:ada             read by-id by-patient  reach   tasking-access
Task:ada             create update          reach   tasking-access
Task:nobody          read by-id             -       tasking-access
Task:nobody          create update          -       tasking-access
Condition            read by-id by-patient  reach   clinical-read
DiagnosticReport:lab     read by-id by-patient reach clinical-read
DiagnosticReport:imaging read by-id by-patient reach clinical-read
DocumentReference:clinical       read by-id by-patient reach clinical-read
DocumentReference:administrative read by-id by-patient reach document-read
Practitioner         read by-id             -       any | program | staff-permissions
Practitioner         create update          -       staff-permissions
Group:team           read by-id             -       any | program | staff-permissions
Group:team           create update          -       staff-permissions
Group:person         read by-id             reach   any | program
Group:person         read by-id             -       staff-permissions
Group:person         create                 reach   staff-permissions
Group:person         update                 unprocessable staff-permissions
AuditEvent           read by-id by-patient  -       audit-read
"""  # noqa: E501

# How each of them is asked besides: a read by HEAD, a search by POST.
ALSO = {"read": ("head",), "by-id": ("posted",)}
# What no type has.
ABSENT = (
    "put-type",
    "patch-type",
    "delete-type",
    "post-instance",
    "patch-instance",
    "delete-instance",
)
OUT_OF_REACH = {
    "read": "missing",
    "update": "missing",
    "by-id": "empty",
    "by-patient": "empty",
    "create": "unprocessable",
}


@dataclass(frozen=True)
class Line:
    """One way to be let in; `beyond` is the answer out of reach ("given": no matter)."""

    about: str
    interaction: str
    beyond: str
    alternatives: tuple[frozenset[str], ...]

    def opens_to(self, groups: frozenset[str]) -> bool:
        return any(needed <= groups for needed in self.alternatives)


def _lines() -> Iterator[Line]:
    for text in FHIR_LINES.strip().splitlines():
        about, *rest = text.split()
        found: list[str] = []
        while rest[0] in OUT_OF_REACH:
            found.append(rest.pop(0))
        reach, *groups = rest
        for asked in found:
            usual = {"-": "given", "reach": OUT_OF_REACH[asked]}
            beyond = usual.get(reach, reach)
            yield Line(about, asked, beyond, alternatives(" ".join(groups)))


LINES = tuple(_lines())
ABOUT = tuple(dict.fromkeys(line.about for line in LINES))


def type_of(about: str) -> str:
    return about.partition(":")[0]


def interactions(kind: str) -> set[str]:
    """What a type has, in the words of FHIR."""
    asked = {line.interaction for line in LINES if type_of(line.about) == kind}
    return {"search" if each.startswith("by-") else each for each in asked}


def cells(about: str) -> Iterator[str]:
    """How everything is asked for; of searches those that there are.

    What no type has is asked about the first of each type.
    """
    of_this = dict.fromkeys(line.interaction for line in LINES if line.about == about)
    for asked in {**of_this, "create": None, "update": None}:
        yield from (asked, *ALSO.get(asked, ()))
    if about == next(each for each in ABOUT if type_of(each) == type_of(about)):
        yield from ABSENT


def verdict(about: str, cell: str, groups: frozenset[str], reached: bool) -> str:
    """The answer to whoever holds exactly these groups.

    given, empty (a search), others (it finds rows of another kind alone), missing,
    refused, unprocessable (a body names somebody who is not there), no such method.
    """
    asked = next((name for name, also in ALSO.items() if cell in also), cell)
    of_type = [
        line
        for line in LINES
        if line.interaction == asked and type_of(line.about) == type_of(about)
    ]
    if not of_type:
        return "no such method"
    opening = [line for line in of_type if line.opens_to(groups)]
    if not opening:
        return "refused"
    answers = {
        "given" if reached else line.beyond for line in opening if line.about == about
    }
    if "given" in answers:
        return "given"
    if answers:
        return answers.pop()
    # Whoever may read one kind of rows of a type is not told of another kind.
    return "others" if asked == "by-patient" and reached else OUT_OF_REACH[asked]


def who_asks() -> list[tuple[frozenset[str], bool]]:
    """(groups, reached): the 92 sets, and the administration groups alone.

    Persons, and programs with one group at most: nothing but that they are programs
    makes a difference.
    """
    sets = the_sets() + [frozenset({code}) for code in FIVE]
    sets += [each | {PROGRAM} for each in sets if len(each) <= 1]
    assert {code for each in sets for code in each} == {*TWELVE, *FIVE, PROGRAM}
    return [(groups, reached) for groups in sets for reached in (True, False)]
