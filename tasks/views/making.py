"""A new task, about a patient or about none."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from canvas_admin.records.forms import SavedAlready
from patients import areas
from patients.gate import open_patient, require
from patients.models import Patient
from tasks import acts, gate
from tasks.forms.tasks import NewForm


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """A task about no patient."""
    require(request, *areas.WRITE_TASKS)
    return _create(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
def create_for(request: HttpRequest, key: str) -> HttpResponse:
    """A task about a patient within reach."""
    return _create(request, open_patient(request, key, *areas.WRITE_TASKS))


def _create(request: HttpRequest, patient: Patient | None) -> HttpResponse:
    """Whom it is given to is asked about when not all of them will see it (S2)."""
    form = NewForm(request.POST or None, patient=patient, actor=request.user)
    try:
        if request.method == "POST" and acts.save(request, form, "task.create"):
            messages.success(request, _("The task is made."))
            return redirect("tasks:detail", key=form.task.key)
    except SavedAlready as before:
        messages.info(
            request, _("This form was saved before, so nothing was saved again.")
        )
        return redirect("tasks:detail", key=before.row.key)
    context = {
        "patient": patient,
        "form": form,
        "page_title": _("New task"),
        "asks": form.is_bound and form.is_valid() and form.unconfirmed,
    }
    gate.shown(request, "task.form", form.task)
    return render(request, "tasks/form.html", context)
