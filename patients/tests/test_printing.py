"""Printing: who prints what, what is on the paper, and what is written down."""

from datetime import UTC, datetime

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_staff
from patients.models import (
    AllergyIntolerance,
    CareTeamMembership,
    ClinicalDocument,
    Condition,
    Coverage,
    Immunization,
    LabReport,
    Medication,
    Observation,
    PatientAddress,
    PatientContact,
    PatientName,
)
from patients.printing.clinical import RESULTS
from patients.tests.appointments import START, appoint, furnish_schedule
from patients.tests.charts import fill_the_chart
from patients.tests.notes import note_of
from patients.tests.printed import reader, text_of
from patients.views.results import KINDS
from staffing.models import CareTeamRole

PRINT = "Printing access"
READS = {
    "chart/": "Clinical read",
    "results/labs/": "Clinical read",
    "profile/": "Profile read",
    "appointments/": "Schedule write",
}


@pytest.fixture
def clinic(cast):
    give(cast.nora, PRINT)
    return furnish_schedule(cast)


def printed(client, patient, page):
    return client.get(f"/patient/{patient.key}/print/{page}")


def client_of(client, *groups):
    staff = make_staff("pat", *groups)
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    return client


@pytest.mark.parametrize(
    ("printing", "reading", "reached"),
    [
        (True, True, True),
        (True, False, True),
        (False, True, True),
        (True, True, False),
    ],
)
def test_printing_needs_the_page_and_printing_access(
    clinic, client, printing, reading, reached
):
    groups = {PRINT} if printing else set()
    groups |= set(READS.values()) if reading else set()
    groups |= {"Patients: North"} if reached else set()
    client_of(client, *groups)
    for page, reads in READS.items():
        # The appointments are open to any of the twelve, this group too.
        opens = printing and reached and (reading or page == "appointments/")
        response = printed(client, clinic.ada, page)
        assert response.status_code == (200 if opens else 403), (page, reads)
    assert client.get("/schedule/print/").status_code == (200 if printing else 403)


def test_out_of_reach_is_like_missing(clinic, signed_in):
    client = signed_in("nora")
    for page in READS:
        answers = [
            client.get(f"/patient/{key}/print/{page}")
            for key in (clinic.ben.key, "0" * 32, "x")
        ]
        assert {answer.status_code for answer in answers} == {403}
        assert len(answers[0].content) == len(answers[1].content)


def test_each_page_has_a_link_with_print_for_who_prints(clinic, client, signed_in):
    key = clinic.ada.key
    pages = {
        f"/patient/{key}/": "chart/",
        f"/patient/{key}/results/labs/": "results/labs/",
        f"/patient/{key}/profile/": "profile/",
        f"/patient/{key}/appointments/": "appointments/",
        "/schedule/?date=2030-01-02": "/schedule/print/?view=day&amp;date=2030-01-02",
    }
    prints, reads = signed_in("nora"), client_of(client, *READS.values())
    give(make_staff("patty"), PRINT)
    for page, target in pages.items():
        address = target if target[0] == "/" else f"/patient/{key}/print/{target}"
        assert f'href="{address}"' in prints.get(page).content.decode(), page
        assert "Print" not in reads.get(page).content.decode().partition("<h1>")[2]


def test_the_answer_says_nothing_outside_of_the_page(clinic, signed_in):
    response = printed(signed_in("nora"), clinic.ada, "chart/")
    assert response["Content-Disposition"] == 'inline; filename="chart-summary.pdf"'
    assert "no-store" in response["Cache-Control"]
    assert response["X-Content-Type-Options"] == "nosniff"
    pdf = reader(response)
    assert pdf.metadata.title == "Chart summary"
    assert pdf.root_object["/Lang"] == "en"
    assert "Alvarez" not in str(pdf.metadata)


def test_every_page_says_whom_it_is_about_and_who_printed_it(
    clinic, signed_in, settings
):
    settings.CLINIC_NAME, settings.PAPER_SIZE = "Hill clinic", "a4"
    for number in range(90):
        Condition.objects.create(
            patient=clinic.ada, display=f"Condition {number}", clinical_status="active"
        )
    pages = reader(printed(signed_in("nora"), clinic.ada, "chart/")).pages
    assert len(pages) > 2
    assert pages[0].mediabox.height > 840
    for number, page in enumerate(pages, 1):
        text = page.extract_text()
        for words in (
            "Hill clinic",
            "Chart summary",
            "Ada Alvarez",
            "2 Jan 1980",
            clinic.ada.mrn,
            "Printed by Nora Example",
            f"Page {number} of {len(pages)}",
        ):
            assert words in text, (number, words)
    # The head of the table stands again on the page where it goes on.
    assert "Condition Status Began" in pages[1].extract_text()


def test_the_chart_summary_has_what_the_chart_has(clinic, signed_in):
    fill_the_chart(clinic.ada, "1")
    fill_the_chart(clinic.ben, "2")
    Condition.objects.filter(patient=clinic.ben).update(display="Not hers")
    LabReport.objects.update(reported=datetime(2024, 5, 6, 12, tzinfo=UTC))
    Medication.objects.create(
        patient=clinic.ada, display="Aspirin", status="active", entered_in_error=True
    )
    role = CareTeamRole.objects.create(code="pcp", display="Physician")
    CareTeamMembership.objects.create(
        patient=clinic.ada, staff=clinic.sam, role=role, lead=True
    )
    text = text_of(printed(signed_in("nora"), clinic.ada, "chart/"))
    for words in (
        "Peanut Hives Active",
        "Hypertension Active not known",
        "Lisinopril Take one Active",
        "Metabolic panel (6 May 2024, Not reviewed)",
        "Glucose 7 mmol/L (High) 4 – 6",
        "Chest X-ray (Not reviewed)",
        "Pulse 60",
        "Measles vaccine Given",
        "No past condition is recorded.",
        "Physician Sam Example MD (Lead)",
    ):
        assert words in text, words
    for words in ("Aspirin", "Not hers", "Past medications"):
        assert words not in text, words


def test_each_kind_of_result_is_printed():
    assert KINDS.keys() == RESULTS.keys()


def test_the_chart_summary_lists_notes_and_documents(clinic, signed_in):
    note_of(clinic.ada, clinic.sam, title="First visit").enter_in_error(
        "twice", clinic.sam.user
    )
    note_of(clinic.ada, clinic.sam, title="Second visit", started=START)
    ClinicalDocument.objects.create(
        patient=clinic.ada, display="Discharge summary", kind="consult", text="Go home"
    )
    client = signed_in("nora")
    text = text_of(printed(client, clinic.ada, "chart/"))
    assert "Second visit 2 Jan 2030 Sam Example Open" in text
    assert "Discharge summary (Consult report) not known" in text
    for words in ("First visit", "Go home"):
        assert words not in text, words
    text = text_of(printed(client, clinic.ada, "results/clinical-documents/"))
    assert "Discharge summary (date not known, Consult report) Go home" in text


def test_an_empty_chart_says_so(clinic, signed_in):
    text = text_of(printed(signed_in("nora"), clinic.ada, "chart/"))
    for words in ("allergy", "condition", "medication", "immunization", "lab result"):
        assert f"No current {words}" in text or f"No {words}" in text, words


def test_results_of_a_kind(clinic, signed_in):
    fill_the_chart(clinic.ada, "1")
    Observation.objects.filter(display="Pulse").update(entered_in_error=True)
    client = signed_in("nora")
    assert "Glucose" in text_of(printed(client, clinic.ada, "results/labs/"))
    assert "Chest X-ray" in text_of(printed(client, clinic.ada, "results/imaging/"))
    vitals = text_of(printed(client, clinic.ada, "results/observations/"))
    assert "No observation is recorded." in vitals
    assert printed(client, clinic.ada, "results/secrets/").status_code == 404


def test_the_face_sheet_has_what_the_profile_has(clinic, signed_in):
    PatientAddress.objects.create(
        patient=clinic.ada, lines="12 Long Street", city="Springfield"
    )
    PatientContact.objects.create(
        patient=clinic.ada, name="Eva Ruiz", relationship="daughter", phone="555-0101"
    )
    PatientContact.objects.create(
        patient=clinic.ada, name="Wrong Person", entered_in_error=True
    )
    Coverage.objects.create(patient=clinic.ada, payer_name="Aetna", member_id="A1")
    text = text_of(printed(signed_in("nora"), clinic.ada, "profile/"))
    for words in (
        "12 Long Street, Springfield",
        "daughter Eva Ruiz, 555-0101",
        "Primary Aetna",
        "Member id A1",
        "Not checked yet.",
        "No consent is recorded.",
        clinic.ada.mrn,
    ):
        assert words in text, words
    for words in ("Wrong Person", "Deceased", "Inactive"):
        assert words not in text, words
    clinic.ada.active, clinic.ada.deceased = False, True
    clinic.ada.save()
    text = text_of(printed(signed_in("nora"), clinic.ada, "profile/"))
    assert f"Born 2 Jan 1980, MRN {clinic.ada.mrn}, Deceased, Inactive" in text


def test_appointments_tell_the_reason_and_number_to_who_may_read_them(
    clinic, client, signed_in
):
    appoint(clinic, clinic.ada, reason="Private cough")
    appoint(clinic, clinic.ada, status="entered-in-error", minutes=44)
    text = text_of(printed(signed_in("nora"), clinic.ada, "appointments/"))
    assert "Wed, 2 Jan 2030, 15:00 Check-up Private cough Sam Example" in text
    assert clinic.ada.mrn in text
    desk = client_of(client, PRINT, "Schedule write", "Patients: North")
    text = text_of(printed(desk, clinic.ada, "appointments/"))
    assert "Check-up" in text
    for secret in ("Private", clinic.ada.mrn):
        assert secret not in text


def test_the_schedule_prints_what_its_page_shows(clinic, signed_in):
    appoint(clinic, clinic.ada, reason="Cough")
    other = {"reason": "Very private", "location": clinic.coast}
    row = appoint(clinic, clinic.ben, provider=clinic.nora, **other)
    client = signed_in("nora")
    text = text_of(client.get("/schedule/print/?date=2030-01-02"))
    assert "15:00 – 15:30 UTC Ada Alvarez 2 Jan 1980 Cough" in text
    assert "Ben Brandt 4 Mar 1975" in text
    for secret in ("Very private", clinic.ben.mrn, clinic.ben.key, row.key):
        assert secret not in text
    assert "Provider Sam" not in text
    sam = f"/schedule/print/?date=2030-01-02&provider={clinic.sam.key}"
    assert "Schedule Provider Sam Example Wed" in text_of(client.get(sam))
    main = f"/schedule/print/?date=2030-01-02&location={clinic.main.key}"
    assert "Ben Brandt" not in text_of(client.get(main))
    assert "No appointment here" in text_of(client.get("/schedule/print/?date=x"))


def test_names_in_many_scripts(clinic, signed_in, caplog):
    names = {
        ("Thị Ngọc", "Nguyễn"): "Thị Ngọc Nguyễn",
        ("Ngo\u0323c", "Nguye\u0302\u0303n"): "Ngọc Nguyễn",
        ("Ζωή", "Жанна"): "Ζωή Жанна",
        ("小明", "王"): "XiaoMing Wang",
        ("😀\u202e\x07", "{nb}\ue000<b>"): ":grinning: {nb}□<b>",
        ("x\u0323\u0302", "y\u0335"): "x\u0323\u0302 y\u0335",
        ("שרה", "לוי"): "שרה לוי",
        ("عائشة", "أحمد"): "عائشة أحمد",
    }
    for given, family in names:
        PatientName.objects.create(
            patient=clinic.ada, use="old", given=given, family=family
        )
    clinic.ada.first_name, clinic.ada.last_name = "Жанна", "عائشة"
    clinic.ada.save()
    text = text_of(printed(signed_in("nora"), clinic.ada, "profile/"))
    for shown in (*names.values(), "Жанна عائشة"):
        assert shown in text, shown
    # What fonts lack would be told here, with the characters.
    assert not caplog.records


def test_every_print_is_audited_with_the_path(clinic, signed_in):
    appoint(clinic, clinic.ben)
    client = signed_in("nora")
    AuditRow.objects.all().delete()
    for page in READS:
        printed(client, clinic.ada, page)
    client.get("/schedule/print/?date=2030-01-02")
    seen = AuditRow.objects.exclude(patient="").order_by("pk")
    assert list(seen.values_list("action", "patient", "access_path", "outcome")) == [
        (f"patient.{act}.printed", clinic.ada.key, "patient-group", "shown")
        for act in ("chart", "labs", "profile", "appointments")
    ] + [("schedule.printed", clinic.ben.key, "", "shown")]


def test_printing_costs_the_same_whatever_it_shows(
    clinic, signed_in, django_assert_num_queries, django_assert_max_num_queries
):
    client = signed_in("nora")
    pages = [f"/patient/{clinic.ada.key}/print/{page}" for page in READS]
    pages.append("/schedule/print/?date=2030-01-02")

    def more(number):
        fill_the_chart(clinic.ada, f"{number}")
        appoint(clinic, clinic.ada, provider=make_staff(f"extra{number}"), start=START)

    more(0)
    few = []
    for page in pages:
        client.get(page)
        with django_assert_max_num_queries(25) as asked:
            client.get(page)
        few.append(len(asked))
    for number in range(1, 6):
        more(number)
    for page, number in zip(pages, few, strict=True):
        with django_assert_num_queries(number):
            client.get(page)


def test_a_long_chart_says_what_is_left_out(clinic, signed_in, monkeypatch):
    monkeypatch.setattr("patients.printing.blocks.MOST_ROWS", 20)
    monkeypatch.setattr("patients.printing.sheet.MOST_PAGES", 2)
    AllergyIntolerance.objects.bulk_create(
        AllergyIntolerance(
            patient=clinic.ada, display=f"A{n}", clinical_status="active"
        )
        for n in range(21)
    )
    Immunization.objects.create(patient=clinic.ada, display="Last", status="completed")
    Condition.objects.create(
        patient=clinic.ada, display="word " * 50, clinical_status="active"
    )
    LabReport.objects.create(
        patient=clinic.ada, display="Long", status="final", conclusion="word\n" * 200
    )
    response = printed(signed_in("nora"), clinic.ada, "chart/")
    text = text_of(response)
    assert "Only the first 20 are printed." in text
    assert len(reader(response).pages) == 2
    assert "This print ends here, after 2 pages." in text
    assert "Last" not in text
