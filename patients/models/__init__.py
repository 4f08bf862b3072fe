"""The names that other rooms may import."""

from patients.models.access_requests import AccessRequest, ClosedMeanwhile
from patients.models.appointments import Appointment
from patients.models.care_team import CareTeamMembership
from patients.models.chart_changes import ChartChange
from patients.models.claim_keys import ClaimKey
from patients.models.claim_postings import ClaimPosting
from patients.models.claim_snoozes import ClaimSnooze
from patients.models.claims import (
    Claim,
    ClaimDiagnosis,
    ClaimLine,
    ClaimStateChange,
)
from patients.models.clinical import (
    AllergyIntolerance,
    ChartEntry,
    ClinicalRow,
    Condition,
    Immunization,
    Medication,
)
from patients.models.clinical_documents import ClinicalDocument
from patients.models.commands import Command, NoteClosed
from patients.models.consents import Consent, ConsentCoding
from patients.models.contacts import PatientContact
from patients.models.coverages import Coverage, EligibilityCheck
from patients.models.documents import AdministrativeDocument
from patients.models.findings import Diagnosis, VitalSigns
from patients.models.groups import (
    LockedMember,
    PatientGroup,
    PatientGroupAccess,
    PatientGroupExclusion,
    PatientGroupMember,
)
from patients.models.incoming import IncomingFile
from patients.models.joining import Joining
from patients.models.lab_orders import LabOrder
from patients.models.narratives import Instruction, Plan, ReasonForVisit
from patients.models.note_reviews import NoteReview
from patients.models.notes import Addendum, Note, NoteStateChange
from patients.models.orders import (
    ImagingOrder,
    NoteTask,
    Prescription,
    Priority,
    Referral,
)
from patients.models.patients import (
    Patient,
    PatientAddress,
    PatientContactPoint,
    PatientIdentifier,
    PatientName,
)
from patients.models.refills import RefillRequest
from patients.models.results import (
    ImagingReport,
    LabReport,
    Observation,
)
from patients.models.stream_keys import StreamKey
from patients.models.work import Communication, Reviewable, WorkItem
from patients.models.work_keys import WorkKey
from patients.revenue.claim_states import ClaimState

__all__ = [
    "AccessRequest",
    "Addendum",
    "AdministrativeDocument",
    "AllergyIntolerance",
    "Appointment",
    "CareTeamMembership",
    "ChartChange",
    "ChartEntry",
    "Claim",
    "ClaimDiagnosis",
    "ClaimKey",
    "ClaimLine",
    "ClaimPosting",
    "ClaimSnooze",
    "ClaimState",
    "ClaimStateChange",
    "ClinicalDocument",
    "ClinicalRow",
    "ClosedMeanwhile",
    "Command",
    "Communication",
    "Condition",
    "Consent",
    "ConsentCoding",
    "Coverage",
    "Diagnosis",
    "EligibilityCheck",
    "ImagingOrder",
    "ImagingReport",
    "Immunization",
    "IncomingFile",
    "Joining",
    "Instruction",
    "LabOrder",
    "LabReport",
    "LockedMember",
    "Medication",
    "Note",
    "NoteClosed",
    "NoteReview",
    "NoteStateChange",
    "NoteTask",
    "Observation",
    "Patient",
    "PatientAddress",
    "PatientContact",
    "PatientContactPoint",
    "PatientGroup",
    "PatientGroupAccess",
    "PatientGroupExclusion",
    "PatientGroupMember",
    "PatientIdentifier",
    "PatientName",
    "Plan",
    "Prescription",
    "Priority",
    "ReasonForVisit",
    "Referral",
    "RefillRequest",
    "Reviewable",
    "StreamKey",
    "VitalSigns",
    "WorkItem",
    "WorkKey",
]
