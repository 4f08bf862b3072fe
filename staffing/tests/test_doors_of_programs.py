"""Pages about programs: the methods that they take, and what they lead to."""

import pytest

from canvas_admin.records.addresses import address
from canvas_admin.testing import give, make_staff
from staffing.models import Application
from staffing.tests.test_application_admin import made_by, secret_in

pytestmark = pytest.mark.urls("staffing.tests.programs")


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_nobody_consents_by_another_method(cast, signed_in, method):
    assert getattr(signed_in("nora"), method)("/auth/authorize/").status_code == 405


@pytest.mark.parametrize("gives_groups", [False, True])
def test_the_way_to_the_groups_is_shown_to_who_gives_them(
    cast, signed_in, gives_groups
):
    cast.ivy = make_staff("ivy", "Integrations")
    if gives_groups:
        give(cast.ivy, "Staff Permissions")
    answer = made_by(signed_in("ivy"))
    assert secret_in(answer)
    staff = Application.objects.get().staff
    way = address(staff).replace("/staff/", "/staffpermissions/")
    assert (way in answer.content.decode()) == gives_groups
