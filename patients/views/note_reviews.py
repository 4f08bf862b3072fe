"""Asking somebody to review a note."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from patients import areas, gate
from patients.forms.note_reviews import NoteReviewForm
from patients.models import NoteReview
from patients.views.note_showing import find_note, refuse, save_into


@require_http_methods(["GET", "HEAD", "POST"])
def ask_review(request: HttpRequest, key: str, note: str) -> HttpResponse:
    """A task for a person or a team to look at a note, open or signed."""
    patient = gate.open_patient(request, key, *areas.WRITE_CHART)
    row = find_note(request, patient, note)
    if row.in_error:
        return refuse(request, row)
    form = NoteReviewForm(
        request.POST or None,
        actor=request.user,
        instance=NoteReview(patient=patient, note=row),
    )
    return save_into(
        request,
        form,
        "note.review_asked",
        _("Ask for a review"),
        _("The review is asked for."),
        about=_("Choose a person or a team. They get a task to look at this note."),
        button=_("Ask for the review"),
    )
