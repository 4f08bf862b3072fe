"""A canary in each text field of one chart, found by walking the models (security P23).

A model of patients that is not in SEEN_WITH, and a text field that holds no canary and is
not in NONE, fail the test: so a new one cannot be forgotten.
"""

import random
from collections.abc import Iterator
from datetime import date

from django.db import models

from canvas_admin.testing import make_patient
from canvas_admin.tests.matrix.clinic import Clinic
from canvas_admin.tests.matrix.observing import about_patients, path_to_patient
from canvas_admin.tests.test_noninterference import link_everything
from patients.models import ClaimStateChange, Patient, PatientGroupExclusion

# Who may read the texts of a model: the areas of expected.py that show them. "" is for
# administrators and for whoever wrote it, and for none of the twelve. A claim names the
# coverage that it goes to.
SEEN_WITH = {
    "Patient": "find",
    "PatientName": "profile",
    "PatientIdentifier": "profile",
    "PatientAddress": "profile",
    "PatientContactPoint": "profile",
    "PatientContact": "profile",
    "Consent": "profile",
    "Coverage": "profile claims",
    "EligibilityCheck": "profile",
    "CareTeamMembership": "profile",
    "PatientGroupMember": "",
    "PatientGroupExclusion": "",
    "AccessRequest": "",
    "Appointment": "chart",
    "Condition": "chart",
    "Medication": "chart",
    "AllergyIntolerance": "chart",
    "Immunization": "chart",
    "LabReport": "chart",
    "ImagingReport": "chart",
    "Observation": "chart",
    "AdministrativeDocument": "documents",
    "ChartChange": "chart",
    "Claim": "claims",
    "ClaimStateChange": "claims",
    "ClaimDiagnosis": "claims",
    "ClaimLine": "claims",
    "ClaimPosting": "claims",
    "ClaimSnooze": "claims",
    "ClinicalDocument": "chart",
    "VitalSigns": "chart",
    "Diagnosis": "chart",
    "IncomingFile": "data-integration",
    "ReasonForVisit": "chart",
    "Plan": "chart",
    "Instruction": "chart",
    "Note": "chart",
    "NoteStateChange": "chart",
    "Addendum": "chart",
    "Prescription": "chart",
    "LabOrder": "chart",
    "ImagingOrder": "chart",
    "Referral": "chart",
    "NoteTask": "chart",
    "NoteReview": "chart",
    "RefillRequest": "chart",
    "Task": "tasks",
    "TaskTaskLabel": "tasks",
    "TaskComment": "tasks",
    "TaskRouting": "tasks",
    "ProtocolResult": "chart",
    # In the administration, to who may open the chart, too.
    "ProtocolRun": "",
    "DryRow": "",
    "Recompute": "",
    "RecomputeSlice": "",
    "ProtocolOverride": "",
}
# Texts that nobody writes: what we make ourselves, codes of ours, and file names.
NONE = {"key", "sort_name", "name_words", "source_digest", "sha256", "media_type"}
NONE |= {"externally_exposable_id", "file", "number", "linked_as", "linked_row"}
NONE |= {"row_key", "rule_key", "letter", "pointers", "kind"}

LENGTH = len("Zq000Kx")


def plant(clinic: Clinic) -> dict[str, str]:
    """Canaries in ada's chart: text → "Model.field". Every model has a row of hers."""
    _a_row_of_each(clinic)
    planted: dict[str, str] = {}
    empty = []
    for model in about_patients().values():
        path = path_to_patient(model) or "pk"
        ada = clinic.cast.ada
        rows = model._base_manager.filter(**{path: ada.pk if path == "pk" else ada})
        names = list(text_fields(model))
        if names and not rows.exists():
            empty.append(model.__name__)
        for name in names:
            canary = f"Zq{len(planted):03d}Kx"
            planted[canary] = f"{model.__name__}.{name}"
            rows.update(**{name: canary})
    assert not empty, f"link_everything() makes none of {empty}"
    clinic.cast.ada.refresh_from_db()
    return planted


def text_fields(model: type[models.Model]) -> Iterator[str]:
    """The fields of a model that hold what people write."""
    for field in model._meta.concrete_fields:
        if field.name in NONE or field.choices or field.is_relation:
            continue
        if isinstance(field, models.CharField | models.TextField):
            if (field.max_length or LENGTH) >= LENGTH:
                yield field.name


def _a_row_of_each(clinic: Clinic) -> None:
    """What ada lacks she takes over from a patient who has everything."""
    cast, ada = clinic.cast, clinic.cast.ada
    cast.pat = clinic.pat
    other = make_patient("Zoe", "Zorn", date(1931, 7, 7))
    link_everything(random.Random(1), cast, "pat", other)
    for model in about_patients().values():
        path = path_to_patient(model)
        if path and "__" not in path and model is not Patient:
            rows = model._base_manager
            if not rows.filter(**{path: ada}).exists():
                rows.filter(**{path: other}).update(**{path: ada})
    PatientGroupExclusion(
        patient_group=cast.south, patient=ada, reason="moved away"
    ).save()
    ClaimStateChange.objects.create(
        patient=ada, claim=cast.claim, after="filed", reason="complete"
    )
    cast.task.comments.create(author=cast.nora, text="called")
