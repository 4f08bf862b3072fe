"""Every change of a tracked model leaves its event, or is not made (security P42)."""

import pytest
from canvas_workflow_kit.constants import CHANGE_TYPE
from django.apps import apps
from django.db import transaction
from django.utils import timezone

from canvas_admin.events.models import ChangeEvent
from canvas_admin.events.tracking import (
    BOOKKEEPING,
    ChangeTracked,
    ChangeTrackedQuerySet,
    caused_by,
)
from patients.models import (
    Condition,
    Consent,
    Observation,
    Patient,
    PatientAddress,
)
from patients.models.patients import PatientData
from patients.tests.test_consents import coding
from tasks.models import Task, TaskComment, TaskLabel

TRACKED = [m for m in apps.get_models() if issubclass(m, ChangeTracked)]
# Rows about patients that the workflow kit knows nothing of.
UNTRACKED = {
    "Addendum",
    "AdministrativeDocument",
    "ChartChange",
    "Claim",
    "ClaimDiagnosis",
    "ClaimPosting",
    "ClaimSnooze",
    "ClaimStateChange",
    "EligibilityCheck",
    "IncomingFile",
    "NoteReview",
    "NoteStateChange",
    "RefillRequest",
}
# Of our own; a protocol that names no change types hears of them.
OWN_TYPES = {"clinical_document"}


@pytest.fixture
def cast(cast):
    """The cast, whose making left events that are gone."""
    ChangeEvent.objects.all().delete()
    return cast


def events():
    """Those that were left since it was asked last."""
    rows = list(ChangeEvent.objects.order_by("id"))
    ChangeEvent.objects.all().delete()
    return rows


@pytest.fixture
def address(cast):
    row = PatientAddress.objects.create(patient=cast.ada, city="Salem")
    events()
    return row


def test_a_new_row_leaves_what_it_holds(cast):
    events()
    row = Consent.objects.create(
        patient=cast.ada, coding=coding("A1"), state="accepted"
    )
    (event,) = [each for each in events() if each.change_type == "consent"]
    assert event.patient == cast.ada.pk
    assert event.state == ChangeEvent.State.WAITING
    changes = event.field_changes
    assert changes["fields"].pop("effective_date") == [None, str(row.effective_date)]
    assert changes["fields"]["state"] == [None, "accepted"]
    assert changes["fields"]["patient_id"] == [None, cast.ada.pk]
    assert "expired_date" not in changes["fields"]
    assert not BOOKKEEPING & changes["fields"].keys()
    del changes["fields"]
    assert changes == {
        "model_name": "consent",
        "created": True,
        "deleted": False,
        "canvas_id": row.pk,
        "external_id": row.key,
        "external_identifiers": None,
    }


def test_a_change_leaves_old_and_new(address):
    address.city = "Boston"
    address.save()
    (event,) = events()
    assert (event.created, event.deleted) == (False, False)
    assert event.fields == {"city": ["Salem", "Boston"]}
    address.city = "Lynn"
    address.save()
    (event,) = events()
    assert event.fields == {"city": ["Boston", "Lynn"]}


def test_what_changes_nothing_leaves_nothing(address):
    address.save()
    PatientAddress.objects.get(pk=address.pk).save()
    address.start = "2020-02-03"
    address.save()
    again = PatientAddress.objects.get(pk=address.pk)
    again.start = "2020-02-03"
    again.save()
    (event,) = events()
    assert event.fields == {"start": [None, "2020-02-03"]}


def test_what_is_not_saved_is_not_told(address):
    address.city, address.country = "Boston", "US"
    address.save(update_fields=["city"])
    assert [each.fields for each in events()] == [{"city": ["Salem", "Boston"]}]
    address.save()
    assert [each.fields for each in events()] == [{"country": ["", "US"]}]


def test_what_was_not_read_is_read_before_it_is_overwritten(address):
    row = PatientAddress.objects.only("pk").get(pk=address.pk)
    row.city = "Boston"
    row.save()
    assert [each.fields for each in events()] == [{"city": ["Salem", "Boston"]}]
    row = PatientAddress.objects.defer("city").get(pk=address.pk)
    row.country = "US"
    row.save()
    assert [each.fields for each in events()] == [{"country": ["", "US"]}]


def test_what_others_changed_meanwhile_is_known_once_it_is_read_again(address):
    PatientAddress.objects.filter(pk=address.pk).update(city="Boston")
    events()
    address.refresh_from_db(fields=["city"])
    address.save()
    assert events() == []
    PatientAddress.objects.filter(pk=address.pk).update(city="Lynn")
    events()
    address.refresh_from_db()
    address.save()
    assert events() == []


def test_what_is_rolled_back_leaves_nothing(address):
    def fail():
        with transaction.atomic():
            address.city = "Boston"
            address.save()
            PatientAddress.objects.create(patient=address.patient)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert events() == []


def test_many_at_once_leave_one_each(cast, address):
    made = PatientAddress.objects.bulk_create(
        PatientAddress(patient=patient, city="Salem")
        for patient in (cast.ada, cast.ben)
    )
    assert [(each.patient, each.record, each.created) for each in events()] == [
        (row.patient_id, row.pk, True) for row in made
    ]
    rows = PatientAddress.objects.filter(city__in=("Salem", "Boston"))
    PatientAddress.objects.filter(pk=address.pk).update(city="Boston")
    events()
    assert rows.update(city="Boston") == 3
    found = [(each.record, each.fields) for each in events()]
    assert found == [(row.pk, {"city": ["Salem", "Boston"]}) for row in made]
    PatientAddress.objects.filter(pk=made[0].pk).delete()
    (event,) = events()
    assert (event.deleted, event.record) == (True, made[0].pk)
    assert event.fields["city"] == ["Boston", None]
    made[1].delete()
    (event,) = events()
    assert (event.deleted, event.patient) == (True, cast.ben.pk)


def test_what_would_leave_no_event_is_refused(cast, address):
    with pytest.raises(TypeError):
        PatientAddress.objects.bulk_update([address], ["city"])
    with pytest.raises(TypeError):
        PatientAddress.objects.bulk_create([address], ignore_conflicts=True)
    assert cast.ada.addresses.count() == 1


def test_a_patients_own_row_is_about_the_patient(cast):
    events()
    cast.ada.active = False
    cast.ada.save()
    (event,) = events()
    assert (event.change_type, event.patient) == ("patient", cast.ada.pk)
    assert event.external_id == cast.ada.key
    assert event.fields == {"active": [True, False]}


def test_a_tasks_comments_and_labels_are_changes_of_the_patients_task(cast):
    task = Task.objects.create(patient=cast.ada, title="Call", creator=cast.nora)
    (event,) = events()
    assert event.external_id == str(task.externally_exposable_id)
    assert (event.change_type, event.model_name) == ("task", "task")
    TaskComment.objects.create(task=task, author=cast.nora, text="no answer")
    label = TaskLabel.objects.create(name="Later")
    task.set_labels([label])
    task.set_labels([label])
    task.set_labels([])
    told = [(e.model_name, e.patient, e.created, e.deleted) for e in events()]
    assert told == [
        ("taskcomment", cast.ada.pk, True, False),
        ("tasktasklabel", cast.ada.pk, True, False),
        ("tasktasklabel", cast.ada.pk, False, True),
    ]


def test_of_what_is_about_nobody_nothing_waits(cast):
    Task.objects.create(title="Water the plants", creator=cast.nora)
    (event,) = events()
    assert (event.patient, event.state) == (None, ChangeEvent.State.DONE)


def test_an_event_says_which_protocols_led_to_it(address):
    with caused_by(["one", "two"]):
        address.city = "Boston"
        address.save()
    address.city = "Lynn"
    address.save()
    assert [each.chain for each in events()] == [["one", "two"], []]


def test_a_value_is_a_vital_sign_or_of_a_report(cast):
    given = {"patient": cast.ada, "status": "final", "observed": timezone.now()}
    events()
    Observation.objects.create(**given, category="vital-signs")
    Observation.objects.create(**given, category="laboratory")
    assert [each.change_type for each in events()] == ["vital_sign", "lab_report"]


def test_a_row_of_the_chart_leaves_one_event_a_change(cast):
    events()
    row = Condition(patient=cast.ada, display="Gout", clinical_status="active")
    row.save(by=cast.max.user)
    row.mark_in_error("wrong", cast.max.user)
    first, second = events()
    assert (first.created, second.created) == (True, False)
    assert second.fields == {
        "entered_in_error": [False, True],
        "entered_in_error_reason": ["", "wrong"],
    }


def test_what_has_no_more_events_is_written_as_ever(cast):
    events()
    made = apps.get_model("patients", "EligibilityCheck").objects.none()
    assert made.update(message="") == 0
    cast.north.memberships.all().update(locked=False)
    assert events() == []


# What holds for all models ------------------------------------------------------------


@pytest.mark.parametrize("model", TRACKED, ids=lambda model: model.__name__)
def test_every_way_to_write_a_tracked_row_leaves_an_event(model):
    for manager in model._meta.managers:
        assert isinstance(manager.get_queryset(), ChangeTrackedQuerySet)


@pytest.mark.parametrize("model", TRACKED, ids=lambda model: model.__name__)
def test_its_change_type_is_one_of_the_workflow_kits(model):
    known = {v for name, v in vars(CHANGE_TYPE).items() if name.isupper()}
    row = model()
    assert row.change_type in known | OWN_TYPES


@pytest.mark.parametrize("model", TRACKED, ids=lambda model: model.__name__)
def test_nothing_mutable_is_compared_with_itself(model):
    kinds = {f.get_internal_type() for f in model._meta.concrete_fields}
    assert not kinds & {"JSONField", "BinaryField"}


def test_every_row_about_a_patient_is_tracked_or_left_out_by_name():
    about = [m for m in apps.get_models() if issubclass(m, PatientData)]
    left = {m.__name__ for m in about if not issubclass(m, ChangeTracked)}
    assert left == UNTRACKED
    assert Patient in TRACKED
