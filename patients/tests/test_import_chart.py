"""What import_fhir makes of the resources of a chart: medications, allergies, results."""

from datetime import UTC, datetime
from typing import Any

import pytest

from canvas_admin.fhir.bundles import BrokenBundle
from patients.models import (
    AllergyIntolerance,
    ImagingReport,
    Immunization,
    LabReport,
    Medication,
    Observation,
)
from patients.tests.bundles_to_import import Resource, a_patient, take_in

pytestmark = pytest.mark.django_db

LOINC = "http://loinc.org"
WHEN = "2024-05-06T07:08:09+00:00"
INSTANT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def concept(display: str, code: str = "1", system: str = LOINC) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def of(kind: str, name: str, **elements: Any) -> Resource:
    """A resource about Ann; None leaves an element out."""
    about = "patient" if kind in ("AllergyIntolerance", "Immunization") else "subject"
    resource = {
        "resourceType": kind,
        "id": name,
        about: {"reference": "urn:uuid:ann"},
    } | elements
    return {name: value for name, value in resource.items() if value is not None}


def a_medication(**elements: Any) -> Resource:
    return of(
        "MedicationRequest",
        "pill",
        **{
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": concept("Lisinopril 10 mg"),
            "authoredOn": WHEN,
        }
        | elements,
    )


def an_allergy(**elements: Any) -> Resource:
    return of("AllergyIntolerance", "nuts", **{"code": concept("Peanut")} | elements)


def an_immunization(**elements: Any) -> Resource:
    return of(
        "Immunization",
        "shot",
        **{
            "status": "completed",
            "vaccineCode": concept("Tetanus"),
            "occurrenceDateTime": WHEN,
        }
        | elements,
    )


def a_value(name: str = "sugar", **elements: Any) -> Resource:
    return of(
        "Observation",
        name,
        **{
            "status": "final",
            "code": concept("Glucose"),
            "effectiveDateTime": WHEN,
            "valueQuantity": {"value": 7.0, "unit": "mmol/L"},
        }
        | elements,
    )


def a_report(*values: str, **elements: Any) -> Resource:
    return of(
        "DiagnosticReport",
        "panel",
        **{
            "status": "final",
            "code": concept("Metabolic panel"),
            "category": [concept("Laboratory", "LAB")],
            "effectiveDateTime": WHEN,
            "result": [{"reference": f"urn:uuid:{name}"} for name in values],
        }
        | elements,
    )


def a_study(**elements: Any) -> Resource:
    series = {
        "uid": "1.2",
        "modality": {"system": "dcm", "code": "DX", "display": "Radiography"},
        "bodySite": {"system": "sct", "code": "2", "display": "Chest"},
    }
    return of(
        "ImagingStudy",
        "xray",
        **{
            "status": "available",
            "started": WHEN,
            "procedureCode": [concept("Chest X-ray")],
            "series": [series],
        }
        | elements,
    )


def test_everything_of_a_chart_arrives_at_the_patient() -> None:
    result = take_in(
        a_patient(),
        a_medication(),
        an_allergy(),
        an_immunization(),
        a_value(),
        a_report("sugar"),
        a_study(),
    )
    for kind in (
        "MedicationRequest",
        "AllergyIntolerance",
        "Immunization",
        "Observation",
        "DiagnosticReport",
        "ImagingStudy",
    ):
        assert result.counts[kind, "created"] == 1
    medication = Medication.objects.get()
    assert medication.patient.first_name == "Ann"
    assert (medication.display, medication.started) == ("Lisinopril 10 mg", INSTANT)
    shot = Immunization.objects.get()
    assert (shot.status, shot.given) == ("completed", INSTANT)
    study = ImagingReport.objects.get()
    assert (study.display, study.modality, study.body_site, study.reported) == (
        "Chest X-ray",
        "Radiography",
        "Chest",
        INSTANT,
    )
    value = Observation.objects.get()
    assert value.report == LabReport.objects.get(display="Metabolic panel")


def test_the_same_again_changes_nothing_and_a_change_is_taken() -> None:
    bundle = [a_patient(), a_medication(), a_value(), a_report("sugar")]
    take_in(*bundle)
    again = take_in(*bundle)
    assert again.outcome == "unchanged"
    bundle[1]["status"] = "stopped"
    changed = take_in(*bundle)
    assert changed.counts["MedicationRequest", "updated"] == 1
    assert changed.counts["Observation", "unchanged"] == 1
    assert Medication.objects.get().status == "stopped"


def test_a_value_follows_the_report_that_names_it() -> None:
    take_in(a_patient(), a_value())
    assert Observation.objects.get().report is None
    moved = take_in(a_patient(), a_value(), a_report("sugar"))
    assert moved.counts["Observation", "updated"] == 1
    assert Observation.objects.get().report == LabReport.objects.get()
    take_in(a_patient(), a_value(), a_report())
    assert Observation.objects.get().report is None


def test_an_image_s_report_is_no_laboratory_s() -> None:
    take_in(
        a_patient(),
        a_value(),
        a_report(
            "sugar", category=[concept("Radiology", "RAD")], conclusion="No fracture."
        ),
    )
    assert not LabReport.objects.exists()
    assert ImagingReport.objects.get().conclusion == "No fracture."
    assert Observation.objects.get().report is None


@pytest.mark.parametrize(
    ("elements", "value", "unit"),
    [
        ({}, "7", "mmol/L"),
        ({"valueQuantity": {"value": 5.4, "code": "%"}}, "5.4", "%"),
        ({"valueQuantity": {"value": 0.25, "comparator": "<"}}, "< 0.25", ""),
        ({"valueQuantity": {"value": 100}}, "100", ""),
        ({"valueQuantity": None, "valueString": "clear"}, "clear", ""),
        ({"valueQuantity": None, "valueCodeableConcept": concept("A")}, "A", ""),
        ({"valueQuantity": None, "valueInteger": 0}, "0", ""),
        ({"valueQuantity": None, "valueBoolean": False}, "no", ""),
        ({"valueQuantity": None}, "", ""),
        (
            {
                "valueQuantity": None,
                "component": [
                    {
                        "code": concept("Systolic"),
                        "valueQuantity": {"value": 120, "unit": "mmHg"},
                    },
                    {
                        "code": concept("Diastolic"),
                        "valueQuantity": {"value": 80, "unit": "mmHg"},
                    },
                    {"code": concept("Not measured")},
                ],
            },
            "Systolic 120 mmHg; Diastolic 80 mmHg",
            "",
        ),
    ],
)
def test_a_value_is_kept_as_it_was_sent(
    elements: dict[str, Any], value: str, unit: str
) -> None:
    take_in(a_patient(), a_value(**elements))
    row = Observation.objects.get()
    assert (row.value, row.unit) == (value, unit)


@pytest.mark.parametrize(
    ("span", "text"),
    [
        ({"low": {"value": 0.0}, "high": {"value": 200.0, "unit": "mg"}}, "0 – 200 mg"),
        ({"low": {"value": 3.5, "unit": "g"}}, "≥ 3.5 g"),
        ({"high": {"value": 5}}, "≤ 5"),
        ({"text": "negative"}, "negative"),
    ],
)
def test_a_usual_range_is_words(span: dict[str, Any], text: str) -> None:
    take_in(a_patient(), a_value(referenceRange=[span]))
    assert Observation.objects.get().reference_range == text


@pytest.mark.parametrize(
    ("code", "abnormal"), [("H", True), ("N", False), ("LL", True), ("NEG", False)]
)
def test_what_is_not_usual_is_marked(code: str, abnormal: bool) -> None:
    take_in(a_patient(), a_value(interpretation=[concept("Word", code)]))
    row = Observation.objects.get()
    assert (row.interpretation, row.abnormal) == ("Word", abnormal)


@pytest.mark.parametrize(
    ("dosage", "text"),
    [
        ([{"text": "One in the morning"}], "One in the morning"),
        (
            [
                {
                    "timing": {
                        "repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}
                    },
                    "doseAndRate": [{"doseQuantity": {"value": 1.0}}],
                }
            ],
            "1, 2 times every day",
        ),
        (
            [
                {
                    "timing": {
                        "repeat": {"frequency": 1, "period": 3, "periodUnit": "wk"}
                    },
                    "asNeededBoolean": True,
                }
            ],
            "once every 3 weeks, as needed",
        ),
        ([{"text": "First"}, {"text": "Then"}], "First; Then"),
        ([{}], ""),
    ],
)
def test_directions_are_the_source_s_words_or_its_numbers(
    dosage: list[dict[str, Any]], text: str
) -> None:
    take_in(a_patient(), a_medication(dosageInstruction=dosage))
    assert Medication.objects.get().directions == text


def test_a_medication_may_be_a_resource_of_the_bundle() -> None:
    drug = {"resourceType": "Medication", "id": "drug", "code": concept("Aspirin")}
    asked = a_medication(
        medicationCodeableConcept=None,
        medicationReference={"reference": "urn:uuid:drug"},
    )
    take_in(a_patient(), drug, asked)
    assert Medication.objects.get().display == "Aspirin"


def test_a_medication_elsewhere_has_the_words_of_its_reference() -> None:
    asked = a_medication(
        medicationCodeableConcept=None,
        medicationReference={"reference": "Medication/x", "display": "Aspirin"},
    )
    take_in(a_patient(), asked)
    assert Medication.objects.get().display == "Aspirin"


def test_an_allergy_says_how_it_shows_and_how_dangerous_it_is() -> None:
    take_in(
        a_patient(),
        an_allergy(
            criticality="high",
            type="allergy",
            clinicalStatus=concept("Resolved", "resolved"),
            reaction=[{"manifestation": [concept("Hives")]}],
            recordedDate=WHEN,
        ),
    )
    row = AllergyIntolerance.objects.get()
    assert (row.criticality, row.kind, row.reaction) == ("high", "allergy", "Hives")
    assert (row.clinical_status, row.ongoing) == ("resolved", False)
    assert row.recorded == INSTANT


def test_without_a_status_an_allergy_counts() -> None:
    take_in(a_patient(), an_allergy())
    assert AllergyIntolerance.objects.get().ongoing


@pytest.mark.parametrize(
    ("resource", "model"),
    [
        (a_medication(status="entered-in-error"), Medication),
        (an_immunization(status="entered-in-error"), Immunization),
        (a_value(status="entered-in-error"), Observation),
        (a_report(status="entered-in-error"), LabReport),
        (a_study(status="entered-in-error"), ImagingReport),
        (
            an_allergy(verificationStatus=concept("Error", "entered-in-error")),
            AllergyIntolerance,
        ),
    ],
)
def test_what_was_entered_in_error_is_marked_so(resource: Resource, model: Any) -> None:
    take_in(a_patient(), resource)
    row = model.objects.get()
    assert row.entered_in_error
    assert row.entered_in_error_reason


@pytest.mark.parametrize(
    ("resource", "where", "reason"),
    [
        (a_medication(medicationCodeableConcept={}), "MedicationRequest/pill", "code"),
        (a_medication(status="resting"), "MedicationRequest/pill", "status"),
        (an_allergy(criticality="great"), "AllergyIntolerance/nuts", "criticality"),
        (
            an_allergy(clinicalStatus=concept("x", "odd")),
            "AllergyIntolerance/nuts",
            "clinical_status",
        ),
        (a_report("nothing"), "DiagnosticReport/panel", "no Observation"),
        (a_report("ann"), "DiagnosticReport/panel", "no Observation"),
        (a_report(effectiveDateTime="2024-02-30"), "DiagnosticReport/panel", ""),
        (
            a_value(valueString="x" * 501, valueQuantity=None),
            "Observation/sugar",
            "501",
        ),
        (
            a_value(subject={"reference": "urn:uuid:sugar"}),
            "Observation/sugar",
            "subject",
        ),
        (a_value(subject={"reference": "Patient/x"}), "Observation/sugar", "subject"),
        (a_study(procedureCode=None, series=None), "ImagingStudy/xray", "code"),
    ],
)
def test_what_cannot_be_taken_says_where_and_why(
    resource: Resource, where: str, reason: str
) -> None:
    with pytest.raises(BrokenBundle) as caught:
        take_in(a_patient(), resource)
    assert where in caught.value.where
    assert reason in caught.value.reason
    assert not Medication.objects.exists()
