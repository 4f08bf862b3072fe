"""Tasks that acts raise: each once, in the act's transaction, for the responsible team.

By hand from S1 ("you can drive how automated tasks in Canvas are assigned") and facts 6.3
and 6.4. Delegated orders are in test_delegated.py.
"""

import pytest

from canvas_admin.audit import trail
from canvas_admin.testing import give, make_staff
from patients.models import (
    ClinicalDocument,
    Coverage,
    ImagingReport,
    LabReport,
    PatientAddress,
    Plan,
)
from patients.tests import profile_pages
from patients.tests.claims import REVENUE, a_claim, base
from patients.tests.note_pages import at, post
from patients.tests.notes import note_of, write
from patients.tests.work import make_lab
from staffing.models import Team, TeamMember, TeamResponsibility
from staffing.tests.pages import submit
from tasks.models import Task, TaskLabel, TaskLabelOrigin
from tasks.tests.asking import titles

TOLD = "Everything is as it should be."
RESULTS = "COMMUNICATE_DIAGNOSTIC_RESULTS_TO_PATIENT"


def review(client, cast, kind, row, **said):
    page = f"/patient/{cast.ada.key}/work/{kind}/{row.key}/review/"
    said = {"communication": "delegated", "message": TOLD} | said
    return client.post(page, {"form_version": row.version, **said})


def review_lab(client, cast):
    review(client, cast, "labs", make_lab(cast.ada))


def review_imaging(client, cast):
    row = {"patient": cast.ada, "status": "final", "display": "Knee X-ray"}
    review(client, cast, "imaging", ImagingReport.objects.create(**row))


def review_consult(client, cast):
    row = {"patient": cast.ada, "kind": "consult", "display": "Letter"}
    review(client, cast, "other-documents", ClinicalDocument.objects.create(**row))


def review_document(client, cast):
    row = {"patient": cast.ada, "kind": "other", "display": "Discharge"}
    review(client, cast, "other-documents", ClinicalDocument.objects.create(**row))


def order_labs(client, cast, **values):
    note = note_of(cast.ada, cast.nora)
    values = {"tests": "Lipid panel\nTSH", "lab": "Quest"} | values
    url = at(cast.ada, note.key, "commands", "lab-order")
    return post(client, url, **values, then="commit")


def settle(cast):
    """What a laboratory asks for besides the order: an address, and an insurance."""
    place = {"lines": "12 Long Street", "city": "Springfield"}
    PatientAddress.objects.get_or_create(patient=cast.ada, **place)
    Coverage.objects.get_or_create(
        patient=cast.ada, rank=3, defaults={"payer_name": "Aetna", "member_id": "A1"}
    )


def order_to_be_completed(client, cast):
    order_labs(client, cast)


def order_collected_here(client, cast):
    settle(cast)
    order_labs(client, cast, specimen="here", fasting="on")


def order_at_the_lab(client, cast):
    settle(cast)
    order_labs(client, cast, specimen="lab")


def cover(client, cast, **values):
    url = profile_pages.address(cast.ada, "coverages", "new")
    values = profile_pages.GOOD["coverages"] | values
    return submit(client, url, profile_pages.FORM, **values)


def cover_in_part(client, cast):
    cover(client, cast)


def flag_a_posting(client, cast):
    claim = a_claim(cast.ada, "50.00", state="filed", number="12345678")
    paid = {"kind": "payer", "amount": "20.00", "method": "check", "flag": TOLD}
    submit(client, base(cast.ada, claim, "postings", "new"), "claim_form", **paid)


# An act, the title of its task, the origin, the responsibility, and the first comment.
ACTS = (
    (
        review_lab,
        "Communicate lab results to patient: Blood count",
        "LAB_RES_REV",
        RESULTS,
        TOLD,
    ),
    (
        review_imaging,
        "Communicate imaging results to patient: Knee X-ray",
        "IMG_REP_REV",
        RESULTS,
        TOLD,
    ),
    (
        review_consult,
        "Communicate consult report to patient: Letter",
        "CON_REP_REV",
        RESULTS,
        TOLD,
    ),
    (
        review_document,
        "Communicate document to patient: Discharge",
        "UNC_DOC_REP_REV",
        RESULTS,
        TOLD,
    ),
    (
        order_to_be_completed,
        "Complete lab order: no address of the patient, no coverage in force",
        "CMP_LAB_ORD",
        "COMPLETE_OPEN_LAB_ORDERS",
        "",
    ),
    (
        order_collected_here,
        "Collect specimen from patient: Lipid panel, TSH (fasting)",
        "CMP_LAB_ORD",
        "COLLECT_SPECIMENS_FROM_PATIENT",
        "",
    ),
    (
        order_at_the_lab,
        "Schedule lab visit for patient: Lipid panel, TSH",
        "CMP_LAB_ORD",
        "SCHEDULE_LAB_VISITS_FOR_PATIENT",
        "",
    ),
    (
        cover_in_part,
        "Complete secondary coverage: no address of the payer, no phone of the payer",
        "INC_COV",
        "REVIEW_COVERAGES",
        "",
    ),
    (
        flag_a_posting,
        "Review posting on claim 12345678",
        "FLG_PST_REV",
        "REVIEW_ERA_POSTING_EXCEPTIONS",
        TOLD,
    ),
)


@pytest.fixture
def clinic(cast):
    give(cast.nora, "Profile write", REVENUE)
    return cast


def teams(cast):
    """A team for each responsibility, with nora and sam; sam does not reach ada."""
    found = {}
    for code in TeamResponsibility.Code.values:
        team = found[code] = Team.objects.create(name=f"Team {code}")
        TeamResponsibility.objects.create(team=team, code=code)
        for staff in (cast.nora, cast.sam):
            TeamMember.objects.create(team=team, staff=staff)
    return found


def test_each_act_raises_its_task_for_the_responsible_team(clinic, signed_in):
    by_code, client, origins = teams(clinic), signed_in("nora"), set()
    for origin in {origin for _act, _title, origin, *_rest in ACTS}:
        label = TaskLabel.objects.create(name=origin)
        TaskLabelOrigin.objects.create(label=label, origin=origin)
    for act, title, origin, code, comment in ACTS:
        before = Task.objects.count()
        act(client, clinic)
        assert Task.objects.count() == before + 1, act.__name__
        task = Task.objects.latest("pk")
        assert (task.title, task.origin) == (title, origin)
        whose = (task.team, task.assignee, task.creator, task.patient)
        assert whose == (by_code[code], None, clinic.nora, clinic.ada), title
        assert [label.name for label in task.labels.all()] == [origin]
        assert [c.text for c in task.comments.all()] == ([comment] if comment else [])
        origins.add(origin)
        page = client.get(f"/task/{task.key}/")
        cause = page.context["cause"]["url"]
        assert f'href="{cause}"' in page.content.decode()
        assert client.get(cause).status_code == 200
    mine = titles(client.get("/tasks/"))
    assert sorted(mine) == sorted(title for _act, title, *_rest in ACTS)
    assert titles(signed_in("sam").get("/tasks/")) == []
    # A page that one may not open is not linked.
    reader = make_staff("pat", "Tasking access", "Patients: North")
    client.force_login(reader.user, backend="staffing.backends.StaffBackend")
    for task in Task.objects.all():
        assert client.get(f"/task/{task.key}/").context["cause"] is None


def test_without_a_responsible_team_they_wait_for_anybody(clinic, signed_in):
    client = signed_in("nora")
    for act, title, *_rest in ACTS:
        act(client, clinic)
        task = Task.objects.latest("pk")
        assert (task.title, task.team, task.assignee) == (title, None, None)
    assert len(titles(client.get("/tasks/?whose=unassigned"))) == len(ACTS)


def test_none_is_left_of_an_act_that_fails(clinic, signed_in, monkeypatch):
    client = signed_in("nora")
    client.raise_request_exception = False

    def broken(*args, **kwargs):
        raise RuntimeError("the trail is gone")

    monkeypatch.setattr(trail, "done", broken)
    for act, *_rest in ACTS:
        act(client, clinic)
    assert not Task.objects.exists()
    assert not LabReport.objects.exclude(reviewed=None).exists()
    assert not Coverage.objects.filter(rank=2).exists()


def test_a_reviewer_who_delegates_says_what_to_tell(clinic, signed_in):
    client, lab = signed_in("nora"), make_lab(clinic.ada)
    for said, field in (
        ({"message": ""}, "message"),
        ({"communication": "told"}, "message"),
        ({"communication": "somebody"}, "communication"),
        ({"message": "x" * 1001}, "message"),
    ):
        assert review(client, clinic, "labs", lab, **said).context["form"].errors[field]
    assert not Task.objects.exists()
    form = client.get(f"/patient/{clinic.ada.key}/work/labs/{lab.key}/review/")
    assert "No team is responsible" in form.content.decode()
    for told in ("nobody", "told"):
        lab = make_lab(clinic.ada)
        review(client, clinic, "labs", lab, communication=told, message="")
        lab.refresh_from_db()
        assert lab.communication == told
    assert not Task.objects.exists()


def test_taking_a_review_back_closes_what_nobody_has_begun_with(clinic, signed_in):
    client = signed_in("nora")
    for touch, status in (
        (lambda task: None, "CLOSED"),
        (lambda task: task.comments.create(author=clinic.sam, text="Called"), "OPEN"),
        (lambda task: (task.hand_to(clinic.sam), task.save()), "OPEN"),
        (lambda task: (task.set_status("COMPLETED", None), task.save()), "COMPLETED"),
    ):
        lab = make_lab(clinic.ada)
        review(client, clinic, "labs", lab)
        task = lab.tasks.get()
        touch(task)
        page = f"/patient/{clinic.ada.key}/work/labs/{lab.key}/review/"
        assert f"/task/{task.key}/" in client.get(page).content.decode()
        lab.refresh_from_db()
        client.post(f"{page}undo/", {"form_version": lab.version})
        lab.refresh_from_db()
        assert (lab.reviewed, lab.communication) == (None, "")
        task.refresh_from_db()
        assert task.status == status
        said = [comment.text for comment in task.comments.all()]
        assert ("The review was taken back." in said) == (status != "COMPLETED")


def test_a_coverage_has_one_open_task_until_it_is_complete(clinic, signed_in):
    client = signed_in("nora")
    assert cover(client, clinic, member_id="").status_code == 302
    coverage = Coverage.objects.get()
    task = coverage.tasks.get()
    page = profile_pages.address(clinic.ada, "coverages", coverage.key)
    profile = client.get(profile_pages.address(clinic.ada)).content.decode()
    assert "Incomplete" in profile
    assert "member id, address for claims, phone of the payer" in profile

    def change(**values):
        answer = submit(client, page, profile_pages.FORM, **values)
        assert answer.status_code == 302
        task.refresh_from_db()
        return task.title, task.status, task.ended_by

    title = "Complete secondary coverage: no phone of the payer"
    said = {"member_id": "M77", "payer_address": "1 Main Street"}
    assert change(**said) == (title, "OPEN", None)
    assert change(payer_phone="555-0100") == (title, "COMPLETED", clinic.nora)
    assert coverage.tasks.count() == 1
    assert (
        "Incomplete"
        not in client.get(profile_pages.address(clinic.ada)).content.decode()
    )


def test_a_coverage_that_ends_closes_its_task_and_a_closed_one_is_not_raised_again(
    clinic, signed_in
):
    client = signed_in("nora")
    cover(client, clinic)
    coverage = Coverage.objects.get()
    page = profile_pages.address(clinic.ada, "coverages", coverage.key)
    gone = {"entered_in_error": "on", "entered_in_error_reason": "another patient"}
    submit(client, page, profile_pages.FORM, **gone)
    assert coverage.tasks.get().status == "CLOSED"
    submit(client, page, profile_pages.FORM, entered_in_error=[])
    submit(client, page, profile_pages.FORM, plan="Part B")
    assert coverage.tasks.get().status == "CLOSED"


def test_a_lab_order_says_what_keeps_the_laboratory(clinic, signed_in):
    client = signed_in("nora")
    settle(clinic)
    order_labs(client, clinic)
    assert not Task.objects.exists()
    order_labs(client, clinic, lab="", specimen="here")
    wanted = ["Complete lab order: no laboratory"]
    wanted.append("Collect specimen from patient: Lipid panel, TSH")
    assert list(Task.objects.values_list("title", flat=True)) == wanted
    Coverage.objects.update(end="2020-01-01")
    PatientAddress.objects.update(use="old")
    order_labs(client, clinic, tests="x" * 2_000, specimen="lab")
    visit, incomplete = Task.objects.order_by("-pk")[:2]
    assert incomplete.title.endswith("no address of the patient, no coverage in force")
    assert len(visit.title) == Task.LONGEST_TITLE
    visit.lab_order.enter_in_error("wrong patient", clinic.nora.user)
    assert {task.status for task in visit.lab_order.tasks.all()} == {"CLOSED"}


def test_a_posting_that_is_reversed_closes_its_task(clinic, signed_in):
    client = signed_in("nora")
    flag_a_posting(client, clinic)
    task = Task.objects.get()
    claim = task.posting.claim
    assert TOLD in client.get(base(clinic.ada, claim)).content.decode()
    end = base(clinic.ada, claim, "postings", task.posting.key, "end")
    submit(client, end, "claim_form", reversed_reason="posted twice")
    task.refresh_from_db()
    assert task.status == "CLOSED"


def test_somebody_is_asked_to_review_a_note(clinic, signed_in):
    client, note = signed_in("nora"), note_of(clinic.ada, clinic.nora)
    url, team = at(clinic.ada, note.key, "ask-review"), Team.objects.create(name="Desk")
    TeamMember.objects.create(team=team, staff=clinic.nora)
    refused = post(client, url, comment="Is the dose right?")
    assert refused.context["form"].errors["assignee"]
    asked = post(client, url, assignee=clinic.sam.key)
    assert "will not see this" in asked.content.decode()
    assert not Task.objects.exists()
    post(client, url, team=team.key, comment="Is the dose right?")
    task = Task.objects.get()
    assert (task.title, task.origin, task.team, task.assignee) == (
        "Review note: Follow-up, 2 Mar 2026",
        "ASN_NOT_PHN_REV",
        team,
        None,
    )
    assert [comment.text for comment in task.comments.all()] == ["Is the dose right?"]
    page = client.get(at(clinic.ada, note.key)).content.decode()
    assert "Nora Example asked Desk for a review" in page
    assert f"/task/{task.key}/" in page
    write(note, Plan).commit(clinic.nora.user)
    note.sign(clinic.nora.user)
    assert client.get(url).status_code == 200
    note.enter_in_error("wrong patient", clinic.nora.user)
    task.refresh_from_db()
    assert task.status == "CLOSED"
    assert client.get(url).status_code == 409
