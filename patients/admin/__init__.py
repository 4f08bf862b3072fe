"""The administration of patients: groups and requests for access, nothing of a chart."""

from patients.admin.access_requests import AccessRequestAdmin
from patients.admin.groups import PatientGroupAdmin

__all__ = ["AccessRequestAdmin", "PatientGroupAdmin"]
