"""A new patient: the form, the duplicate warning, the receipt (S2; security A4, A7)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from canvas_admin.audit import trail
from patients import access, areas, gate, intake
from patients.decisions import page_open_to
from patients.forms import PatientForm
from patients.models import Patient
from staffing.groups import STAFF_PERMISSIONS
from staffing.models import User

CHECKS_PER_HOUR = 60
RECEIPT = "patients.receipt"


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Create a patient; a second look is asked for when there may be one already.

    S2: "Users will continue to get warnings regarding duplicate patients if they try to
    create a new patient with the same name and DOB as an existing patient, whether or
    not they have access to the existing patient."
    """
    gate.require(request, *areas.CREATE_PATIENT)
    if request.method != "POST":
        return _form(request, PatientForm(request.user))
    form = PatientForm(request.user, request.POST)
    if not form.is_valid():
        return _form(request, form)
    try:
        intake.refuse_second_saving(request.user, form.cleaned_data["form_token"])
        if not form.confirmed:
            if not _may_check(request):
                return _form(request, form, status=429, checks=CHECKS_PER_HOUR)
            if _is_known(request, form):
                return _form(request, form, warning=True)
        patient = intake.create_patient(
            creator=request.user, request=request, **form.fields_of_patient()
        )
        messages.success(request, _("The patient was created."))
    except intake.SavedAlready as before:
        patient = before.patient
        messages.info(
            request, _("This form was saved before, so nothing was saved again.")
        )
    return _where_to(request, patient)


@require_safe
def receipt(request: HttpRequest) -> HttpResponse:
    """What a creator who cannot open the new patient needs to know, and whom to ask."""
    gate.require(request, *areas.CREATE_PATIENT)
    patient = Patient.objects.filter(key=request.session.get(RECEIPT, "")).first()
    if patient is None:
        return redirect("patients:create")
    if area := page_open_to(request.user, patient):
        return redirect(area.url_name, key=patient.key)
    administrators = (
        User.objects.able_to_sign_in()
        .filter(groups__managed__code=STAFF_PERMISSIONS)
        .select_related("staff")
        .order_by("username")
    )
    context = {
        "name": patient.name,
        "birth_date": patient.birth_date,
        "administrators": [user.get_full_name() for user in administrators[:5]],
    }
    trail.shown(request, "patient.receipt", access.paths_to(request.user, [patient]))
    return render(request, "patients/receipt.html", context)


def _form(
    request: HttpRequest, form: PatientForm, status: int = 200, **context: object
) -> HttpResponse:
    context["form"] = form
    return render(request, "patients/create.html", context, status=status)


def _may_check(request: HttpRequest) -> bool:
    return trail.within_ration(
        request, "duplicate-check", CHECKS_PER_HOUR, "patient.duplicate_check"
    )


def _is_known(request: HttpRequest, form: PatientForm) -> bool:
    """Whether a patient of this name and date of birth exists; audited either way."""
    data = form.cleaned_data
    found = intake.duplicates(data["first_name"], data["last_name"], data["birth_date"])
    trail.shown(
        request,
        "patient.duplicate_check",
        access.paths_to(request.user, found),
        known=bool(found),
    )
    return bool(found)


def _where_to(request: HttpRequest, patient: Patient) -> HttpResponse:
    """The chart or profile if it is open to the creator, else the receipt."""
    if area := page_open_to(request.user, patient):
        return redirect(area.url_name, key=patient.key)
    request.session[RECEIPT] = patient.key
    return redirect("patients:receipt")
