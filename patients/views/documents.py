"""A patient's administrative documents: the list, a file, filing, editing, removing."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from canvas_admin.records.forms import SavedAlready
from patients import areas, filing, gate
from patients.forms.documents import DocumentForm, RemovalForm
from patients.models import AdministrativeDocument, Patient
from patients.views.stored_files import file_answer

PAGE = 25


@require_safe
def documents(request: HttpRequest, key: str) -> HttpResponse:
    """The documents, the latest filed first; ?show=removed shows writers the removed ones."""
    patient = gate.open_patient(request, key, *areas.OPEN_DOCUMENTS)
    may_write = request.user.has_perms(areas.WRITE_DOCUMENTS)
    removed = may_write and request.GET.get("show") == "removed"
    rows = _documents(request, patient).filter(removed__isnull=not removed)
    rows = rows.select_related("filed_by", "removed_by")
    context = {
        "patient": patient,
        "removed": removed,
        **rows.page(request.GET.get("after", ""), PAGE),
    }
    gate.shown(request, "patient.documents", patient)
    return render(request, "patients/documents.html", context)


@require_safe
def document_file(request: HttpRequest, key: str, document: str) -> HttpResponse:
    """The file itself; shown by the browser where it is a picture or a PDF."""
    patient = gate.open_patient(request, key, *areas.OPEN_DOCUMENTS)
    row = readable(request, patient, document)
    answer = file_answer(row, "document")
    gate.shown(request, "patient.document", patient, document=row.key)
    return answer


def readable(
    request: HttpRequest, patient: Patient, key: str
) -> AdministrativeDocument:
    """A document; a removed one for those who could put it back. Raises gate.Refused."""
    row = _row(request, patient, key)
    if row.removed and not request.user.has_perms(areas.WRITE_DOCUMENTS):
        raise gate.Refused(patient.key)
    return row


@require_http_methods(["GET", "HEAD", "POST"])
def file_document(request: HttpRequest, key: str) -> HttpResponse:
    """A new document, with its file."""
    patient = gate.open_patient(request, key, *areas.WRITE_DOCUMENTS)
    form = DocumentForm(
        request.POST or None,
        request.FILES or None,
        patient=patient,
        actor=request.user,
    )
    try:
        if request.method == "POST" and form.is_valid():
            form.take_the_file()
            filing.save(request, form.instance, "document.file")
            messages.success(request, _("The document is filed."))
            return redirect("patients:documents", key=patient.key)
    except SavedAlready:
        messages.info(
            request, _("This form was saved before, so nothing was saved again.")
        )
        return redirect("patients:documents", key=patient.key)
    return _form(request, patient, form, _("File document"))


@require_http_methods(["GET", "HEAD", "POST"])
def edit_document(request: HttpRequest, key: str, document: str) -> HttpResponse:
    """What is written on the folder; the file stays."""
    patient = gate.open_patient(request, key, *areas.WRITE_DOCUMENTS)
    row = _row(request, patient, document, removed__isnull=True)
    form = DocumentForm(
        request.POST or None, patient=patient, actor=request.user, instance=row
    )
    if request.method == "POST" and form.is_valid():
        filing.save(request, form.instance, "document.change")
        messages.success(request, _("The document is changed."))
        return redirect("patients:documents", key=patient.key)
    return _form(request, patient, form, _("Edit document"))


@require_http_methods(["GET", "HEAD", "POST"])
def remove_document(request: HttpRequest, key: str, document: str) -> HttpResponse:
    """Take a document out of the list, with a reason; it can be put back."""
    patient = gate.open_patient(request, key, *areas.WRITE_DOCUMENTS)
    row = _row(request, patient, document, removed__isnull=True)
    form = RemovalForm(data=request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        filing.save(request, form.mark(request.user), "document.remove")
        messages.success(
            request, _("The document is removed. Under “Removed” it can be put back.")
        )
        return redirect("patients:documents", key=patient.key)
    return _form(request, patient, form, _("Remove document"))


@require_POST
def restore_document(request: HttpRequest, key: str, document: str) -> HttpResponse:
    """Put a removed document back."""
    patient = gate.open_patient(request, key, *areas.WRITE_DOCUMENTS)
    row = _row(request, patient, document, removed__isnull=False)
    row.removed = row.removed_by = None
    row.removed_reason = ""
    filing.save(request, row, "document.restore")
    messages.success(request, _("The document is put back."))
    return redirect("patients:documents", key=patient.key)


def _documents(request: HttpRequest, patient: Patient) -> Any:
    return AdministrativeDocument.objects.about(patient, gate.reach(request))


def _row(
    request: HttpRequest, patient: Patient, key: str, **of: Any
) -> AdministrativeDocument:
    """This patient's document of this key, as though there were none of others'."""
    return gate.open_row(_documents(request, patient).filter(**of), key, patient)


def _form(
    request: HttpRequest, patient: Patient, form: Any, heading: str
) -> HttpResponse:
    gate.shown(request, "patient.document_form", patient)
    context = {"patient": patient, "form": form, "heading": heading}
    return render(request, "patients/document_form.html", context)
