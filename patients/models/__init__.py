"""The names that other rooms may import."""

from patients.models.care_team import CareTeamMembership
from patients.models.clinical import Condition
from patients.models.groups import (
    PatientGroup,
    PatientGroupAccess,
    PatientGroupExclusion,
    PatientGroupMember,
)
from patients.models.patients import (
    Patient,
    PatientAddress,
    PatientContactPoint,
    PatientIdentifier,
    PatientName,
)
from patients.models.stream_keys import StreamKey

__all__ = [
    "CareTeamMembership",
    "Condition",
    "Patient",
    "PatientAddress",
    "PatientContactPoint",
    "PatientGroup",
    "PatientGroupAccess",
    "PatientGroupExclusion",
    "PatientGroupMember",
    "PatientIdentifier",
    "PatientName",
    "StreamKey",
]
