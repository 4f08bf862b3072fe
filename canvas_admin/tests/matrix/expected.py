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
revenue          -      revenue-access
claims           reach  revenue-access
write_claims     reach  revenue-access
tasks            -      tasking-access
write_tasks      -      tasking-access
campaigns        -      tasking-access
panels           -      clinical-read
review           reach  clinical-read + clinical-write
write_chart      reach  clinical-read + clinical-write
data-integration -      data-integration-access
link_file        reach  data-integration-access + clinical-write
link_document    reach  data-integration-access + clinical-write + document-write
print_chart      reach  printing-access + clinical-read
print_results    reach  printing-access + clinical-read
print_visit      reach  printing-access + clinical-read
print_statement  reach  printing-access + revenue-access
print_statements -      printing-access + revenue-access
print_profile    reach  printing-access + profile-read | printing-access + clinical-read | printing-access + patient-create
print_appointments reach printing-access
print_document   reach  printing-access + document-read
print_schedule   -      printing-access
audit            -      audit-read
"""  # noqa: E501

# The addresses, what they belong to, and how each may be asked; HEAD goes with GET. Where
# to read and to write asks for different areas, both are named.
URL_LINES = """
patients:access-requests         find             GET POST
patients:add-claim               write_claims     GET POST
patients:add-command             write_chart      GET POST
patients:addendum                write_chart      GET POST
patients:addresses               edit-profile     GET
patients:addresses-add           edit-profile     GET POST
patients:addresses-change        edit-profile     GET POST
patients:allergies               write_chart      GET
patients:allergies-add           write_chart      GET POST
patients:allergies-change        write_chart      GET POST
patients:appointment             appointments     GET
patients:appointment-status      status           POST
patients:appointments            appointments     GET
patients:ask-review              write_chart      GET POST
patients:book                    book             GET POST
patients:care-team               edit-profile     GET
patients:care-team-add           edit-profile     GET POST
patients:care-team-change        edit-profile     GET POST
patients:change-claim            write_claims     GET POST
patients:change-incoming-file    data-integration GET POST
patients:chart                   chart            GET
patients:choose-patient          linking          GET POST
patients:claim                   claims           GET
patients:claim-diagnosis-add     write_claims     GET POST
patients:claim-diagnosis-change  write_claims     GET POST
patients:claim-diagnosis-end     write_claims     GET POST
patients:claim-line-add          write_claims     GET POST
patients:claim-line-change       write_claims     GET POST
patients:claim-line-end          write_claims     GET POST
patients:claim-note              write_claims     GET POST
patients:claim-posting-add       write_claims     GET POST
patients:claim-posting-end       write_claims     GET POST
patients:claim-snooze            write_claims     GET POST
patients:claim-state             write_claims     POST
patients:claims                  claims           GET
patients:commit-command          write_chart      GET POST
patients:conditions              write_chart      GET
patients:conditions-add          write_chart      GET POST
patients:conditions-change       write_chart      GET POST
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
patients:data-integration        data-integration GET
patients:demographics            edit-profile     GET POST
patients:document-file           documents        GET
patients:documents               documents        GET
patients:edit-command            write_chart      GET POST
patients:edit-document           write_documents  GET POST
patients:edit-note               write_chart      GET POST
patients:error-command           write_chart      GET POST
patients:file-document           write_documents  GET POST
patients:hand-over               review           GET POST
patients:identifiers             edit-profile     GET
patients:identifiers-add         edit-profile     GET POST
patients:identifiers-change      edit-profile     GET POST
patients:imaging                 panels           GET
patients:immunizations           write_chart      GET
patients:immunizations-add       write_chart      GET POST
patients:immunizations-change    write_chart      GET POST
patients:incoming-file           data-integration GET
patients:labs                    panels           GET
patients:link-file               link_file        GET POST
patients:list                    find             GET POST
patients:medications             write_chart      GET
patients:medications-add         write_chart      GET POST
patients:medications-change      write_chart      GET POST
patients:names                   edit-profile     GET
patients:names-add               edit-profile     GET POST
patients:names-change            edit-profile     GET POST
patients:new-appointment         booking          GET POST
patients:new-note                write_chart      GET POST
patients:note                    chart            GET
patients:note-in-error           write_chart      GET POST
patients:notes                   chart            GET
patients:other-documents         panels           GET
patients:print-appointments      print_appointments GET
patients:print-chart             print_chart      GET
patients:print-document          print_document   GET
patients:print-profile           print_profile    GET
patients:print-result            print_results    GET
patients:print-results           print_results    GET
patients:print-schedule          print_schedule   GET
patients:print-statement         print_statement  GET
patients:print-statements        print_statements POST
patients:print-visit             print_visit      GET
patients:profile                 profile          GET
patients:receipt                 create           GET
patients:record-refill           write_chart      GET POST
patients:refill                  chart            GET review POST
patients:refills                 panels           GET
patients:reject-file             data-integration GET POST
patients:remove-command          write_chart      GET POST
patients:remove-document         write_documents  GET POST
patients:request-access          find             GET POST
patients:reschedule              reschedule       GET POST
patients:restore-document        write_documents  POST
patients:restore-file            data-integration POST
patients:result-file             chart            GET
patients:results                 chart            GET
patients:revenue                 revenue          GET
patients:revenue-file            revenue          POST
patients:review                  chart            GET review POST
patients:schedule                schedule         GET
patients:search                  find             GET POST
patients:sign-note               write_chart      GET POST
patients:start-note              write_chart      POST
patients:telecom                 edit-profile     GET
patients:telecom-add             edit-profile     GET POST
patients:telecom-change          edit-profile     GET POST
patients:undo-review             review           POST
patients:unlink-file             link_file        GET POST
patients:upload-files            data-integration GET POST
protocols:patient-input          profile          GET
protocols:snooze                 write_chart      POST
tasks:bulk                       write_tasks      POST
tasks:bulk-reopen                write_tasks      POST
tasks:campaign                   one-campaign     GET
tasks:campaign-end               one-campaign     GET POST
tasks:campaign-go-on             one-campaign     POST
tasks:campaigns                  campaigns        GET
tasks:claim                      one-task         POST
tasks:comment                    one-task         POST
tasks:create                     write_tasks      GET POST
tasks:create-for                 one-task         GET POST
tasks:detail                     one-task         GET
tasks:edit                       one-task         GET POST
tasks:hand-over                  one-task         GET POST
tasks:list                       tasks            GET
tasks:new-campaign               campaigns        GET POST
tasks:status                     one-task         POST
"""

# Addresses that no line above names belong to these, by how their names begin. "own" are
# the pages of signing in and of one's own account, and what asks for a program's token:
# alike for everybody;
# "administration" is closed to the twelve.
BEGINNINGS = {
    "account_": "own",
    "auth:": "own",
    "fhir:": "own",
    "mfa_": "own",
    "usersessions_": "own",
    "staffing:": "own",
    "protocols:": "own",
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
        found[name] = Expected(alternatives(groups), reach == "reach")
    return found


def alternatives(text: str) -> tuple[frozenset[str], ...]:
    """What a line's last column says; "program" is nobody's group (expected_fhir.py)."""
    found = tuple(
        frozenset(code.strip() for code in each.split("+"))
        for each in text.replace("any", " | ".join(TWELVE)).split("|")
    )
    unknown = frozenset().union(*found) - {*TWELVE, *FIVE, "program"}
    assert not unknown, f"no group has the code {unknown}"
    return found


def _urls() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for line in URL_LINES.strip().splitlines():
        name, *rest = line.split()
        area = ""
        for word in rest:
            if word in ("GET", "POST"):
                found.setdefault(name, {})[word] = area
            else:
                area = word
    return found


AREAS = _areas()
# What is no area of its own: looking for whom to book or to link a file to shows those
# within reach and asks for no one patient; a task is as far away as its patient, and a
# campaign as the patient group that it is over.
PLACES = AREAS | {
    "booking": Expected(AREAS["book"].alternatives, needs_reach=False),
    "linking": Expected(AREAS["link_file"].alternatives, needs_reach=False),
    "one-task": Expected(AREAS["write_tasks"].alternatives, needs_reach=True),
    "one-campaign": Expected(AREAS["campaigns"].alternatives, needs_reach=True),
}
# address → method → area
URLS = _urls()


def belongs_to(name: str) -> str:
    """ "the twelve", "own", "administration", or "" for an address that is in no line."""
    if name in URLS:
        return "the twelve"
    return next((a for begin, a in BEGINNINGS.items() if name.startswith(begin)), "")


def the_sets() -> list[frozenset[str]]:
    """The 92 sets over HTTP: none, each group, each pair, all but one, all."""
    everything = frozenset(TWELVE)
    pairs = {frozenset({a, b}) for a in TWELVE for b in TWELVE}  # with a == b: each
    but_one = {everything - {code} for code in TWELVE}
    found = {frozenset(), everything} | pairs | but_one
    return sorted(found, key=lambda groups: (len(groups), sorted(groups)))
