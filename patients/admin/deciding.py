"""Deciding a request for access: grant it through a group that the person holds, or not.

Granting puts the patient into the group by PatientGroup.add; who may be put in is asked of
patients.self_gain, and nobody decides a request of one's own.
"""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from canvas_admin.audit import trail
from patients import access, intake, self_gain
from patients.admin import pages
from patients.admin.decision_forms import DeclineForm, GrantForm
from patients.admin.members import ADD
from patients.gate import require
from patients.models import (
    AccessRequest,
    ClosedMeanwhile,
    PatientGroup,
    PatientGroupMember,
)
from staffing.admin.acts import BACK, require_confirmation
from staffing.explanations import shown_moment
from staffing.models import User

VIEW = "patients.view_accessrequest"
CHANGE = "patients.change_accessrequest"
LIST = "admin:patients_accessrequest_changelist"

# So many of the people to whom a group opens its patients are named.
NAMED = 10


@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest, key: str) -> HttpResponse:
    """One request: who asks for whom, why and for how long, and what can be answered.

    Before it is granted it says to whom else the group opens the patient.
    """
    require(request, VIEW, CHANGE, ADD)
    asked = pages.row_or_404(AccessRequest.objects.with_people(), key)
    act = next((act for act in ACTS if act in request.POST), None)
    groups = intake.groups_of(asked.staff.user)
    posted = {act: request.POST}
    forms_shown = {
        "grant": GrantForm(asked, groups, posted.get("grant")),
        "decline": DeclineForm(asked, posted.get("decline")),
    }
    if act and _done(request, asked, act, forms_shown[act]):
        return redirect(LIST)
    asked = pages.row_or_404(AccessRequest.objects.with_people(), key)
    seen = pages.seen([asked.patient])
    trail.shown(request, "admin.access_request", seen, about=f"access_request/{key}")
    return pages.show(
        request,
        "decide",
        _("Request of %(name)s") % {"name": asked.staff.name},
        of=AccessRequest,
        asked=asked,
        own=asked.staff.user_id == request.user.pk,
        groups=groups,
        excluding=groups.filter(exclusions__patient=asked.patient),
        reached=bool(access.opened(asked.staff.user, [asked.patient_id])),
        **forms_shown,
    )


def _done(
    request: HttpRequest, asked: AccessRequest, act: str, form: DeclineForm
) -> bool:
    """Whether the request is decided now; if not, the form says why."""
    if not form.is_valid():
        return False
    try:
        if BACK in request.POST:
            raise ValidationError(_("Nothing is saved yet."))
        if not asked.is_open:
            raise ClosedMeanwhile(asked)
        self_gain.check_deciding(request.user, asked)
        messages.success(request, ACTS[act](request, asked, form))
    except self_gain.OwnRequest as refusal:
        trail.refused(
            request, f"access_request.{act}", asked.patient.key, reason=refusal.code
        )
        form.add_error(None, refusal)
    except ValidationError as refusal:
        form.add_error(None, refusal)
    return not form.errors


def _grant(request: HttpRequest, asked: AccessRequest, form: GrantForm) -> str:
    """Put the patient into the group and close the request, both or neither.

    Raises NeedsConfirmation before that where the group opens the patient to others, and
    ValidationError when it may not be, or when another administrator was first.
    """
    group, asker = form.cleaned_data["group"], asked.staff.user
    _ask_about_others(request, asked, group)
    with pages.changing(request, group, "access_request.grant"):
        current = asked.locked(form.cleaned_data["form_version"])
        _refuse_in_vain(current, group)
        self_gain.check_adding(request.user, group, [current.patient])
        until = form.cleaned_data["end_date"]
        row = group.add(current.patient, by=request.user, until=until)
        answer = form.cleaned_data["answer"]
        current.close(AccessRequest.State.GRANTED, request.user, answer, row)
        ((_key, path),) = access.paths_to(asker, [current.patient])
        current.record(
            "grant",
            request.user,
            pages.ADMINISTRATION,
            request,
            group=group.public_id,
            until=row.end_date.isoformat() if row.end_date else None,
            asker=f"staff/{current.staff.key}",
            asker_path=path,
        )
        pages.note(request, group, _("A member was put in, as somebody asked for it."))
        pages.note(request, current, _("Granted, by “%(g)s”.") % {"g": group})
    return _granted(current, group, row)


def _granted(asked: AccessRequest, group: PatientGroup, row: PatientGroupMember) -> str:
    """What is said afterwards: who was in the group already stays as long as planned."""
    words = {"name": asked.staff.name, "group": group}
    if row.end_date is None:
        return _("Granted: “%(group)s” opens the patient to %(name)s.") % words
    words["end"] = shown_moment(row.end_date)
    text = _("Granted: “%(group)s” opens the patient to %(name)s until %(end)s.")
    return text % words


def _decline(request: HttpRequest, asked: AccessRequest, form: DeclineForm) -> str:
    """Close the request; raises ValidationError when another administrator was first."""
    with transaction.atomic():
        current = asked.locked(form.cleaned_data["form_version"])
        answer = form.cleaned_data["answer"]
        current.close(AccessRequest.State.DECLINED, request.user, answer)
        asker = f"staff/{current.staff.key}"
        current.record(
            "decline", request.user, pages.ADMINISTRATION, request, asker=asker
        )
        pages.note(request, current, _("Declined."))
    return _("Declined. %(name)s reads your answer.") % {"name": current.staff.name}


ACTS = {"grant": _grant, "decline": _decline}


def _refuse_in_vain(asked: AccessRequest, group: PatientGroup) -> None:
    """Raises ValidationError when granting would not open the patient to who asked."""
    words = {"name": asked.staff.name, "group": group}
    if asked.patient.merged_into_id:
        raise ValidationError(
            _(
                "This record is not in use any more. Decline the request, and have "
                "%(name)s look for the patient again."
            )
            % words
        )
    if not intake.groups_of(asked.staff.user).filter(pk=group.pk).exists():
        raise ValidationError(
            _("%(name)s cannot open patients by “%(group)s” any more.") % words
        )


def _ask_about_others(
    request: HttpRequest, asked: AccessRequest, group: PatientGroup
) -> None:
    """Raises NeedsConfirmation unless it was seen whom else the group opens patients to."""
    holders = User.objects.live().filter(groups=group.auth_group_id)
    others = holders.exclude(pk=asked.staff.user_id).select_related("staff")
    first = others.order_by("staff__last_name", "username")[:NAMED]
    names = [user.get_full_name() for user in first]
    if not names:
        return
    more = others.count() - len(names)
    text = _(
        "“%(group)s” opens the patient to %(name)s, who asked, and to everybody else who "
        "holds it: %(names)s"
    )
    said = text % {"group": group, "name": asked.staff.name, "names": ", ".join(names)}
    if more > 0:
        tail = ngettext("and %(more)d person more", "and %(more)d people more", more)
        said = f"{said} {tail % {'more': more}}"
    about = ["access-request", asked.key, asked.version, group.public_id]
    require_confirmation(request, about, [said])
