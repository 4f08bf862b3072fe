"""The account page, and how long a session still has."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from staffing.explanations import last_grants, origin
from staffing.models import staff_of
from staffing.permissions import grantable, meaning
from staffing.sessions import seconds_left


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """What the person who is signed in may do, and where each right came from."""
    grants = last_grants(request.user)
    held = [
        {
            "name": group.name,
            "meaning": meaning(group),
            "origin": origin(grants.get(group.pk)),
        }
        for group in grantable().filter(user=request.user)
    ]
    staff = staff_of(request.user)
    roles = staff.staff_roles.select_related("role") if staff else []
    return render(
        request, "staffing/account.html", {"held": held, "staff": staff, "roles": roles}
    )


@login_not_required
@require_safe
def session(request: HttpRequest) -> HttpResponse:
    """Seconds until this session ends by itself; asking does not prolong it."""
    left = seconds_left(request) if request.user.is_authenticated else 0
    response = JsonResponse({"seconds_left": left})
    response["Cache-Control"] = "no-store"
    return response


session.extends_session = False
