"""The care team as the chart and the profile show it."""

from typing import Any

from patients.models import CareTeamMembership, Patient


def care_team(account: Any, patient: Patient) -> list[CareTeamMembership]:
    """The active memberships, lead first, with staff and their roles at hand."""
    return list(
        CareTeamMembership.objects.about(patient, account)
        .filter(status=CareTeamMembership.Status.ACTIVE)
        .select_related("staff")
        .prefetch_related("staff__staff_roles__role")
    )
