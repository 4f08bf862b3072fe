"""The administration of patients: groups, requests, kinds of consent; nothing of a chart."""

from patients.admin.access_requests import AccessRequestAdmin
from patients.admin.applications import Joinings
from patients.admin.consents import ConsentCodingAdmin
from patients.admin.groups import PatientGroupAdmin

__all__ = ["AccessRequestAdmin", "ConsentCodingAdmin", "Joinings", "PatientGroupAdmin"]
