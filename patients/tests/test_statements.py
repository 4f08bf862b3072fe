"""Statements in a batch: on whose paper they are, and the task that each makes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_patient
from patients.revenue import statements
from patients.tests.claims import DAY, REVENUE, a_claim, a_posting
from patients.tests.printed import reader, text_of
from staffing.models import Team, TeamContactPoint, TeamResponsibility
from tasks.models import Task

PAGE, PRINT = "/revenue/statements/", "Printing access"


@pytest.fixture
def clinic(cast):
    give(cast.nora, REVENUE, PRINT)
    give(cast.max, REVENUE, PRINT)
    return cast


def owing(patient, charge="50.00", **fields):
    return a_claim(patient, charge, state="patient-balance", **fields)


def test_who_owes_gets_a_statement_and_a_task_to_collect_it(clinic, signed_in):
    team = Team.objects.create(name="Billing")
    code = TeamResponsibility.Code.PAYMENTS
    TeamResponsibility.objects.create(team=team, code=code)
    TeamContactPoint.objects.create(team=team, system="phone", value="555-0180")
    a_posting(owing(clinic.ada), "20.00")
    owing(clinic.ada, "7.00"), owing(clinic.ben), a_claim(clinic.cyn, "5.00")
    client = signed_in("nora")
    assert "Print statements" in client.get("/revenue/").content.decode()
    text = text_of(client.post(PAGE))
    for words in ("Ada Alvarez", "Of this, you owe now $37.00", "Call 555-0180"):
        assert words in text, words
    assert "Brandt" not in text
    task = Task.objects.get()
    assert task.title.startswith("Collect payment from patient: statement of ")
    whose = (task.origin, task.team, task.assignee, task.patient, task.creator)
    assert whose == ("BAT_PTN_STA", team, None, clinic.ada, clinic.nora)
    for act in ("revenue.statements", "revenue.statements.printed"):
        row = AuditRow.objects.get(action=act, patient=clinic.ada.key)
        assert row.access_path == "patient-group"
    again = client.post(PAGE, follow=True)
    assert "is being asked already" in again.content.decode()
    task.set_status("COMPLETED", clinic.nora)
    task.save()
    assert client.post(PAGE).status_code == 200


def test_each_patient_has_pages_of_their_own_and_the_next_batch_goes_on(
    clinic, signed_in, monkeypatch
):
    monkeypatch.setattr(statements, "AT_ONCE", 2)
    for number, patient in enumerate((clinic.cyn, clinic.ben, clinic.ada)):
        owing(patient, service_date=DAY.replace(day=1 + number))
    client = signed_in("max")
    pages = [page.extract_text() for page in reader(client.post(PAGE)).pages]
    assert ["Ada Alvarez" in pages[0], "Ben Brandt" in pages[1]] == [True, True]
    assert "Alvarez" not in pages[1]
    assert "Cyn Castillo" in text_of(client.post(PAGE))
    assert Task.objects.count() == 3


def test_of_one_provider_alone(clinic, signed_in):
    owing(clinic.ada, provider=clinic.sam), owing(clinic.ben)
    text = text_of(signed_in("max").post(PAGE, {"provider": clinic.sam.key}))
    assert "Ada Alvarez" in text
    assert "Brandt" not in text


def test_reading_asks_the_same_however_many_they_are(clinic, signed_in):
    def asked():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            statements.statements_of(patients, clinic.max.user)
        return len(queries)

    owing(clinic.ada)
    patients = [clinic.ada]
    one = asked()
    for number in range(5):
        patients.append(make_patient("Pat", f"Owes{number}", DAY))
        owing(patients[-1])
    assert asked() == one


def test_it_needs_revenue_and_printing(clinic, signed_in):
    owing(clinic.ada)
    clinic.nora.revoke(clinic.nora.user.groups.get(name=PRINT))
    client = signed_in("nora")
    assert client.post(PAGE).status_code == 403
    assert "Print" not in client.get("/revenue/").content.decode()
    assert signed_in("sam").post(PAGE).status_code == 403
    assert client.get(PAGE).status_code == 405
    assert not Task.objects.exists()
