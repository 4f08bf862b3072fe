"""Booking, changing and cancelling: who may, what is refused, what is written down."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_staff
from patients import booking
from patients.models import Appointment, CareTeamMembership
from patients.tests.appointments import START, appoint, filled_in, furnish_schedule
from staffing.models import CareTeamRole, Location, Staff

TAKEN = "This appointment time is no longer available."


@pytest.fixture
def clinic(cast):
    furnish_schedule(cast)
    give(cast.olga, "Patients: North")
    return cast


def book(client, clinic, patient=None, **fields):
    address = f"/patient/{(patient or clinic.ada).key}/appointments/new/"
    page = client.get(address).content.decode()
    return client.post(address, filled_in(clinic, page, **fields))


def change(client, clinic, row, **fields):
    address = f"/patient/{row.patient.key}/appointments/{row.key}/change/"
    page = client.get(address).content.decode()
    return client.post(address, filled_in(clinic, page, **fields))


def set_status(client, row, status, **fields):
    address = f"/patient/{row.patient.key}/appointments/{row.key}/status/"
    data = {"status": status, "form_version": row.version} | fields
    return client.post(address, data)


def test_the_front_desk_books_from_the_schedule(clinic, signed_in):
    client = signed_in("olga")
    found = client.post("/schedule/new/", {"q": "alv"}).content.decode()
    address = f"/patient/{clinic.ada.key}/appointments/new/"
    assert f'href="{address}"' in found
    response = book(client, clinic)
    row = Appointment.objects.get()
    assert response["Location"].endswith(f"/appointments/{row.key}/")
    assert (row.start, row.minutes, row.reason) == (START, 30, "Headache")
    assert row.status == "proposed"
    act = AuditRow.objects.get(action="appointment.book", patient=clinic.ada.key)
    assert (act.actor, act.access_path) == (clinic.olga.user.key, "patient-group")


def test_the_place_of_whoever_books_is_chosen_beforehand(clinic, signed_in):
    place = Location.objects.create(name="West office")
    Staff.objects.filter(pk=clinic.olga.pk).update(primary_location=place)
    address = f"/patient/{clinic.ada.key}/appointments/new/"
    page = signed_in("olga").get(address).content.decode()
    assert f'<option value="{place.key}" selected>West office</option>' in page


def test_booking_finds_within_reach_alone(clinic, signed_in):
    page = signed_in("olga").post("/schedule/new/", {"q": "brandt"}).content.decode()
    assert clinic.ben.key not in page
    assert "No patient within your reach" in page


@pytest.mark.parametrize(
    ("groups", "books", "moves", "sets"),
    [
        (("Schedule write",), True, True, True),
        (("Clinical write",), False, False, True),
        (("Clinical read",), False, False, False),
        (("Profile write",), False, False, False),
        ((), False, False, False),
    ],
)
@pytest.mark.parametrize("reached", [True, False])
def test_who_may_do_what(clinic, client, groups, books, moves, sets, reached):
    staff = make_staff("pat", *groups, *(["Patients: North"] if reached else []))
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    row = appoint(clinic, clinic.ada, start=START + timedelta(days=1))
    expected = lambda allowed: 302 if allowed and reached else 403  # noqa: E731
    assert book(client, clinic).status_code == expected(books)
    assert change(client, clinic, row, start_time="17:00").status_code == expected(
        moves
    )
    row.refresh_from_db()
    assert set_status(client, row, "arrived").status_code == expected(sets)
    assert Appointment.objects.count() == 1 + (books and reached)
    row.refresh_from_db()
    assert (row.status == "arrived") == (sets and reached)


def test_a_provider_s_time_is_given_once(clinic, signed_in):
    client = signed_in("olga")
    book(client, clinic)
    for at in ("14:45", "15:00", "15:29"):
        response = book(client, clinic, start_time=at)
        assert TAKEN in response.content.decode()
    assert Appointment.objects.count() == 1
    assert book(client, clinic, start_time="15:30").status_code == 302
    assert book(client, clinic, start_time="14:30").status_code == 302


def test_a_cancelled_appointment_frees_its_time_for_good(clinic, signed_in):
    client = signed_in("olga")
    row = appoint(clinic, clinic.ada)
    set_status(client, row, "cancelled")
    assert book(client, clinic).status_code == 302
    row.refresh_from_db()
    assert set_status(client, row, "booked").status_code == 409
    assert "Book a new one" in change(client, clinic, row).content.decode()
    row.refresh_from_db()
    assert row.status == "cancelled"


def test_who_did_not_come_cannot_come_back_into_a_time_that_is_taken(clinic, signed_in):
    client = signed_in("olga")
    row = appoint(clinic, clinic.ada, status="noshow")
    book(client, clinic)
    response = set_status(client, row, "arrived")
    assert response.status_code == 409
    assert TAKEN in response.content.decode()


def test_the_time_is_that_of_the_place(clinic, signed_in):
    book(signed_in("olga"), clinic, location=clinic.coast.key, start_time="10:00")
    assert Appointment.objects.get().start == START


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"start_time": ""}, "This field is required"),
        ({"start_date": "2030-02-30"}, "Enter a valid date"),
        ({"start_date": "2020-01-02"}, "This time is over"),
        ({"start_date": "0001-01-01"}, "impossible"),
        ({"start_date": "9999-12-31"}, "impossible"),
        ({"minutes": "0"}, "greater than or equal to 1"),
        ({"minutes": "100000"}, "less than or equal to"),
        ({"provider": "0" * 32}, "valid choice"),
        ({"provider": "\x00"}, ""),
        ({"location": "x" * 5000}, "valid choice"),
        ({"reason": "x" * 256}, "at most 255"),
        ({"reason": "a\u202eb"}, "cannot be saved"),
        ({"form_token": ""}, "damaged"),
        ({"form_token": "x"}, "damaged"),
    ],
)
def test_bad_input_says_what_is_wrong_and_saves_nothing(
    clinic, signed_in, fields, said
):
    response = book(signed_in("olga"), clinic, **fields)
    assert response.status_code == 200
    assert said in response.content.decode()
    assert not Appointment.objects.exists()


def test_an_hour_that_clocks_leave_out_is_refused(clinic, signed_in):
    response = book(
        signed_in("olga"),
        clinic,
        location=clinic.coast.key,
        start_date="2030-03-10",
        start_time="02:30",
    )
    assert "no such time" in response.content.decode()


@pytest.mark.parametrize("who", ["nil", "ruth", "max", "olga"])
def test_only_clinical_staff_can_be_booked(clinic, signed_in, who):
    response = book(signed_in("olga"), clinic, provider=getattr(clinic, who).key)
    assert "valid choice" in response.content.decode()


def test_the_care_team_is_offered_first(clinic, signed_in):
    role = CareTeamRole.objects.create(code="c", display="Coach")
    CareTeamMembership.objects.create(patient=clinic.ada, staff=clinic.sam, role=role)
    page = signed_in("olga").get(f"/patient/{clinic.ada.key}/appointments/new/")
    html = page.content.decode()
    assert html.index("Care team") < html.index("Sam Example MD") < html.index("Others")
    assert html.index("Others") < html.index("Nora Example RN")


def test_sending_a_form_twice_books_once(clinic, signed_in):
    client = signed_in("olga")
    address = f"/patient/{clinic.ada.key}/appointments/new/"
    data = filled_in(clinic, client.get(address).content.decode())
    first, second = client.post(address, data), client.post(address, data)
    assert first["Location"] == second["Location"]
    assert Appointment.objects.count() == 1


def test_a_change_by_another_is_not_overwritten(clinic, signed_in):
    client, row = signed_in("olga"), appoint(clinic, clinic.ada)
    address = f"/patient/{clinic.ada.key}/appointments/{row.key}/change/"
    data = filled_in(clinic, client.get(address).content.decode(), start_time="16:00")
    row.minutes = 45
    row.save()
    assert "Somebody saved this" in client.post(address, data).content.decode()
    response = set_status(client, row, "arrived", form_version=0)
    assert response.status_code == 409
    row.refresh_from_db()
    assert (row.start, row.status) == (START, "proposed")


@pytest.mark.parametrize("page", ["", "change/", "status/"])
def test_another_patient_s_appointment_is_no_appointment_here(clinic, signed_in, page):
    foreign, client = appoint(clinic, clinic.ben), signed_in("olga")
    got = []
    for key in (foreign.key, "0" * 32, "x"):
        address = f"/patient/{clinic.ada.key}/appointments/{key}/{page}"
        data = {"status": "arrived", "form_version": "1"}
        response = client.post(address, data) if page else client.get(address)
        got.append((response.status_code, response.content.count(b"permission")))
    assert got[0] == got[1] == got[2]
    assert got[0][0] == 403
    foreign.refresh_from_db()
    assert foreign.status == "proposed"


def test_without_clinical_read_the_reason_is_neither_shown_nor_lost(clinic, signed_in):
    client, row = signed_in("olga"), appoint(clinic, clinic.ada, reason="Very private")
    base = f"/patient/{clinic.ada.key}/appointments/"
    for address in (base, f"{base}{row.key}/", f"{base}{row.key}/change/"):
        assert "Very private" not in client.get(address).content.decode()
    assert change(client, clinic, row, start_time="16:00").status_code == 302
    row.refresh_from_db()
    assert row.reason == "Very private"
    assert "Very private" in signed_in("nora").get(base).content.decode()


@pytest.mark.parametrize("status", ["", "entered-in-error", "nonsense", "\x00"])
def test_only_a_status_that_people_give_is_taken(clinic, signed_in, status):
    row = appoint(clinic, clinic.ada)
    assert set_status(signed_in("olga"), row, status).status_code == 400
    row.refresh_from_db()
    assert row.status == "proposed"


@pytest.mark.django_db(transaction=True)
def test_two_who_book_the_same_time_at_once_get_it_once(clinic, signed_in):
    pages = {}
    for name in ("olga", "nora"):
        give(getattr(clinic, name), "Schedule write")
        client = signed_in(name)
        address = f"/patient/{clinic.ada.key}/appointments/new/"
        pages[name] = (client, filled_in(clinic, client.get(address).content.decode()))
    started, answers = threading.Barrier(2), []

    def go(client, data):
        started.wait()
        answers.append(client.post(address, data).status_code)
        connection.close()

    threads = [threading.Thread(target=go, args=each) for each in pages.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 302]
    assert Appointment.objects.count() == 1


def test_reach_that_ends_meanwhile_books_nothing(clinic, signed_in, monkeypatch):
    client = signed_in("olga")
    held = booking._hold

    def hold(*arguments):
        held(*arguments)
        clinic.north.remove(clinic.ada)

    monkeypatch.setattr(booking, "_hold", hold)
    assert book(client, clinic).status_code == 403
    assert not Appointment.objects.exists()
