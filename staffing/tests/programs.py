"""What a program sends, and a page that says who it was taken for."""

import base64
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from rest_framework.decorators import api_view, authentication_classes
from rest_framework.request import Request
from rest_framework.response import Response

from canvas_admin.urls import urlpatterns as of_the_site
from staffing.models import Application
from staffing.tokens import BearerToken

FORM = "application/x-www-form-urlencoded"


@login_not_required
@api_view(["GET", "POST"])
@authentication_classes([BearerToken])
def whoami(request: Request) -> Response:
    """Who acts, and whether the scopes let the patients be read and searched."""
    asked = ("read", "search", "update")
    return Response(
        {
            "account": request.user.username,
            "name": request.user.get_full_name(),
            "application": request.auth.application.name,
            "may": [what for what in asked if request.auth.allows("Patient", what)],
            "groups": sorted(request.user.groups.values_list("name", flat=True)),
            "sees": request.user.has_perm("patients.view_patient"),
        }
    )


# A urlconf: the site, and whoami.
urlpatterns = [*of_the_site, path("whoami/", whoami, name="whoami")]


def post(url: str, data: dict[str, Any], **headers: str) -> HttpResponse:
    """A form as a program posts it."""
    body = urlencode(data)
    return Client().post(url, body, content_type=FORM, headers=headers)


def named(application: Application, **data: Any) -> dict[str, Any]:
    """Parameters with the credentials of an application."""
    return {
        "client_id": application.client_id,
        "client_secret": application.secret,
    } | data


def basic(client_id: str, secret: str) -> str:
    """The header by which a client names itself."""
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def ask(token: str, url: str = "/whoami/", **headers: str) -> HttpResponse:
    """A request of a program that has this token."""
    return Client().get(url, headers={"Authorization": f"Bearer {token}"} | headers)
