"""What import_fhir makes of encounters: signed notes, found again, that staff can amend."""

from datetime import UTC, datetime

import pytest

from canvas_admin.fhir.bundles import BrokenBundle
from canvas_admin.testing import give
from patients.models import Note, Patient, ReasonForVisit
from patients.tests.bundles_to_import import a_patient, a_practitioner, take_in
from patients.tests.note_pages import at, post
from staffing.models import Location

pytestmark = pytest.mark.django_db

START = "2024-05-06T07:08:09+00:00"


def an_encounter(**changes):
    resource = {
        "resourceType": "Encounter",
        "id": "visit",
        "status": "finished",
        "class": {"code": "AMB"},
        "type": [{"coding": [{"system": "s", "code": "1", "display": "Check up"}]}],
        "subject": {"reference": "urn:uuid:ann"},
        "period": {"start": START, "end": "2024-05-06T07:38:09+00:00"},
        "reasonCode": [{"text": "Sore_Throat"}],
        "participant": [
            {"individual": {"reference": "urn:uuid:other"}},
            {
                "type": [{"coding": [{"code": "PPRF"}]}],
                "individual": {"reference": "urn:uuid:doc"},
            },
        ],
    } | changes
    return {name: value for name, value in resource.items() if value is not None}


def take(*encounters):
    result = take_in(a_patient(), a_practitioner(), *encounters)
    found = result.counts.items()
    return {outcome: n for (kind, outcome), n in found if kind == "Encounter"}


def test_an_encounter_becomes_a_signed_note():
    assert take(an_encounter()) == {"created": 1}
    note = Note.objects.get()
    assert (note.title, note.started, note.state, note.imported) == (
        "Check up",
        datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC),
        "LKD",
        True,
    )
    assert (note.provider.last_name, note.signed_by, note.visit_type) == (
        "Doc",
        None,
        None,
    )
    reason = ReasonForVisit.objects.get()
    assert (reason.comment, reason.committed, reason.note) == (
        "Sore Throat",
        True,
        note,
    )


def test_the_same_again_changes_nothing_and_a_changed_one_updates():
    take(an_encounter())
    assert take(an_encounter()) == {"unchanged": 1}
    changed = {"type": [{"text": "Follow-up"}], "reasonCode": [{"text": "Better"}]}
    assert take(an_encounter(**changed)) == {"updated": 1}
    note, reason = Note.objects.get(), ReasonForVisit.objects.get()
    assert (note.title, note.version, reason.comment) == ("Follow-up", 1, "Better")


def a_place(kind, name):
    return {"resourceType": kind, "id": kind.lower(), "name": name}


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"location": [{"location": {"reference": "urn:uuid:location"}}]}, "Elm"),
        ({"serviceProvider": {"reference": "urn:uuid:organization"}}, "Oak"),
        ({"serviceProvider": {"display": "oak  STREET"}}, "Oak"),
        (
            {
                "location": [{"location": {"display": "Elsewhere"}}],
                "serviceProvider": {"reference": "urn:uuid:organization"},
            },
            "Oak",
        ),
        ({"serviceProvider": {"display": "Elsewhere"}}, None),
        ({"location": [{"location": {"reference": "urn:uuid:none"}}]}, None),
    ],
    ids=["location", "provider", "display", "second", "unknown", "missing"],
)
def test_its_place_is_one_of_ours_that_has_its_name(said, place):
    for name in ("Elm street", "Oak street"):
        Location.objects.create(name=name)
    others = (
        a_place("Location", "ELM STREET"),
        a_place("Organization", "Oak Street"),
    )
    take(an_encounter(**said), *others)
    found = Note.objects.get().location
    assert (found and found.name.split()[0]) == place
    assert Location.objects.count() == 2


def test_a_place_that_the_source_changes_is_taken(cast):
    Location.objects.create(name="Elm street")
    take(an_encounter())
    said = {"location": [{"location": {"display": "Elm street"}}]}
    assert take(an_encounter(**said)) == {"updated": 1}
    assert Note.objects.get().location.name == "Elm street"


def test_what_was_entered_in_error_here_stays_so(cast):
    take(an_encounter())
    Note.objects.get().enter_in_error("of another Ann", cast.nora.user)
    assert take(an_encounter(reasonCode=[{"text": "Cough"}])) == {"updated": 1}
    note = Note.objects.get()
    assert (note.in_error, note.error_reason) == (True, "of another Ann")
    assert ReasonForVisit.objects.get().state == "entered-in-error"


def test_the_source_can_say_that_it_was_an_error():
    take(an_encounter())
    take(an_encounter(status="entered-in-error"))
    note = Note.objects.get()
    assert (note.in_error, note.error_reason) == (True, "Marked so by its source")


def test_what_did_not_take_place_and_who_is_not_named():
    planned = an_encounter(status="planned")
    assert take(planned, an_encounter(id="b", status="cancelled")) == {}
    assert not Note.objects.exists()
    take(an_encounter(participant=None, reasonCode=None, type=None))
    note = Note.objects.get()
    assert (note.provider, str(note.name)) == (None, "Visit")
    assert not note.commands()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"period": None}, "period: has no start"),
        ({"subject": {"reference": "urn:uuid:nobody"}}, "subject"),
        ({"type": [{"text": "x" * 201}]}, "too many for title"),
        ({"reasonCode": [{"text": "x" * 1_001}]}, "too many for comment"),
    ],
)
def test_broken_encounters_stop_the_bundle(changes, said):
    with pytest.raises(BrokenBundle, match=said) as error:
        take(an_encounter(**changes))
    assert "Encounter/visit" in error.value.where
    assert not Patient.objects.filter(last_name="Arnesen").exists()


def test_an_imported_note_is_read_and_gets_addenda(cast, signed_in):
    take(an_encounter(participant=None))
    patient = Patient.objects.get(last_name="Arnesen")
    cast.north.add(patient)
    give(cast.nora, "Clinical read")
    note, client = Note.objects.get(), signed_in("nora")
    page = client.get(at(patient, note.key)).content.decode()
    for text in ("Imported", "Check up", "Sore Throat"):
        assert text in page
    assert client.get(at(patient, note.key, "change")).status_code == 409
    post(client, at(patient, note.key, "addendum"), text="Seen again")
    assert note.addenda.get().author == cast.nora
