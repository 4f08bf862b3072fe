"""The administration of patients: their groups, and nothing of a chart."""

from patients.admin.groups import PatientGroupAdmin

__all__ = ["PatientGroupAdmin"]
