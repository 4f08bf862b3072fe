"""Every URL of the site, found by walking the resolver, with concrete addresses."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

from django.contrib.auth.models import Group
from django.urls import NoReverseMatch, URLPattern, get_resolver, reverse

from canvas_admin.events.models import ChangeEvent
from canvas_admin.protocols.models import ApiKey, Protocol, ProtocolSetting
from patients.models import (
    AccessRequest,
    AdministrativeDocument,
    AllergyIntolerance,
    Appointment,
    CareTeamMembership,
    Claim,
    ClaimDiagnosis,
    ClaimLine,
    ClaimPosting,
    Condition,
    Consent,
    ConsentCoding,
    Coverage,
    Immunization,
    IncomingFile,
    Medication,
    PatientAddress,
    PatientContact,
    PatientContactPoint,
    PatientGroupExclusion,
    PatientIdentifier,
    PatientName,
    Plan,
)
from patients.tests.notes import note_of, write
from patients.tests.work import make_lab, make_refill
from staffing.accounts import one_time_path
from staffing.models import (
    Application,
    CareTeamRole,
    GroupChange,
    Location,
    Role,
    StaffPermissions,
    Team,
    TeamMember,
    VisitType,
)
from tasks.bulk import keep_keys
from tasks.models import Campaign, RoutingRule, Task, TaskLabel


def every_name() -> list[str]:
    """The qualified names of all patterns. A pattern without a name is an error."""
    found = list(_walk(get_resolver(), ""))
    nameless = [str(pattern.pattern) for name, pattern in found if not pattern.name]
    assert not nameless, f"URLs without a name: {nameless}"
    return sorted({name for name, _pattern in found})


def _walk(resolver: Any, namespace: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from _walk(pattern, namespace + inner)
        else:
            yield namespace + (pattern.name or ""), pattern


def furnish(cast: SimpleNamespace) -> SimpleNamespace:
    """Add to the cast one row of everything that has a page of its own."""
    cast.team = Team.objects.create(name="Triage")
    cast.location = Location.objects.create(name="Main street")
    cast.visit_type = VisitType.objects.create(name="Check-up", code="308335008")
    cast.care_team_role = CareTeamRole.objects.create(code="x1", display="Coach")
    cast.application = Application(name="Lab feed")
    cast.application.begin()
    cast.exclusion = PatientGroupExclusion(
        patient_group=cast.south, patient=cast.cyn, reason="moved away"
    )
    cast.exclusion.save()
    cast.membership = cast.north.memberships.get()
    cast.document = AdministrativeDocument.objects.create(
        patient=cast.ada, title="Card", kind="insurance", size=1, file="nowhere"
    )
    cast.removed_document = AdministrativeDocument.objects.create(
        patient=cast.ada,
        title="Old card",
        kind="insurance",
        size=1,
        file="nowhere",
        removed=datetime(2026, 1, 2, 15, tzinfo=UTC),
        removed_reason="expired",
    )
    incoming = {"source": "fax", "size": 1, "file": "nowhere"}
    cast.incoming = IncomingFile.objects.create(**incoming)
    cast.linked = IncomingFile.objects.create(
        **incoming, state="linked", patient=cast.ada, linked_as="lab"
    )
    cast.appointment = Appointment.objects.create(
        patient=cast.ada,
        provider=cast.sam,
        location=cast.location,
        visit_type=cast.visit_type,
        start=datetime(2030, 1, 2, 15, tzinfo=UTC),
        minutes=20,
    )
    cast.claim = Claim.objects.create(
        patient=cast.ada, service_date=date(2026, 1, 2), state="coding-review"
    )
    cast.claim_parts = claim_parts(cast.claim)
    cast.access_request = AccessRequest.objects.create(
        patient=cast.ben, staff=cast.olga, reason="covers the South clinic"
    )
    cast.consent_coding = ConsentCoding.objects.create(
        code="treatment", display="Treatment", mandatory=True
    )
    for member in (cast.nora, cast.sam):
        TeamMember.objects.create(team=cast.team, staff=member)
    cast.task_label = TaskLabel.objects.create(name="Follow-up", color="teal")
    cast.task = Task.objects.create(patient=cast.ada, team=cast.team, title="Call")
    cast.rule = RoutingRule.objects.create(
        name="Calls", comparison="equals", title="Call", team=cast.team
    )
    cast.rule.labels.add(cast.task_label)
    cast.task.routings.create(rule_key=cast.rule.key, rule_name="Calls", assigned=True)
    # One whose tasks are still to be made, and one that has a task for ada.
    about_north = {"patient_group": cast.north, "creator": cast.nora}
    cast.outreach = Campaign.objects.create(title="Flu shots", **about_north)
    cast.running = Campaign.objects.create(title="Eyes", state="running", **about_north)
    keep_keys([cast.running.make_task(cast.ada, [])])
    cast.belongings = belongings(cast, cast.ada)
    cast.lab, cast.refill = make_lab(cast.ada), make_refill(cast.ada)
    cast.chart_rows = chart_rows(cast.ada)
    cast.protocol = protocol_of(cast)
    cast.note = note_of(cast.ada, cast.nora, location=cast.location)
    cast.command = write(cast.note, Plan)
    return cast


def protocol_of(cast: SimpleNamespace) -> Protocol:
    """A protocol with a setting, a parked event about ada, and a run; and an API key."""
    application = Application(name="Protocol Grouping")
    application.begin()
    made = Protocol.objects.create(name="Grouping", application=application)
    made.current = made.versions.create(number="1", title="Grouping", source="# text")
    made.save()
    setting = ProtocolSetting(protocol=made, name="GROUP")
    setting.value = "hidden"
    setting.save()
    cast.event = ChangeEvent.objects.create(
        patient=cast.ada.pk,
        change_type="consent",
        model_name="consent",
        record=1,
        state="parked",
        error="Failed: Grouping",
    )
    cast.protocol_run = made.runs.create(
        version=made.current,
        patient=cast.ada,
        event=cast.event,
        kind="failed",
        started=datetime(2026, 1, 2, 15, tzinfo=UTC),
        milliseconds=12,
        error="broken",
    )
    made.active = True
    made.save()
    cast.protocol_result = made.results.create(
        patient=cast.ada, run=cast.protocol_run, status="due"
    )
    cast.dry_run = made.current.recomputes.create(dry=True, patients=1)
    cast.dry_run.rows.create(patient=cast.ada, kind="computed", status="due")
    cast.api_key = ApiKey(user=cast.nora.user, name="laptop")
    cast.api_key.begin()
    return made


def chart_rows(patient: Any) -> dict[str, Any]:
    """One row of a patient in each section of the chart, by the section's address."""
    active = {"patient": patient, "display": "Asthma", "clinical_status": "active"}
    given = {"patient": patient, "display": "Measles vaccine", "status": "completed"}
    return {
        "conditions": Condition.objects.create(**active),
        "allergies": AllergyIntolerance.objects.create(**active),
        "medications": Medication.objects.create(**given),
        "immunizations": Immunization.objects.create(**given),
    }


def belongings(cast: SimpleNamespace, patient: Any) -> dict[str, Any]:
    """One row of a patient in each section of the profile, by the section's address."""
    member = {"staff": cast.nora, "role": cast.care_team_role}
    rows = {
        "names": PatientName(use="nickname", given="Addie"),
        "telecom": PatientContactPoint(system="phone", value="555-0100"),
        "addresses": PatientAddress(lines="12 Long Street", city="Springfield"),
        "contacts": PatientContact(name="Eva Ruiz", relationship="daughter"),
        "identifiers": PatientIdentifier(value="S999", type_code="DL"),
        "coverages": Coverage(payer_name="Aetna", member_id="A1"),
        "consents": Consent(coding=cast.consent_coding, state="accepted"),
        "care-team": CareTeamMembership(**member),
    }
    for row in rows.values():
        row.patient = patient
        row.save()
    return rows


def claim_parts(claim: Claim, text: str = "I10") -> dict[str, Any]:
    """One row of each kind on a claim, by the word for it in its address' name."""
    of, what = {"claim": claim}, {"code": text}
    return {
        "diagnosis": ClaimDiagnosis.objects.create(
            **of, **what, letter="A", display=text
        ),
        "line": ClaimLine.objects.create(**of, **what, charge=5, description=text),
        "posting": ClaimPosting.objects.create(
            **of, kind="patient", amount=3, date=claim.service_date, reference=text
        ),
    }


def address(name: str, cast: SimpleNamespace) -> str:
    """A concrete address of this pattern; about ada where it is about a patient."""
    if name == "account_reset_password_from_key":
        return one_time_path(cast.nora.user)
    for arguments in _arguments(name, cast):
        try:
            return reverse(name, kwargs=arguments)
        except NoReverseMatch:
            continue
    raise LookupError(f"no address for {name}: say in addresses.py what it is about")


def _arguments(name: str, cast: SimpleNamespace) -> Iterator[dict[str, Any]]:
    yield {}
    if name.startswith("patients:"):
        yield from _about_ada(name.removeprefix("patients:"), cast)
    if name.startswith("tasks:campaign"):
        is_begun = name == "tasks:campaign-go-on"
        yield {"campaign": (cast.outreach if is_begun else cast.running).key}
    if name.startswith("tasks:"):
        about_patient = name == "tasks:create-for"
        yield {"key": cast.ada.key if about_patient else cast.task.key}
    if "patientgroup_exclusion" in name:
        about = {"group_id": cast.south.externally_exposable_id}
        yield about
        yield about | {"key": cast.exclusion.key}
    if "patientgroup_" in name:
        about = {"group_id": cast.north.externally_exposable_id}
        yield about
        yield about | {"key": cast.membership.key}
    if name.startswith("protocols:"):
        about = {"key": cast.ada.key}
        yield from (
            about,
            {"name": "One"},
            about | {"result": cast.protocol_result.key},
        )
    if name.startswith("fhir:"):
        task = {"name": "Task"}
        yield from (task, {"path": "a/b"})
        one = task | {"logical_id": cast.task.externally_exposable_id}
        yield from (one, one | {"operation": "do"})
        form = {"name": "Consent", "element": "sourceAttachment"}
        yield form | {"logical_id": cast.belongings["consents"].key}
    if name.startswith("admin:protocols_protocol_"):
        about = {"key": cast.protocol.key}
        yield from (about, about | {"version": cast.protocol.current.key})
        run = cast.dry_run if "_dry_" in name else cast.protocol_run
        yield from ({"run": run.key}, {"event": cast.event.key})
    if name == "admin:app_list":
        yield {"app_label": "staffing"}
    if name.startswith("admin:"):
        yield {"object_id": _object_id(name, cast)}


def _about_ada(name: str, cast: SimpleNamespace) -> Iterator[dict[str, Any]]:
    """Arguments of the patients' patterns, the fewest first."""
    ada = {"key": cast.ada.key}
    is_removed = name == "restore-document"
    document = cast.removed_document if is_removed else cast.document
    file = {"file": (cast.linked if name == "unlink-file" else cast.incoming).key}
    note, claim = ada | {"note": cast.note.key}, ada | {"claim": cast.claim.key}
    result = ada | {"kind": "labs"}
    yield from (ada, result, file, file | ada)
    yield ada | {"appointment": cast.appointment.key}
    yield ada | {"document": document.key}
    yield from (note, note | {"kind": "plan"})
    yield note | {"kind": "plan", "command": cast.command.key}
    yield claim
    row = {"refill": cast.refill, **cast.belongings, **cast.chart_rows}
    section = name.rpartition("-")[0]
    part = name.removeprefix("claim-").split("-")[0]
    if part in cast.claim_parts:
        yield claim | {"row": cast.claim_parts[part].key}
    if found := row.get(name) or row.get(section):
        yield ada | {"row": found.key}
    yield result | {"row": cast.lab.key}


def _object_id(name: str, cast: SimpleNamespace) -> str:
    model_name = name.removeprefix("admin:").split("_")[1]
    rows = {
        "user": lambda: cast.nora.user,
        "staff": lambda: cast.nora,
        "staffpermissions": lambda: StaffPermissions.objects.get(pk=cast.nora.pk),
        "groupchange": lambda: GroupChange.objects.order_by("pk").first(),
        "application": lambda: cast.application,
        "role": lambda: Role.objects.get(internal_code="RN"),
        "team": lambda: cast.team,
        "careteamrole": lambda: cast.care_team_role,
        "location": lambda: cast.location,
        "visittype": lambda: cast.visit_type,
        "patientgroup": lambda: cast.north,
        "accessrequest": lambda: cast.access_request,
        "consentcoding": lambda: cast.consent_coding,
        "tasklabel": lambda: cast.task_label,
        "routingrule": lambda: cast.rule,
        "protocol": lambda: cast.protocol,
        "apikey": lambda: cast.api_key,
    }
    if model_name == "group":
        return Group.objects.get(name="Clinical read").name
    return rows[model_name]().public_id
