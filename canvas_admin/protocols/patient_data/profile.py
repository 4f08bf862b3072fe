"""What the profile tells: the patient, consents, groups (facts 7.2)."""

from collections.abc import Callable
from typing import Any

from django.conf import settings

from canvas_admin.protocols.patient_data.shapes import Json, day, full_name, instant
from patients.access import Reach
from patients.api.group import readable
from patients.models import (
    CareTeamMembership,
    Consent,
    Coverage,
    Patient,
    PatientAddress,
    PatientContact,
    PatientContactPoint,
    PatientGroupMember,
    PatientIdentifier,
)

COUNTS = {"entered_in_error": False}


def named(patient: Patient) -> Json:
    """The least that the kit knows a patient by."""
    return {"id": patient.pk, "key": patient.key}


def demographics(patient: Patient, reach: Reach) -> Json:
    """The patient, with what belongs to the profile and was not entered in error."""
    team = _care_team(patient, reach)
    lead = next((one for one in team if one.lead), None)
    return named(patient) | {
        "created": instant(patient.created),
        "firstName": patient.first_name,
        "middleName": patient.middle_name,
        "lastName": patient.last_name,
        "birthDate": day(patient.birth_date),
        "sexAtBirth": patient.sex_at_birth,
        "sexualOrientationCode": "",
        "genderIdentityCode": "",
        "biologicalRaceCode": "",
        "culturalEthnicityCode": "",
        "active": patient.active,
        "deceased": patient.deceased,
        "deceasedDatetime": instant(patient.deceased_at),
        "age": str(patient.age),
        "timezone": settings.TIME_ZONE,
        "language": "",
        "pcp": full_name(lead and lead.staff),
        "coverages": _each(Coverage, patient, reach, _coverage),
        "telecom": _each(PatientContactPoint, patient, reach, _telecom),
        "addresses": _each(PatientAddress, patient, reach, _address),
        "contacts": _each(PatientContact, patient, reach, _contact),
        "externalIdentifiers": _each(PatientIdentifier, patient, reach, _identifier),
        "careTeamMemberships": [_membership(one) for one in team],
    }


def _each(
    model: Any, patient: Patient, reach: Reach, told: Callable[[Any], Json]
) -> list[Json]:
    rows = model.objects.about(patient, reach).filter(**COUNTS)
    return [told(row) for row in rows.order_by("pk")]


def _coverage(row: Coverage) -> Json:
    return {
        "id": row.pk,
        "idNumber": row.member_id,
        "transactorName": row.payer_name,
        "transactorType": row.type,
        "isActive": row.active,
    }


def _telecom(row: PatientContactPoint) -> Json:
    return {
        "system": row.system,
        "primary": row.rank == 1,
        "value": row.value,
        "use": row.use,
        "rank": row.rank,
        "state": "active",
        "externallyExposableId": row.key,
    }


def _address(row: PatientAddress) -> Json:
    return {
        "use": row.use,
        "type": "both",
        "text": row.text,
        "period": {"start": day(row.start), "end": day(row.end)},
        "line": [row.lines] if row.lines else [],
        "country": row.country,
        "city": row.city,
        "district": "",
        "stateCode": row.state,
        "postalCode": row.postal_code,
        "state": "active",
        "externallyExposableId": row.key,
    }


def _contact(row: PatientContact) -> Json:
    emergency = {"category": "EMC", "categoryDisplay": "Emergency contact"}
    return {
        "id": row.pk,
        "name": row.name,
        "relationship": row.relationship,
        "phoneNumber": row.phone,
        "email": row.email,
        "emergencyContact": row.emergency_contact,
        "authorizedForReleaseOfInformation": False,
        "categories": [emergency] if row.emergency_contact else [],
    }


def _identifier(row: PatientIdentifier) -> Json:
    """A number; of a social security number no more than the pages show."""
    return {"system": row.system, "value": row.shown_value}


def _care_team(patient: Patient, reach: Reach) -> list[CareTeamMembership]:
    rows = CareTeamMembership.objects.about(patient, reach).select_related("staff")
    return list(rows.filter(status=CareTeamMembership.Status.ACTIVE).order_by("pk"))


def _membership(row: CareTeamMembership) -> Json:
    staff = {"key": row.staff.key, "firstName": row.staff.first_name}
    return {
        "staff": staff | {"lastName": row.staff.last_name},
        "role": {
            "system": row.role_system,
            "code": row.role_code,
            "display": row.role_display,
        },
        "lead": row.lead,
    }


def consents(patient: Patient, reach: Reach) -> list[Json]:
    """One record for each coding, as the profile shows them."""
    rows = Consent.objects.about(patient, reach).filter(**COUNTS)
    rows = rows.select_related("coding", "form").order_by("pk")
    return [
        {
            "id": row.pk,
            "category": {
                "id": row.coding.pk,
                "system": row.coding.system,
                "version": row.coding.system_version,
                "code": row.coding.code,
                "display": row.coding.display,
                "userSelected": True,
                "expirationRule": row.coding.expiration_rule,
                "isMandatory": row.coding.mandatory,
                "isProofRequired": row.coding.proof_required,
            },
            "rejectionReason": None,
            "originator": "",
            "externallyExposableId": row.key,
            "created": instant(row.modified),
            "modified": instant(row.modified),
            "state": row.state,
            "effectiveDate": day(row.effective_date),
            "expiredDate": day(row.expired_date),
            "documents": [row.form_id] if row.kept_form else [],
        }
        for row in rows
    ]


def groups(patient: Patient, reach: Reach, account: Any) -> list[Json]:
    """The patient groups that the patient is in now, of those that the account may read."""
    rows = PatientGroupMember.objects.in_force(
        member=patient, patient_group__in=readable(account, reach)
    ).select_related("patient_group")
    return [
        {
            "id": row.patient_group.pk,
            "externallyExposableId": str(row.patient_group.externally_exposable_id),
            "name": row.patient_group.name,
        }
        for row in rows.order_by("patient_group__name", "pk")
    ]
