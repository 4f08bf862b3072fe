"""What staff do about a protocol's card in a chart."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from canvas_admin.audit import trail
from canvas_admin.protocols.models import ProtocolOverride, ProtocolResult
from canvas_admin.records import clock
from patients import areas, gate
from patients.models import Patient


@require_POST
def snooze(request: HttpRequest, key: str, result: str) -> HttpResponse:
    """Put a card off for `days` days, 365 at most; 0 takes that back."""
    patient = gate.open_patient(request, key, *areas.WRITE_CHART)
    rows = ProtocolResult.objects.visible_to(gate.reach(request))
    row = gate.open_row(rows.filter(patient=patient), result, patient)
    days = _days(request.POST.get("days", ""))
    if days is None or not row.protocol.can_be_snoozed:
        messages.error(request, _("This card cannot be put off so."))
        return redirect("patients:chart", patient.key)
    with transaction.atomic():
        seen = gate.still_open(request, patient)
        # Whoever else decides about the patient's cards waits here.
        Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
        about = {"protocol": row.protocol, "patient": patient}
        found = ProtocolOverride.objects.filter(**about).first()
        override = found or ProtocolOverride(**about)
        override.since, override.days = clock.now(), days or None
        override.by = request.user
        override.save()
        trail.done(
            request.user,
            "protocol.snoozed",
            seen,
            request=request,
            subject=f"protocol/{row.protocol.key}",
            days=days,
        )
    words = {"name": row.title}
    if override.until:
        words["day"] = formats.date_format(timezone.localdate(override.until))
        messages.success(request, _("“%(name)s” is put off until %(day)s.") % words)
    else:
        messages.success(request, _("“%(name)s” is not put off any more.") % words)
    return redirect("patients:chart", patient.key)


def _days(text: str) -> int | None:
    """A number of days within the limit; None for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= 3):  # noqa: PLR2004
        return None
    days = int(text)
    return days if days <= ProtocolOverride.LONGEST else None
