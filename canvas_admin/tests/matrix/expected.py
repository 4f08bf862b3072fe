"""Which groups open what: written by hand from S2 and DESIGN section 5.

Nothing here is read from the application. In an area's line stand the alternatives; a
"+" means that both groups are needed, "any" is any of the twelve.
"""

from dataclasses import dataclass

TWELVE = (
    "schedule-write",
    "profile-read",
    "profile-write",
    "clinical-read",
    "clinical-write",
    "revenue-access",
    "patient-create",
    "document-read",
    "document-write",
    "data-integration-access",
    "printing-access",
    "tasking-access",
)
FIVE = (
    "all-patients",
    "staff-permissions",
    "settings",
    "integrations",
    "audit-read",
)

# "reach": the patient must be within reach as well.
AREA_LINES = """
find             -      any
schedule         -      any
create           -      patient-create
chart            reach  clinical-read
profile          reach  profile-read | clinical-read | patient-create
edit-profile     reach  profile-write + profile-read | profile-write + clinical-read | profile-write + patient-create
appointments     reach  any
documents        reach  document-read
write_documents  reach  document-read + document-write
book             reach  schedule-write
reschedule       reach  schedule-write
status           reach  schedule-write | clinical-write
audit            -      audit-read
"""  # noqa: E501

# The addresses, what they belong to, and how each may be asked; HEAD goes with GET.
# "own" are the pages of signing in and of one's own account, alike for everybody;
# "administration" is closed to the twelve. "all" leaves the methods to the library.
URL_LINES = """
patients:access-requests         find             GET POST
patients:addresses               edit-profile     GET
patients:addresses-add           edit-profile     GET POST
patients:addresses-change        edit-profile     GET POST
patients:appointment             appointments     GET
patients:appointment-status      status           POST
patients:appointments            appointments     GET
patients:book                    book             GET POST
patients:care-team               edit-profile     GET
patients:care-team-add           edit-profile     GET POST
patients:care-team-change        edit-profile     GET POST
patients:chart                   chart            GET
patients:consents                edit-profile     GET
patients:consents-add            edit-profile     GET POST
patients:consents-change         edit-profile     GET POST
patients:contacts                edit-profile     GET
patients:contacts-add            edit-profile     GET POST
patients:contacts-change         edit-profile     GET POST
patients:coverages               edit-profile     GET
patients:coverages-add           edit-profile     GET POST
patients:coverages-change        edit-profile     GET POST
patients:coverages-eligibility   edit-profile     POST
patients:create                  create           GET POST
patients:demographics            edit-profile     GET POST
patients:document-file           documents        GET
patients:documents               documents        GET
patients:edit-document           write_documents  GET POST
patients:file-document           write_documents  GET POST
patients:identifiers             edit-profile     GET
patients:identifiers-add         edit-profile     GET POST
patients:identifiers-change      edit-profile     GET POST
patients:list                    find             GET POST
patients:names                   edit-profile     GET
patients:names-add               edit-profile     GET POST
patients:names-change            edit-profile     GET POST
patients:new-appointment         booking          GET POST
patients:profile                 profile          GET
patients:receipt                 create           GET
patients:remove-document         write_documents  GET POST
patients:request-access          find             GET POST
patients:reschedule              reschedule       GET POST
patients:restore-document        write_documents  POST
patients:results                 chart            GET
patients:schedule                schedule         GET
patients:search                  find             GET POST
patients:telecom                 edit-profile     GET
patients:telecom-add             edit-profile     GET POST
patients:telecom-change          edit-profile     GET POST
"""

# Addresses that no line above names belong to these, by how their names begin.
BEGINNINGS = {
    "account_": "own",
    "mfa_": "own",
    "usersessions_": "own",
    "staffing:": "own",
    "home": "own",
    "admin:": "administration",
    "audit-": "administration",
    "effective": "administration",
}


@dataclass(frozen=True)
class Expected:
    """Alternatives of groups, and whether the patient must be within reach."""

    alternatives: tuple[frozenset[str], ...]
    needs_reach: bool

    def opens_to(self, groups: frozenset[str], reached: bool) -> bool:
        """Whether somebody who holds exactly these groups gets in."""
        held = any(needed <= groups for needed in self.alternatives)
        return held and (reached or not self.needs_reach)


def _areas() -> dict[str, Expected]:
    found = {}
    for line in AREA_LINES.strip().splitlines():
        name, reach, groups = line.split(maxsplit=2)
        found[name] = Expected(_alternatives(groups), reach == "reach")
    return found


def _alternatives(text: str) -> tuple[frozenset[str], ...]:
    if text == "any":
        return tuple(frozenset({code}) for code in TWELVE)
    found = tuple(
        frozenset(code.strip() for code in each.split("+")) for each in text.split("|")
    )
    unknown = frozenset().union(*found) - {*TWELVE, *FIVE}
    assert not unknown, f"no group has the code {unknown}"
    return found


AREAS = _areas()
# Looking for whom to book shows those within reach, and asks for no one patient.
PLACES = AREAS | {"booking": Expected(AREAS["book"].alternatives, needs_reach=False)}
URLS = {
    name: (area, frozenset(methods))
    for name, area, *methods in (
        line.split() for line in URL_LINES.strip().splitlines()
    )
}


def belongs_to(name: str) -> str:
    """The area of an address, "own", "administration", or "" for one that is in no line."""
    if name in URLS:
        return URLS[name][0]
    return next((a for begin, a in BEGINNINGS.items() if name.startswith(begin)), "")


def the_sets() -> list[frozenset[str]]:
    """The 92 sets over HTTP: none, each group, each pair, all but one, all."""
    everything = frozenset(TWELVE)
    pairs = {frozenset({a, b}) for a in TWELVE for b in TWELVE}  # with a == b: each
    but_one = {everything - {code} for code in TWELVE}
    found = {frozenset(), everything} | pairs | but_one
    return sorted(found, key=lambda groups: (len(groups), sorted(groups)))
