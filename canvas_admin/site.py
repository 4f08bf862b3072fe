"""The clinic's admin site, and the pages that belong to no room."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views import defaults

from canvas_admin.fhir.outcomes import outcome
from canvas_admin.records.admin import KeyedFields
from staffing.groups import ADMINISTER, FIND


class ClinicAdminSite(AdminSite):
    """The Django admin, open to holders of an administration group (DESIGN section 5).

    People sign in on the one sign-in page; the admin has none of its own.
    """

    site_title = _("Administration")
    site_header = settings.CLINIC_NAME
    index_title = _("Administration")
    enable_nav_sidebar = False
    final_catch_all_view = False
    # Served elsewhere (one's own password), or of no use without pop-ups and ids.
    left_out = {
        "password_change",
        "password_change_done",
        "view_on_site",
        "autocomplete",
    }

    def register(
        self, model_or_iterable: Any, admin_class: Any = None, **options: Any
    ) -> None:
        """Register our own admin classes alone.

        Libraries register theirs on the default site too; those would be a side door to
        sessions, second factors and mail addresses.
        """
        if admin_class is not None and issubclass(admin_class, KeyedFields):
            super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[Any]:
        return [
            url
            for url in super().get_urls()
            if getattr(url, "name", None) not in self.left_out
        ]

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ADMINISTER)

    def admin_view(self, view: Callable, cacheable: bool = False) -> Callable:
        """Django's guard, but whoever is signed in without the right is refused at once."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied
            return guarded(request, *args, **kwargs)

        return inner

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Django's list; its name for the auth groups would be jargon."""
        found = super().get_app_list(request, app_label)
        for room in found:
            if room["app_label"] == "auth":
                room["name"] = _("Auth groups")
        return found

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.get_full_path())


def clinic(request: HttpRequest) -> dict[str, Any]:
    """Context: the clinic's name and how long an idle session lasts, in seconds."""
    return {
        "clinic_name": settings.CLINIC_NAME,
        "demo": settings.DEMO,
        "session_idle": int(settings.SESSION_IDLE.total_seconds()),
    }


def home(request: HttpRequest) -> HttpResponse:
    """Where a person starts: the patients, or the account page without any of the twelve."""
    if request.user.has_perm(FIND):
        return redirect("patients:list")
    return redirect("staffing:account")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that is too large or makes no sense: say so, and that nothing was saved."""
    return render(request, "400.html", status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Something is broken: a page for people, an OperationOutcome for programs."""
    if request.path.startswith(reverse("fhir:base")):
        body = outcome("exception", "Internal server error")
        answer = JsonResponse(body, status=500, content_type="application/fhir+json")
        answer["fumage-correlation-id"] = getattr(request, "correlation_id", "")
        return answer
    return defaults.server_error(request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form from an old page: say so, and that nothing was saved."""
    return render(request, "csrf.html", status=403)
