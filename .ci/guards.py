"""make proof, its second part: a test goes red for every guard that is removed.

    python .ci/guards.py [--again] [--list] [BEGINNING-OF-A-MODULE…]

Each guard that sabotage.py finds is removed in turn, and the tests run that should
notice, up to the first that fails. Goes on where it was stopped; two at a time. The
record is docs/proof/guards.json: what noticed each guard, and which nobody noticed.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import postgres
import proof
import sabotage

RECORD = proof.RECORDS / "guards.json"
AT_ONCE = 2
LONGEST = 900
# The tests of a part of the application, by how its modules begin; the first that fits.
OWN = {
    "patients.views.claims": "patients/tests/test_claims.py "
    "patients/tests/test_revenue.py patients/tests/test_claim_postings.py",
    "patients.views.notes": "patients/tests/test_notes.py patients/tests/test_note_states.py",
    "patients.views.commands": "patients/tests/test_command_forms.py",
    "patients.note_changes": "patients/tests/test_notes.py",
    "patients.views.printing": "patients/tests/test_printing.py "
    "patients/tests/test_printing_documents.py patients/tests/test_printing_visits.py",
    "patients.views.data_integration": "patients/tests/test_inbox.py",
    "patients.views.incoming": "patients/tests/test_inbox.py",
    "patients.views.linking": "patients/tests/test_linking.py",
    "patients.views.stored_files": "patients/tests/test_results.py",
    "patients.work.assigning": "patients/tests/test_assigning.py",
    "tasks": "tasks/tests/test_tasks.py tasks/tests/test_list.py "
    "tasks/tests/test_races.py tasks/tests/test_assigning.py",
    "patients.views.appointments": "patients/tests/test_booking.py",
    "patients.views.new_appointment": "patients/tests/test_booking.py",
    "patients.booking": "patients/tests/test_booking.py",
    "patients.views.search": "patients/tests/test_see_all.py patients/tests/test_search.py",
    "patients.views.request_access": "patients/tests/test_access_requests.py "
    "patients/tests/test_access_request_refusals.py",
    "patients.views.access_requests": "patients/tests/test_access_requests.py",
    "patients.views.care_team": "patients/tests/test_chart.py",
    "patients.views.profile": "patients/tests/test_profile.py "
    "patients/tests/test_profile_refusals.py patients/tests/test_eligibility.py",
    "patients.profile_changes": "patients/tests/test_profile_at_once.py",
    "patients.eligibility": "patients/tests/test_eligibility.py",
    "patients.querysets": "patients/tests/test_accessible_to.py "
    "patients/tests/test_results.py",
    "patients.self_gain": "patients/tests/test_patient_group_self_gain.py",
    "patients.gate": "patients/tests/test_denied.py",
    "patients.areas": "canvas_admin/tests/test_documents.py",
    "patients.forms.booking": "patients/tests/test_booking.py",
    "patients.models": "patients/tests/test_consents.py",
    "patients.admin.access_requests": "patients/tests/test_access_request_decisions.py",
    "patients.admin.deciding": "patients/tests/test_access_request_decisions.py",
    "patients.admin.effective": "patients/tests/test_effective.py",
    "patients.admin.picker": "patients/tests/test_picker.py",
    "patients.admin.reports": "patients/tests/test_audit_report.py",
    "patients.admin.exclusions": "patients/tests/test_exclusions.py",
    "patients.admin.front": "patients/tests/test_unreachable.py "
    "canvas_admin/tests/test_front_page.py",
    "patients.admin": "patients/tests/test_patient_group_pages.py "
    "patients/tests/test_patient_group_members.py",
    "staffing.admin.accounts": "staffing/tests/test_account_admin.py "
    "canvas_admin/tests/test_one_time_links.py",
    "staffing.admin.staff": "staffing/tests/test_staff_admin.py",
    "staffing.admin.permissions": "staffing/tests/test_staff_permissions.py",
    "staffing.admin.groups": "staffing/tests/test_group_admin.py",
    "staffing.admin": "staffing/tests/test_administering.py",
    "canvas_admin.site": "canvas_admin/tests/test_front_page.py",
}
# What asks every address, for all of them.
EVERY = (
    "canvas_admin/tests/matrix/test_locks.py",
    "canvas_admin/tests/matrix/test_foreign_keys.py",
    "canvas_admin/tests/test_access_table.py",
    "canvas_admin/tests/matrix/test_decisions.py",
    "canvas_admin/tests/test_documents.py",
    "canvas_admin/tests/matrix/test_canaries.py",
    "canvas_admin/tests/matrix/test_matrix.py",
)


def tests_for(module: str) -> list[str]:
    """The test files that should notice, the nearest first."""
    own = next((OWN[begin] for begin in OWN if module.startswith(begin)), "")
    room, stem = module.partition(".")[0], module.rpartition(".")[2]
    alike = sorted((proof.PROJECT / room / "tests").glob(f"test_*{stem}*.py"))
    near = [*own.split(), *(str(p.relative_to(proof.PROJECT)) for p in alike)]
    there = [path for path in [*near, *EVERY] if (proof.PROJECT / path).exists()]
    return list(dict.fromkeys(there))


def noticed_by(guard: sabotage.Guard) -> str:
    """The first test that goes red without this guard; "" when none does."""
    command = [sys.executable, ".ci/sabotage.py", guard.name, "-q", "-x", "-n0"]
    command += ["-m", "not browser", "-p", "no:cacheprovider", "--tb=no"]
    command += tests_for(guard.module)
    environment = {**os.environ, "PROOF_SEED": "1"}
    environment.pop("PROOF", None)
    try:
        done = subprocess.run(
            command,
            cwd=proof.PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
        )
    except subprocess.TimeoutExpired:
        return "(it hangs)"
    if done.returncode == 0:
        return ""
    red = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.M)
    if red is None:
        # It cannot even be loaded: then the guard was not removed but something broken.
        raise SystemExit(f"{guard.name}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return red[1]


def read() -> dict[str, Any]:
    """guard → {"noticed_by", "commit"}, from the last record."""
    if not RECORD.exists():
        return {}
    return json.loads(RECORD.read_text())["guards"]


def keep(found: dict[str, Any], guards: list[sabotage.Guard], started: float) -> None:
    """Write the record of what is known so far."""
    told = {guard.name: found[guard.name] for guard in guards if guard.name in found}
    unnoticed = [name for name, result in told.items() if not result["noticed_by"]]
    record = {
        "name": "guards",
        "date": datetime.now(UTC).date().isoformat(),
        "commit": proof.commit(),
        "count": len(told),
        "of": len(guards),
        "failures": len(unnoticed),
        "unnoticed": unnoticed,
        "kinds": dict(sorted(Counter(guard.kind for guard in guards).items())),
        "seconds_of_this_run": round(time.monotonic() - started),
        "machine": proof.machine(),
        "guards": told,
    }
    RECORD.write_text(json.dumps(record, indent=1) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Remove each guard, and run the tests."
    )
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="begins with this")
    parser.add_argument("--again", action="store_true", help="also those that stand")
    parser.add_argument("--list", action="store_true", help="say only what there is")
    options = parser.parse_args()
    postgres.end_on_signals()
    guards, started, commit = sabotage.find(), time.monotonic(), proof.commit()
    wanted = [g for g in guards if g.module.startswith(tuple(options.modules or [""]))]
    if options.list:
        for guard in wanted:
            print(guard.name, "|", guard.says)
        return 0
    found = {} if options.again else read()
    same = {c: not proof.code_since(c) for c in {r["commit"] for r in found.values()}}
    found = {name: result for name, result in found.items() if same[result["commit"]]}
    left = [guard for guard in wanted if guard.name not in found]
    print(f"{len(guards)} guards, {len(left)} to be removed now", flush=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for guard, by in zip(left, pool.map(noticed_by, left), strict=True):
            found[guard.name] = {"noticed_by": by, "commit": commit}
            print(guard.name, by or "NOBODY NOTICED", guard.says, sep="\t", flush=True)
            keep(found, guards, started)
    unnoticed = [g for g in wanted if not found[g.name]["noticed_by"]]
    print(f"\n{len(unnoticed)} of {len(wanted)} guards are noticed by nobody.")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
