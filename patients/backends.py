"""has_perm("patients.access_patient", patient), answered by the one access rule."""

from typing import Any

from django.contrib.auth.backends import BaseBackend

from patients import access
from patients.models import Patient


class PatientBackend(BaseBackend):
    """Answers for one patient and one permission name; signs nobody in."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if perm != "patients.access_patient" or not isinstance(obj, Patient):
            return False
        return bool(access.opened(user_obj, [obj.pk]))
