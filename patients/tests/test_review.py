"""Reviewing results, and to whom a new one goes (S2, Clinical write)."""

from datetime import timedelta

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import give
from patients.models import CareTeamMembership, LabReport, Observation
from patients.tests.bundles_to_import import (
    a_care_team,
    a_patient,
    a_practitioner,
    take_in,
)
from patients.tests.work import make_lab
from staffing.models import CareTeamRole


def address(lab, patient=None):
    patient = patient or lab.patient
    return f"/patient/{patient.key}/work/labs/{lab.key}/review/"


def version(row):
    return LabReport.objects.get(pk=row.pk).version


def review(client, lab, comment="Seen.", **data):
    sent = {"form_version": version(lab), "review_comment": comment} | data
    return client.post(address(lab), sent)


def lead_of(patient, staff):
    role, _made = CareTeamRole.objects.get_or_create(code="pcp", display="Physician")
    CareTeamMembership.objects.create(
        patient=patient, staff=staff, role=role, lead=True
    )


def test_a_result_is_reviewed_with_a_comment_and_goes_out_of_the_panel(cast, signed_in):
    lab, client = make_lab(cast.ada, assignee=cast.nora), signed_in("nora")
    Observation.objects.create(
        patient=cast.ada, report=lab, display="Glucose", status="final", value="7.7"
    )
    chart = f"/patient/{cast.ada.key}/"
    assert f'href="{address(lab)}?from=chart"' in client.get(chart).content.decode()
    page = client.get(address(lab)).content.decode()
    assert "Glucose" in page
    assert "Mark as reviewed" in page
    answer = review(client, lab, "Repeat in\n a week.")
    assert answer.url == "/panels/labs/"
    lab.refresh_from_db()
    assert (lab.reviewed_by, lab.review_comment) == (cast.nora, "Repeat in a week.")
    assert client.get("/panels/labs/").context["rows"] == []
    assert address(lab) not in client.get(chart).content.decode()
    assert "Reviewed by Nora Example" in client.get(address(lab)).content.decode()
    row = AuditRow.objects.get(action="review.labs", patient=cast.ada.key)
    assert (row.subject, row.access_path) == (f"labreport/{lab.key}", "patient-group")


def test_acts_lead_back_to_where_one_was(cast, signed_in):
    client = signed_in("nora")
    for origin, back in {
        "": "/panels/labs/",
        "?from=all": "/panels/labs/?whose=all",
        "?from=unassigned": "/panels/labs/?whose=unassigned",
        "?from=chart": f"/patient/{cast.ada.key}/",
        "?from=//elsewhere": "/panels/labs/",
    }.items():
        lab = make_lab(cast.ada)
        page = address(lab) + origin
        if "whose" in back:
            assert f'href="{page}"' in client.get(back).content.decode()
        onward = address(lab).replace("review/", "hand-over/") + origin
        text = client.get(page).content.decode()
        assert f'href="{back}"' in text
        undo = f"{address(lab)}undo/{origin}"
        if "elsewhere" not in origin:
            assert f'href="{onward}"' in text
        sent = {"form_version": version(lab), "review_comment": ""}
        assert client.post(page, sent).url == back
        kept = address(lab) if "elsewhere" in origin else page
        assert client.post(undo, {"form_version": version(lab)}).url == kept
        assert client.post(onward, {"form_version": version(lab)}).url == back


def test_a_review_is_taken_back(cast, signed_in):
    lab, client = make_lab(cast.ada), signed_in("nora")
    review(client, lab)
    undo = address(lab) + "undo/"
    client.post(undo, {"form_version": version(lab) - 1})
    assert LabReport.objects.get().reviewed, "the page was of an older version"
    client.post(undo, {"form_version": version(lab)})
    lab.refresh_from_db()
    assert (lab.reviewed, lab.reviewed_by) == (None, None)
    assert client.get("/panels/labs/?whose=all").context["rows"] == [lab]


def test_the_second_of_two_reviewers_is_told(cast, signed_in):
    give(cast.max, "Clinical read")
    lab = make_lab(cast.ada)
    before = version(lab)
    review(signed_in("max"), lab, "First.")
    answer = review(signed_in("nora"), lab, "Second.", form_version=before)
    assert "Somebody has reviewed this result already." in answer.content.decode()
    lab.refresh_from_db()
    assert (lab.reviewed_by, lab.review_comment) == (cast.max, "First.")


def test_a_stale_form_is_refused_with_both_versions(cast, signed_in):
    lab = make_lab(cast.ada)
    before = version(lab)
    lab.review_comment = "Theirs."
    lab.save()
    answer = review(signed_in("nora"), lab, "Mine.", form_version=before)
    page = answer.content.decode()
    assert "Mine." in page
    assert "Theirs." in page
    assert LabReport.objects.get().reviewed is None


def test_reading_needs_clinical_read_and_reviewing_clinical_write(cast, signed_in):
    lab = make_lab(cast.ada)
    cast.nora.revoke(cast.nora.user.groups.get(name="Clinical write"))
    nora = signed_in("nora")
    page = nora.get(address(lab))
    assert page.status_code == 200
    assert "Mark as reviewed" not in page.content.decode()
    assert review(nora, lab).status_code == 403
    assert nora.post(address(lab) + "undo/", {}).status_code == 403
    # max may write but not read, sam reaches another patient, olga may do neither.
    for name in ("max", "sam", "olga"):
        assert signed_in(name).get(address(lab)).status_code == 403
        assert review(signed_in(name), lab).status_code == 403
    assert LabReport.objects.get().reviewed is None


def test_another_patients_result_is_refused_like_one_that_there_is_not(cast, signed_in):
    lab, client = make_lab(cast.ben), signed_in("nora")
    assert client.get(address(lab, cast.ada)).status_code == 403
    assert client.post(address(lab, cast.ada), {}).status_code == 403
    wrong = make_lab(cast.ada, entered_in_error=True)
    assert client.get(address(wrong)).status_code == 403
    none = address(wrong).replace("/labs/", "/vitals/")
    assert client.get(none).status_code == 404


@pytest.mark.parametrize("comment", ["x" * 1001, "a\x00b", "\u202eabc"])
def test_a_comment_that_cannot_be_saved_is_refused_at_its_field(
    cast, signed_in, comment
):
    lab = make_lab(cast.ada)
    answer = review(signed_in("nora"), lab, comment)
    assert answer.context["form"].errors["review_comment"]
    assert LabReport.objects.get().reviewed is None


def test_a_new_result_goes_to_the_care_team_lead_who_can_see_it(cast):
    """S2: "It is critical to ensure that important clinical data like new lab results are
    not assigned to staff who do not have access to the patient.\""""
    lead_of(cast.ada, cast.nora)
    lead_of(cast.ben, cast.nora)
    given = make_lab(cast.ada)
    assert (given.assignee, given.team) == (cast.nora, None)
    assert given.assigned_at is not None
    assert not make_lab(cast.ben).assigned, "nora does not reach ben"
    assert not make_lab(cast.cyn).assigned, "there is no lead"
    assert make_lab(cast.ada, assignee=cast.max).assignee == cast.max
    cast.north.add(cast.cyn)
    give(cast.olga, "Patients: North")
    lead_of(cast.cyn, cast.olga)
    assert not make_lab(cast.cyn).assigned, "olga reads no results"
    cast.nora.active = False
    cast.nora.save()
    assert not make_lab(cast.ada).assigned, "nora has left"


def test_a_result_that_an_import_brings_goes_to_the_lead_whom_it_brings(cast):
    cast.nora.npi = "1000000001"
    cast.nora.save()
    bundle = [a_patient(), a_practitioner("doc"), a_care_team(("doc", "pcp", True))]
    take_in(*bundle, _report("new", 1), _report("old", 40), groups=[cast.north])
    new, old = LabReport.objects.order_by("-reported")
    assert (new.assignee, new.reviewed) == (cast.nora, None)
    assert (old.assignee, old.reviewed_by) == (None, None)
    assert old.reviewed
    new.review(cast.nora, "Seen.")
    new.save()
    for conclusion, waits in (("Amended.", True), ("Amended.", False)):
        take_in(*bundle, _report("new", 1, conclusion=conclusion))
        new.refresh_from_db()
        assert (new.reviewed is None) == waits, "it waits again once it has changed"
        new.review(cast.nora, "Seen.")
        new.save()


def test_what_was_delegated_of_a_result_that_changes_is_called_off(cast):
    take_in(a_patient(), _report("new", 1), groups=[cast.north])
    lab = LabReport.objects.get()
    lab.review(cast.nora, "", "delegated")
    lab.save()
    lab.delegate(cast.nora.user, "All is well.")
    take_in(a_patient(), _report("new", 1, conclusion="Amended."))
    lab.refresh_from_db()
    task = lab.tasks.get()
    assert (lab.reviewed, lab.communication, task.status) == (None, "", "CLOSED")
    said = [comment.text for comment in task.comments.all()]
    assert "The result was changed by its source." in said


def _report(name, days, **more):
    return {
        "resourceType": "DiagnosticReport",
        "id": name,
        "status": "final",
        "code": {"text": "Blood count"},
        "subject": {"reference": "urn:uuid:ann"},
        "issued": (clock.now() - timedelta(days=days)).date().isoformat()
        + "T08:00:00+00:00",
        **more,
    }


def test_a_new_import_waits_and_an_old_one_does_not(cast):
    now = clock.now()
    for days, waits in ((1, True), (40, False), (None, False)):
        date = now - timedelta(days=days) if days else None
        lab = LabReport(patient=cast.ada, display="x", status="final", reported=date)
        lab.came_by_import()
        lab.save()
        assert (lab.reviewed is None) == waits
