"""Notes over HTTP: begun, read, signed, amended, entered in error, by whom and by whom not."""

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_staff
from patients.models import Note, Plan, ReasonForVisit, VitalSigns
from patients.tests.appointments import appoint, furnish_schedule
from patients.tests.note_pages import FORM, at, of, opened, post
from patients.tests.notes import CONTENT, note_of, signed_note, write
from patients.views.notes import PAGE
from staffing.tests.pages import fields_of

READ, WRITE = "Clinical read", "Clinical write"


@pytest.fixture
def clinic(cast):
    furnish_schedule(cast)
    return cast


def reader(cast, client, *groups):
    staff = make_staff("pat", *groups, "Patients: North")
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    return client


def problems(response):
    assert response.status_code == 200
    errors = response.context["form"].errors.values()
    return " ".join(str(each) for listed in errors for each in listed)


def test_a_note_is_begun_from_the_chart_and_signed(clinic, signed_in):
    client = signed_in("nora")
    chart = client.get(f"/patient/{clinic.ada.key}/").content.decode()
    assert at(clinic.ada, "new") in chart
    values = {
        "visit_type": clinic.check_up.key,
        "provider": clinic.nora.key,
        "location": clinic.main.key,
    }
    answer = post(client, at(clinic.ada, "new"), **values, title="Headaches")
    note = Note.objects.get()
    assert answer["Location"] == at(clinic.ada, note.key)
    assert (note.originator, note.provider, note.open) == (
        clinic.nora,
        clinic.nora,
        True,
    )
    sign = at(clinic.ada, note.key, "sign")
    asked = client.get(sign).content.decode()
    assert "Nothing is written in this note" in asked
    assert ">Sign</button>" not in asked
    assert "Nothing is written in this note" in problems(post(client, sign))
    assert not AuditRow.objects.filter(action="note.signed").exists()
    post(client, at(clinic.ada, note.key, "commands", "plan"), narrative="Rest\nDrink")
    page = client.get(at(clinic.ada, note.key)).content.decode()
    assert "Rest<br>Drink" in page
    assert "Still staged" in client.get(sign).content.decode()
    assert "still staged" in problems(post(client, sign))
    plan = Plan.objects.get()
    post(client, of(plan, "plan", "commit"))
    assert post(client, sign)["Location"] == at(clinic.ada, note.key)
    note.refresh_from_db()
    assert (note.signed_by, note.locked) == (clinic.nora, True)
    chart = client.get(f"/patient/{clinic.ada.key}/").content.decode()
    assert "Headaches" in chart


def test_a_note_is_begun_once_from_an_appointment_with_its_reason(clinic, signed_in):
    visit = appoint(clinic, clinic.ada, reason="Headache")
    page = f"/patient/{clinic.ada.key}/appointments/{visit.key}/"
    client = signed_in("nora")
    assert f"{page}note/" in client.get(page).content.decode()
    answers = [client.post(f"{page}note/")["Location"] for _time in range(2)]
    note = Note.objects.get()
    assert answers == [at(clinic.ada, note.key)] * 2
    assert (note.appointment, note.provider, note.started) == (
        visit,
        visit.provider,
        visit.start,
    )
    reason = ReasonForVisit.objects.get(note=note)
    assert (reason.comment, reason.staged) == ("Headache", True)
    assert at(clinic.ada, note.key) in client.get(page).content.decode()
    visit.notes.get().enter_in_error("wrong", clinic.nora.user)
    visit.status = "cancelled"
    visit.save()
    assert client.post(f"{page}note/")["Location"] == page
    assert Note.objects.count() == 1


def test_signing_ends_the_visit_unless_nobody_came(clinic, signed_in):
    client, ended = signed_in("nora"), []
    for before, after in {
        "proposed": "fulfilled",
        "checked-in": "fulfilled",
        "fulfilled": "fulfilled",
        "noshow": "noshow",
        "cancelled": "cancelled",
    }.items():
        visit = appoint(clinic, clinic.ada, status=before)
        note = note_of(clinic.ada, clinic.nora, appointment=visit)
        write(note, Plan).commit(clinic.nora.user)
        sign = at(clinic.ada, note.key, "sign")
        said = "sets the appointment to" in client.get(sign).content.decode()
        version, ends = visit.version, before != after
        assert post(client, sign)["Location"] == at(clinic.ada, note.key)
        visit.refresh_from_db()
        assert (visit.status, said, visit.version) == (after, ends, version + ends)
        ended += [f"appointment/{visit.key}"] if ends else []
    rows = AuditRow.objects.filter(action="appointment.status", patient="")
    assert [row.subject for row in rows] == ended
    assert {row.detail["status"] for row in rows} == {"fulfilled"}


def test_a_note_that_is_not_signed_leaves_the_appointment(clinic, signed_in):
    visit = appoint(clinic, clinic.ada)
    note = note_of(clinic.ada, clinic.nora, appointment=visit)
    write(note, Plan)
    assert "still staged" in problems(
        post(signed_in("nora"), at(clinic.ada, note.key, "sign"))
    )
    visit.refresh_from_db()
    assert visit.status == "proposed"


def test_a_signed_note_is_immutable_over_http(clinic, signed_in):
    note = signed_note(clinic.ada, clinic.nora, *CONTENT)
    plan, client = Plan.objects.get(note=note), signed_in("nora")
    open_note = note_of(clinic.ada, clinic.nora)
    values = opened(client, at(clinic.ada, open_note.key, "change"))
    for url in (
        at(clinic.ada, note.key, "change"),
        at(clinic.ada, note.key, "sign"),
        at(clinic.ada, note.key, "commands", "plan"),
        of(plan, "plan"),
        of(plan, "plan", "commit"),
        of(plan, "plan", "remove"),
        of(plan, "plan", "error"),
    ):
        answer = client.post(url, values | {"error_reason": "x", "narrative": "y"})
        assert answer.status_code == 409, url
        assert "This note is signed" in answer.content.decode()
    assert Note.objects.get(pk=note.pk).version == note.version
    assert Plan.objects.get(pk=plan.pk).version == plan.version
    page = client.get(at(clinic.ada, note.key)).content.decode()
    assert "Add to this note" not in page
    assert at(clinic.ada, note.key, "addendum") in page


def test_addenda_are_added_to_signed_notes(clinic, signed_in):
    note, client = signed_note(clinic.ada, clinic.nora), signed_in("nora")
    address = at(clinic.ada, note.key, "addendum")
    values = opened(client, address) | {"text": "The dose was 20 mg."}
    for _time in range(2):
        assert client.post(address, values).status_code == 302
    assert note.addenda.count() == 1
    page = client.get(at(clinic.ada, note.key)).content.decode()
    assert "The dose was 20 mg." in page
    answer = client.post(address, values | {"text": "It was 25 mg."})
    assert "What it says now is not saved" in problems(answer)
    assert "It was 25 mg." in answer.content.decode()
    assert note.addenda.count() == 1
    client.post(address, fields_of(answer, FORM))
    assert note.addenda.count() == 2
    assert "required" in problems(post(client, address, text=" "))


def test_a_note_in_error_is_for_writers_alone(clinic, signed_in, client):
    note = signed_note(clinic.ada, clinic.nora, VitalSigns)
    nora = signed_in("nora")
    address = at(clinic.ada, note.key, "in-error")
    assert "required" in problems(post(nora, address, error_reason=""))
    assert post(nora, address, error_reason="other Ada").status_code == 302
    assert "other Ada" in nora.get(at(clinic.ada, note.key)).content.decode()
    wrong = nora.get(f"{at(clinic.ada)}?show=in-error").content.decode()
    assert note.key in wrong
    assert note.key not in nora.get(at(clinic.ada)).content.decode()
    pat = reader(clinic, client, READ)
    assert pat.get(at(clinic.ada, note.key)).status_code == 403
    assert note.key not in pat.get(f"{at(clinic.ada)}?show=in-error").content.decode()


WRITING = (
    ("new",),
    ("{note}", "change"),
    ("{note}", "sign"),
    ("{note}", "in-error"),
    ("{note}", "addendum"),
    ("{note}", "commands", "plan"),
    ("{note}", "commands", "plan", "{plan}"),
    ("{note}", "commands", "plan", "{plan}", "commit"),
)


@pytest.mark.parametrize(
    ("groups", "reads"),
    [((READ,), True), ((WRITE,), False), (("Profile read", "Profile write"), False)],
)
def test_who_does_not_write_reads_all_of_it_or_nothing(clinic, client, groups, reads):
    note = note_of(clinic.ada, clinic.nora)
    plan = write(note, Plan)
    visit = appoint(clinic, clinic.ada)
    pat = reader(clinic, client, *groups)
    visit = f"/patient/{clinic.ada.key}/appointments/{visit.key}/"
    pages = [f"/patient/{clinic.ada.key}/", at(clinic.ada), at(clinic.ada, note.key)]
    for page in pages:
        assert pat.get(page).status_code == (200 if reads else 403), page
    if reads:
        assert "Rest for a week" in pat.get(at(clinic.ada, note.key)).content.decode()
        for page in (*pages, visit):
            main = pat.get(page).content.decode().partition("<main")[2]
            assert "<form" not in main
            for word in ("New note", "Add", "Edit", "Sign<", "Enter", "Start note"):
                assert word not in main, (page, word)
    for parts in WRITING:
        url = at(clinic.ada, *(p.format(note=note.key, plan=plan.key) for p in parts))
        assert pat.get(url).status_code == 403, url
        assert pat.post(url, {"narrative": "x"}).status_code == 403, url
    assert pat.post(f"{visit}note/").status_code == 403
    assert Note.objects.get().version == note.version
    assert Plan.objects.get().version == plan.version


def test_a_foreign_note_is_no_note_here(clinic, signed_in):
    foreign = note_of(clinic.ben, clinic.sam)
    theirs = write(foreign, Plan)
    own, other = note_of(clinic.ada, clinic.nora), note_of(clinic.ada, clinic.nora)
    client = signed_in("nora")
    elsewhere = write(other, Plan)
    for parts in (p for p in WRITING[1:] if "{plan}" not in p):
        got = []
        for key in (foreign.key, "0" * 32, "x"):
            url = at(clinic.ada, *(p.format(note=key) for p in parts))
            got += [client.get(url), client.post(url, {"narrative": "x"})]
        assert {each.status_code for each in got} == {403}
    for key in (theirs.key, elsewhere.key, "0" * 32, "x"):
        for act in ((), ("commit",), ("remove",)):
            url = at(clinic.ada, own.key, "commands", "plan", key, *act)
            assert client.post(url, {"narrative": "x"}).status_code == 403
    assert (
        client.get(at(clinic.ada, own.key, "commands", "nonsense")).status_code == 404
    )
    assert {plan.narrative for plan in Plan.objects.all()} == {"Rest for a week"}
    assert {plan.state for plan in Plan.objects.all()} == {"staged"}


def test_two_people_write_into_one_note(clinic, signed_in):
    give(clinic.sam, "Patients: North")
    nora, sam = signed_in("nora"), signed_in("sam")
    note = note_of(clinic.ada, clinic.nora)
    plan = write(note, Plan)
    edit, commit = of(plan, "plan"), of(plan, "plan", "commit")
    theirs = opened(sam, edit) | {"narrative": "Sam's plan"}
    old = opened(sam, commit)
    assert post(nora, edit, narrative="Nora's plan").status_code == 302
    answer = sam.post(edit, theirs)
    assert "Somebody saved this" in problems(answer)
    assert "Nora&#x27;s plan" in answer.content.decode()
    assert "Somebody saved this" in problems(sam.post(commit, old))
    plan.refresh_from_db()
    assert (plan.narrative, plan.staged) == ("Nora's plan", True)
    post(nora, commit)
    sign = at(clinic.ada, note.key, "sign")
    read = opened(nora, sign)
    other = write(note, Plan)
    other.commit(clinic.sam.user)
    assert "changed meanwhile" in problems(nora.post(sign, read))
    assert Note.objects.get().open
    assert sam.post(edit, theirs).status_code == 409


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"title": "a\u202eb"}, "cannot be saved"),
        ({"title": "x" * 201}, "at most 200"),
        ({"provider": "x"}, "valid choice"),
        ({"start_date": "2200-01-01"}, "more than a day ahead"),
        ({"start_date": "2026-02-30"}, "valid date"),
        ({"start_time": ""}, "required"),
        ({"form_token": ""}, "damaged"),
    ],
)
def test_bad_heads_of_notes_are_refused(clinic, signed_in, values, said):
    given = {"visit_type": clinic.check_up.key, "location": clinic.main.key}
    given |= {"provider": clinic.nora.key}
    answer = post(signed_in("nora"), at(clinic.ada, "new"), **given | values)
    assert said in problems(answer)
    assert not Note.objects.exists()


def test_a_note_shows_the_same_number_of_queries_whatever_is_in_it(
    clinic, signed_in, django_assert_num_queries, django_assert_max_num_queries
):
    client, note = signed_in("nora"), note_of(clinic.ada, clinic.nora)
    page = at(clinic.ada, note.key)
    for model in CONTENT:
        write(note, model)
    client.get(page)
    with django_assert_max_num_queries(30) as few:
        client.get(page)
    number = len(few)
    for model in CONTENT:
        for _number in range(2):
            write(note, model)
    with django_assert_num_queries(number):
        assert len(client.get(page).context["commands"]) == 3 * len(CONTENT)


def test_the_list_costs_the_same_whatever_it_shows(
    clinic, signed_in, django_assert_num_queries, django_assert_max_num_queries
):
    client = signed_in("nora")
    note_of(clinic.ada, clinic.nora)
    for page in (at(clinic.ada), f"/patient/{clinic.ada.key}/"):
        client.get(page)
    with django_assert_max_num_queries(12) as few:
        client.get(at(clinic.ada))
    of_list = len(few)
    with django_assert_max_num_queries(40) as few:
        client.get(f"/patient/{clinic.ada.key}/")
    of_chart = len(few)
    for _number in range(PAGE):
        note_of(clinic.ada, clinic.nora)
    with django_assert_num_queries(of_list):
        last = client.get(at(clinic.ada)).context["next"]
    assert len(client.get(f"{at(clinic.ada)}?after={last}").context["rows"]) == 1
    with django_assert_num_queries(of_chart):
        assert len(client.get(f"/patient/{clinic.ada.key}/").context["notes"]) == 5


def test_every_act_is_on_the_trail_without_what_was_written(clinic, signed_in):
    client, note = signed_in("nora"), note_of(clinic.ada, clinic.nora)
    post(client, at(clinic.ada, note.key, "change"), title="zqx")
    post(client, at(clinic.ada, note.key, "commands", "plan"), narrative="zqx")
    plan = Plan.objects.get()
    post(client, of(plan, "plan"), narrative="zqx again")
    post(client, of(plan, "plan", "commit"))
    post(client, at(clinic.ada, note.key, "sign"))
    post(client, at(clinic.ada, note.key, "addendum"), text="zqx")
    post(client, at(clinic.ada, note.key, "in-error"), error_reason="zqx")
    rows = AuditRow.objects.filter(patient=clinic.ada.key, outcome="done")
    acts = set(rows.values_list("action", flat=True))
    assert acts - {"patient_group.member_added"} == {
        "note.changed",
        "command.staged",
        "command.changed",
        "command.commit",
        "note.signed",
        "note.addendum",
        "note.in_error",
    }
    assert "zqx" not in str(list(AuditRow.objects.values()))
    assert fields_of(client.get(at(clinic.ada, "new")), FORM)
