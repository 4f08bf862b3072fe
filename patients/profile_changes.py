"""Saving a form of the profile: checked, saved and on the trail, or nothing of it."""

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from canvas_admin.audit import trail
from patients import gate
from patients.models.patients import Patient, PatientData

Then = Callable[[HttpRequest, Any], None]


def save(
    request: HttpRequest, form: Any, action: str, then: Then | None = None
) -> bool:
    """Check and save a form about one patient; False when the person has to look again.

    In one transaction with its audit rows, which name the changed fields and no value.
    The patient's row is locked first, so that of two changes of one patient the later is
    checked against the earlier; then the rule is asked anew. `then` is done with what was
    saved, in the same transaction. Raises Refused when the patient has left the person's
    reach, SavedAlready for a form that was sent before.
    """
    try:
        with transaction.atomic():
            _lock(form)
            seen = gate.still_open(request, form.patient)
            if not form.is_valid() or form.unconfirmed:
                return False
            if form.changed or form.instance.pk is None:
                row = form.save()
                _record(request, form, row, action, seen)
                if then:
                    then(request, row)
    except IntegrityError:
        sentence = _(
            "Somebody saved something alike at this moment. Look, and try again."
        )
        form.add_error(None, sentence)
        return False
    return True


def _lock(form: Any) -> None:
    """Wait for other changes of the patient, and let a belonging see what they made.

    Of the patient's own form its version tells.
    """
    patients = Patient.objects.select_for_update(no_key=True)
    patient = patients.get(pk=form.patient.pk)
    if isinstance(form.instance, PatientData):
        form.instance.patient = patient


def _record(
    request: HttpRequest, form: Any, row: Any, action: str, seen: trail.Seen
) -> None:
    trail.done(
        request.user,
        action,
        seen,
        request=request,
        subject=f"{row._meta.model_name}/{row.key}",
        fields=form.changed,
    )
