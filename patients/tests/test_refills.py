"""Pharmacies' refill requests: to whom they go, and how they are answered."""

from canvas_admin.audit.models import AuditRow
from patients.models import RefillRequest
from patients.tests.work import make_refill
from staffing.models import Team, TeamMember, TeamResponsibility
from staffing.tests.pages import submit


def address(refill, patient=None):
    return f"/patient/{(patient or refill.patient).key}/refills/{refill.key}/"


def answer(client, refill, said, note="", **data):
    version = RefillRequest.objects.get(pk=refill.pk).version
    sent = {"form_version": version, "answer": said, "note": note} | data
    return client.post(address(refill), sent)


def test_a_request_goes_to_the_responsible_team_or_to_nobody(cast, signed_in):
    assert not make_refill(cast.ada).assigned
    team = Team.objects.create(name="Pharmacy desk")
    TeamMember.objects.create(team=team, staff=cast.nora)
    code = TeamResponsibility.Code.REFILLS
    TeamResponsibility.objects.create(team=team, code=code)
    refill = make_refill(cast.ada)
    make_refill(cast.ben)
    assert (refill.team, refill.assignee) == (team, None)
    page = signed_in("nora").get("/panels/refills/")
    assert page.context["rows"] == [refill]
    assert "Lisinopril" in page.content.decode()


def test_it_is_approved_or_denied_with_a_reason_once(cast, signed_in):
    client = signed_in("nora")
    for said, note in (("approved", ""), ("denied", "Must be seen first.")):
        refill = make_refill(cast.ada)
        assert "Main Street Pharmacy" in client.get(address(refill)).content.decode()
        assert answer(client, refill, said, note).url == "/panels/refills/"
        refill.refresh_from_db()
        kept = (refill.answer, refill.note, refill.answered_by)
        assert kept == (said, note, cast.nora)
        again = answer(client, refill, "denied", "No.").content.decode()
        assert "Somebody has answered this request already." in again
        row = AuditRow.objects.get(action=f"refill.{said}", patient=cast.ada.key)
        assert row.subject == f"refillrequest/{refill.key}"
    assert client.get("/panels/refills/?whose=all").context["rows"] == []


def test_a_bad_answer_is_refused_at_its_field(cast, signed_in):
    client, refill = signed_in("nora"), make_refill(cast.ada)
    for said, note, field in (
        ("denied", "", "note"),
        ("", "", "answer"),
        ("perhaps", "", "answer"),
        ("approved", "x" * 1001, "note"),
    ):
        assert answer(client, refill, said, note).context["form"].errors[field]
    assert RefillRequest.objects.get().answer == ""


def test_reading_needs_clinical_read_and_answering_clinical_write(cast, signed_in):
    refill, other = make_refill(cast.ada), make_refill(cast.ben)
    for name, item in (("sam", refill), ("olga", refill), ("nora", other)):
        assert signed_in(name).get(address(item)).status_code == 403
        assert answer(signed_in(name), item, "approved").status_code == 403
    assert signed_in("nora").get(address(other, cast.ada)).status_code == 403
    cast.nora.revoke(cast.nora.user.groups.get(name="Clinical write"))
    page = signed_in("nora").get(address(refill))
    assert page.status_code == 200
    assert "Send the answer" not in page.content.decode()
    assert answer(signed_in("nora"), refill, "approved").status_code == 403
    assert not RefillRequest.objects.exclude(answer="").exists()


def test_a_request_by_phone_is_recorded_for_the_responsible_team(cast, signed_in):
    teams = {}
    for code in ("PROCESS_REFILL_REQUESTS", "PROCESS_CHANGE_REQUESTS"):
        teams[code] = Team.objects.create(name=code)
        TeamResponsibility.objects.create(team=teams[code], code=code)
    client, medicine = signed_in("nora"), make_refill(cast.ada).medication
    foreign, page = (
        make_refill(cast.ben).medication,
        f"/patient/{cast.ada.key}/refills/new/",
    )
    assert page in client.get(f"/patient/{cast.ada.key}/").content.decode()

    def record(**values):
        values = {"medication": medicine.key, "pharmacy": "Corner Pharmacy"} | values
        return submit(client, page, "refill_form", **values)

    for values, field in (
        ({"kind": "change"}, "proposal"),
        ({"proposal": "Losartan"}, "proposal"),
        ({"medication": foreign.key}, "medication"),
        ({"kind": "gift"}, "kind"),
    ):
        assert record(**values).context["form"].errors[field], values
    for values, code in (
        ({"kind": "refill"}, "PROCESS_REFILL_REQUESTS"),
        ({"kind": "change", "proposal": "Losartan"}, "PROCESS_CHANGE_REQUESTS"),
    ):
        answer = record(**values)
        row = RefillRequest.objects.latest("pk")
        assert answer["Location"] == address(row)
        assert (row.team, row.assignee, row.answer) == (teams[code], None, "")
    assert "Losartan" in client.get(address(row)).content.decode()
    assert "Losartan" in client.get("/panels/refills/?whose=all").content.decode()
    for name in ("sam", "olga", "max"):
        assert signed_in(name).get(page).status_code == 403
