"""What import_fhir makes of coverages and claims, and that work done here stays."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from canvas_admin.fhir.bundles import BrokenBundle, Bundle
from patients.importing.bundle import plan
from patients.models import Claim, Coverage, Note, Patient
from patients.models.claims import CPT
from patients.revenue import claiming
from patients.tests.bundles_to_import import (
    SNOMED,
    a_patient,
    a_practitioner,
    bundle_of,
    take_in,
)

pytestmark = pytest.mark.django_db

ICD_10 = "http://hl7.org/fhir/sid/icd-10-cm"
ANN = {"reference": "urn:uuid:ann"}
AETNA = {"resourceType": "Organization", "id": "payer", "name": "Aetna"}


def concept(code, system=CPT, display="Visit"):
    return {"coding": [{"system": system, "code": code, "display": display}]}


def without_none(resource):
    return {name: value for name, value in resource.items() if value is not None}


def a_coverage(name="plan", **changes):
    resource = {
        "resourceType": "Coverage",
        "id": name,
        "status": "active",
        "beneficiary": ANN,
        "payor": [{"reference": "urn:uuid:payer"}],
        "subscriberId": "A1",
        "period": {"start": "2020-01-01"},
        "type": concept("HIP", "http://terminology.hl7.org/CodeSystem/v3-ActCode"),
        "class": [{"type": concept("plan", "class"), "value": "7", "name": "Bronze"}],
    }
    return without_none(resource | changes)


def an_encounter(**changes):
    resource = {
        "resourceType": "Encounter",
        "id": "visit",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": ANN,
        "period": {"start": "2024-05-06T07:00:00Z"},
        "participant": [{"individual": {"reference": "urn:uuid:doc"}}],
    }
    return without_none(resource | changes)


def an_item(price="125.5", **changes):
    item = {
        "sequence": 1,
        "productOrService": concept("99213"),
        "encounter": [{"reference": "urn:uuid:visit"}],
        "net": {"value": float(price), "currency": "USD"},
    }
    return without_none(item | changes)


def a_claim(name="bill", *items, **changes):
    resource = {
        "resourceType": "Claim",
        "id": name,
        "status": "active",
        "use": "claim",
        "type": concept("professional", "type"),
        "patient": ANN,
        "created": "2024-06-01",
        "provider": {"display": "Clinic"},
        "priority": concept("normal", "priority"),
        "insurance": [
            {
                "sequence": 1,
                "focal": True,
                "coverage": {"reference": "urn:uuid:plan"},
            }
        ],
        "item": list(items) or [an_item()],
    }
    return without_none(resource | changes)


def plan_of(*resources):
    return plan(Bundle.parse(json.dumps(bundle_of(*resources)).encode()))


def everything(*claims, **of_coverage):
    people = (a_patient(), a_practitioner(), AETNA, an_encounter())
    return (*people, a_coverage(**of_coverage), *(claims or [a_claim()]))


def test_a_claim_arrives_with_its_coverage_line_and_provider():
    result = take_in(*everything())
    claim, coverage = Claim.objects.with_totals().get(), Coverage.objects.get()
    assert (
        coverage.payer_name,
        coverage.plan,
        coverage.member_id,
        coverage.active,
    ) == (
        "Aetna",
        "Bronze",
        "A1",
        True,
    )
    assert (claim.coverage, claim.state, claim.service_date, claim.balance) == (
        coverage,
        "filed",
        date(2024, 5, 6),
        Decimal("125.50"),
    )
    assert claim.provider.last_name == "Doc"
    line = claim.lines.get()
    assert (line.code, line.system, line.units, line.charge) == (
        "99213",
        CPT,
        1,
        Decimal("125.50"),
    )
    assert list(claim.changes.values_list("before", "after")) == [("", "filed")]
    assert (
        result.counts["Claim", "created"] == result.counts["Coverage", "created"] == 1
    )


def test_the_same_again_changes_nothing_and_a_changed_source_updates():
    take_in(*everything())
    number = Claim.objects.get().number
    again = take_in(*everything())
    assert (
        again.counts["Claim", "unchanged"] == again.counts["Coverage", "unchanged"] == 1
    )
    assert again.outcome == "unchanged"
    changed = a_claim("bill", an_item("10"), status="cancelled")
    take_in(*everything(changed, subscriberId="A2"))
    claim = Claim.objects.with_totals().get()
    assert (claim.number, claim.state, claim.charges) == (number, "trash", 10)
    assert claim.lines.exclude(removed=None).get().charge == Decimal("125.50")
    assert Coverage.objects.get().member_id == "A2"
    take_in(*everything(a_claim("bill", an_item("11")), subscriberId="A3"))
    claim = Claim.objects.with_totals().get()
    assert (claim.state, claim.charges, Coverage.objects.get().member_id) == (
        "filed",
        11,
        "A3",
    )


def test_what_was_changed_here_stays():
    take_in(*everything())
    claim, coverage = Claim.objects.get(), Coverage.objects.get()
    claiming.move(claim, "adjudicated", None)
    coverage.group_number = "G7"
    coverage.save()
    result = take_in(*everything(a_claim("bill", an_item("10")), subscriberId="A2"))
    claim = Claim.objects.with_totals().get()
    assert (claim.state, claim.charges) == ("adjudicated", Decimal("125.50"))
    assert Coverage.objects.get().member_id == "A1"
    assert (
        result.counts["Claim", "unchanged"]
        == result.counts["Coverage", "unchanged"]
        == 1
    )


def test_a_line_that_changed_here_counts_as_changed():
    take_in(*everything())
    line = Claim.objects.get().lines.get()
    line.charge = Decimal("100.00")
    line.save()
    take_in(*everything(a_claim("bill", an_item("10"))))
    assert Claim.objects.with_totals().get().charges == Decimal("100.00")


def test_codes_modifiers_units_and_pointers():
    diagnosis = [
        {"sequence": 1, "diagnosisCodeableConcept": concept("1", SNOMED)},
        {"sequence": 2, "diagnosisCodeableConcept": concept("I10", ICD_10, "Pressure")},
    ]
    item = an_item(
        net=None,
        modifier=[concept("25", "m"), concept("GT", "m")],
        quantity={"value": 3},
        unitPrice={"value": 33.33, "currency": "USD"},
        diagnosisSequence=[1, 2],
    )
    take_in(*everything(a_claim("bill", item, diagnosis=diagnosis)))
    line = Claim.objects.get().lines.get()
    assert (line.modifiers, line.units, line.charge, line.pointers) == (
        "25 GT",
        3,
        Decimal("99.99"),
        "A",
    )
    found = Claim.objects.get().diagnoses.get()
    assert (found.letter, found.code, found.display) == ("A", "I10", "Pressure")


def test_a_claim_is_tied_to_the_note_of_its_visit():
    take_in(a_patient())
    patient = Patient.objects.get()
    started = datetime(2024, 5, 6, 7, tzinfo=UTC)
    note = Note.objects.create(patient=patient, started=started, source_id="visit")
    take_in(*everything(a_claim("one"), a_claim("two")))
    assert list(Claim.objects.order_by("pk").values_list("note", flat=True)) == [
        note.pk,
        None,
    ]


def test_who_pays_without_insurance_has_no_coverage():
    take_in(*everything(payor=[ANN]))
    assert not Coverage.objects.exists()
    claim = Claim.objects.get()
    assert (claim.coverage, claim.state) == (None, "patient-balance")


def test_what_is_no_bill_and_no_insurance_is_left_out():
    asked = a_claim("ask", use="preauthorization")
    draft = a_coverage("draft", status="draft")
    planned = plan_of(*everything(a_claim(), asked), draft)
    assert (planned.left_out["Claim"], planned.left_out["Coverage"]) == (1, 1)
    take_in(*everything(a_claim(), asked), draft)
    assert (Claim.objects.count(), Coverage.objects.count()) == (1, 1)


def test_ranks_are_held_once_and_ended_ones_do_not_count():
    gone = {
        "status": "cancelled",
        "period": {"start": "2001-01-01", "end": "2019-01-01"},
    }
    others = [a_coverage(f"c{n}") for n in (2, 3)]
    take_in(a_patient(), AETNA, a_coverage("old", **gone), a_coverage(order=2), *others)
    found = Coverage.objects.order_by("pk").values_list("active", "rank")
    assert list(found) == [(False, 1), (True, 2), (True, 1), (True, 3)]
    with pytest.raises(BrokenBundle, match="three coverages"):
        take_in(a_patient(), AETNA, a_coverage("c4"))


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (a_claim("bill", an_item(net=None)), "has no price"),
        (a_claim("bill", an_item("1.005")), "part of a cent"),
        (a_claim("bill", an_item("-1")), "impossible"),
        (a_claim("bill", an_item("99999999")), "impossible"),
        (
            a_claim("bill", an_item(net={"value": 1, "currency": "EUR"})),
            "another currency",
        ),
        (a_claim("bill", an_item(quantity={"value": 1.5})), "number of units"),
        (a_claim("bill", *[an_item()] * 21), "repeats more than"),
        (a_claim("bill", patient={"reference": "urn:uuid:doc"}), "not this bundle's"),
        (a_coverage("plan2", payor=[{"reference": "urn:uuid:gone"}]), "has no name"),
        (a_coverage("plan2", status="cancelled"), "period.end"),
        (a_coverage("plan2", subscriberId="x" * 65), "too many"),
    ],
)
def test_what_is_unfit_is_refused_whole(resource, said):
    with pytest.raises(BrokenBundle, match=said):
        take_in(*everything(resource))
    assert not Patient.objects.exists()


def test_a_coverage_in_which_something_is_missing_is_a_task_until_its_source_says_more():
    def bring(**payer):
        return take_in(a_patient(), AETNA | payer, a_coverage())

    bring()
    coverage = Coverage.objects.get()
    missing = "no address of the payer, no phone of the payer"
    for broken in ({}, {"address": "nowhere", "telecom": [7]}, {"address": [{}]}):
        bring(**broken)
        task = coverage.tasks.get()
        assert task.title == f"Complete primary coverage: {missing}"
        assert (task.origin, task.status, task.creator) == ("INC_COV", "OPEN", None)
    bring(
        address=[{"line": ["7 Farm Road"], "city": "Hartford", "state": "CT"}],
        telecom=[
            {"system": "email", "value": "a@example.org"},
            {"system": "phone", "value": "555-0173"},
        ],
    )
    coverage.refresh_from_db()
    said = (coverage.payer_address, coverage.payer_phone)
    assert said == ("7 Farm Road, Hartford, CT", "555-0173")
    assert coverage.tasks.get().status == "COMPLETED"


def test_a_coverage_that_has_ended_is_no_task():
    gone = {
        "status": "cancelled",
        "period": {"start": "2001-01-01", "end": "2019-01-01"},
    }
    take_in(a_patient(), AETNA, a_coverage("old", **gone, subscriberId=None))
    assert not Coverage.objects.get().tasks.exists()
