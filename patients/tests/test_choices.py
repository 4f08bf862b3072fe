"""What a form offers can be chosen, and nothing else, whatever is posted."""

import pytest

from canvas_admin.testing import give, make_application
from patients.models import Appointment, Claim, IncomingFile
from patients.tests.appointments import filled_in, furnish_schedule
from patients.tests.claims import REVENUE, base
from patients.tests.inbox import HOLDER, upload
from staffing.models import Location, Staff, VisitType
from staffing.tests.pages import submit

NO_CHOICE = "not one of the available choices"


@pytest.fixture
def clinic(cast):
    """Of each kind one that was given up: olga, a place, a type of visit."""
    furnish_schedule(cast)
    give(cast.nora, REVENUE, "Schedule write")
    cast.closed = Location.objects.create(name="Old office", active=False)
    cast.given_up = VisitType.objects.create(name="Old", code="1", active=False)
    return cast


def errors_of(response):
    assert response.status_code == 200
    return response.context["form"].errors


@pytest.mark.parametrize(
    ("field", "chosen"), [("provider", "olga"), ("location", "closed")]
)
def test_a_claim_is_of_a_provider_at_a_place_in_use(clinic, signed_in, field, chosen):
    response = submit(
        signed_in("nora"),
        base(clinic.ada) + "new/",
        "claim_form",
        **{"service_date": "2026-03-04", field: getattr(clinic, chosen).key},
    )
    assert NO_CHOICE in str(errors_of(response)[field])
    assert not Claim.objects.exists()


@pytest.mark.parametrize(
    ("field", "chosen"),
    [("provider", "olga"), ("location", "closed"), ("visit_type", "given_up")],
)
def test_a_visit_is_of_what_is_in_use(clinic, signed_in, field, chosen):
    client = signed_in("nora")
    address = f"/patient/{clinic.ada.key}/appointments/new/"
    page = client.get(address).content.decode()
    data = filled_in(clinic, page, **{field: getattr(clinic, chosen).key})
    assert NO_CHOICE in str(errors_of(client.post(address, data))[field])
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("who", ["inactive", "program", "directory"])
def test_a_file_is_for_somebody_who_can_open_it(clinic, signed_in, who):
    give(clinic.nora, *HOLDER)
    chosen = {
        "inactive": lambda: clinic.ines,
        "program": lambda: make_application("Lab feed").staff,
        "directory": lambda: Staff.objects.create(first_name="Dee", last_name="Dir"),
    }[who]()
    response = upload(signed_in("nora"), b"%PDF-1.4 a %%EOF", assignee=chosen.key)
    assert NO_CHOICE in str(errors_of(response)["assignee"])
    assert not IncomingFile.objects.exists()


def test_whoever_is_offered_can_be_chosen(clinic, signed_in):
    """So that what is refused above is refused for what it says."""
    client = signed_in("nora")
    give(clinic.nora, *HOLDER)
    assert (
        upload(client, b"%PDF-1.4 a %%EOF", assignee=clinic.sam.key).status_code == 302
    )
    address = f"/patient/{clinic.ada.key}/appointments/new/"
    data = filled_in(clinic, client.get(address).content.decode())
    assert client.post(address, data).status_code == 302
