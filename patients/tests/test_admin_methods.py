"""Pages of the administration take the methods that they name, and no others."""

import pytest
from django.urls import reverse

from canvas_admin.testing import give
from patients.models import AccessRequest

OTHERS = ("put", "patch", "delete")
PAGES = (
    "admin:patients_patientgroup_unreachable",
    "admin:patients_patientgroup_numbers",
    "admin:patients_patientgroup_stranded",
    "admin:patients_patientgroup_unassigned",
    "admin:patients_patientgroup_hand_over",
    "audit-report",
    "audit-file",
)


@pytest.fixture
def ruth(cast, signed_in):
    give(cast.ruth, "Audit read")
    return signed_in("ruth")


@pytest.fixture
def asked(cast):
    return AccessRequest.objects.create(
        staff=cast.nora, patient=cast.ben, reason="Covers South."
    )


@pytest.mark.parametrize("method", OTHERS)
@pytest.mark.parametrize("page", PAGES)
def test_no_other_method_is_taken(ruth, page, method):
    assert getattr(ruth, method)(reverse(page)).status_code == 405


@pytest.mark.parametrize("method", OTHERS)
def test_a_request_is_decided_by_post(ruth, asked, method):
    page = reverse("admin:patients_accessrequest_change", args=[asked.key])
    assert getattr(ruth, method)(page).status_code == 405


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("page", ["add", "delete"])
def test_a_request_is_neither_made_nor_deleted_there(ruth, asked, page, method):
    arguments = [asked.key] if page == "delete" else []
    address = reverse(f"admin:patients_accessrequest_{page}", args=arguments)
    answer = getattr(ruth, method)(address, {"post": "yes"})
    assert answer.status_code in (403, 404)
    assert AccessRequest.objects.get() == asked
