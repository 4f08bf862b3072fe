"""Programs that use the API, as the tests play them."""

import json
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from fhir.resources.R4B import get_fhir_model_class
from oauth2_provider.models import AccessToken, set_token_value

from canvas_admin.testing import make_application
from staffing.models import Application

FHIR_JSON = "application/fhir+json"


def bearer(staff: Any, scope: str = "") -> str:
    """A token by which a program acts for a staff member who consented."""
    application = Application.objects.filter(name="For tests").first()
    token = AccessToken(
        user=staff.user,
        application=application or make_application("For tests"),
        expires=timezone.now() + timedelta(minutes=10),
        scope=scope,
    )
    text = secrets.token_hex(20)
    set_token_value(token, text)
    token.save()
    return f"Bearer {text}"


class Program:
    """A client that acts as a staff member's account."""

    def __init__(
        self, staff: Any, accept: str = "application/json", scope: str = ""
    ) -> None:
        self.client = Client()
        self.headers = {"accept": accept, "authorization": bearer(staff, scope)}

    def get(self, path: str, query: Any = None, **headers: str) -> Any:
        """GET below the API's address."""
        return self.client.get(f"/fhir/{path}", query, headers=self.headers | headers)

    def read(self, path: str) -> dict[str, Any]:
        """One resource, which has to be there and valid."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.content
        return valid(answer.json())

    def search(self, kind: str, **query: Any) -> list[dict[str, Any]]:
        """The resources of one page, which have to be valid."""
        return [entry["resource"] for entry in self.bundle(kind, **query)["entry"]]

    def bundle(self, kind: str, **query: Any) -> dict[str, Any]:
        """One page of a search."""
        answer = self.get(kind, query)
        assert answer.status_code == 200, answer.content
        found = valid(answer.json())
        for entry in found.get("entry", []):
            valid(entry["resource"])
        return found

    def send(self, method: str, path: str, data: Any, **headers: str) -> Any:
        """POST or PUT a body as JSON."""
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        return self.client.generic(
            method,
            f"/fhir/{path}",
            body,
            content_type="application/json",
            headers=self.headers | headers,
        )

    def create(self, kind: str, data: Any, **headers: str) -> str:
        """Create a resource, and return its id."""
        answer = self.send("POST", kind, data, **headers)
        assert answer.status_code == 201, answer.content
        return answer["Location"].rpartition("/")[2]

    def update(self, path: str, data: Any, **headers: str) -> Any:
        """PUT a resource; the answer."""
        return self.send("PUT", path, data, **headers)


def queries(ask: Callable[..., Any], *args: Any, **kwargs: Any) -> int:
    """How many queries it takes to ask this."""
    with CaptureQueriesContext(connection) as taken:
        ask(*args, **kwargs)
    return len(taken)


def valid(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource, if it is one by the R4 definitions."""
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    return resource


def ids(resources: list[dict[str, Any]]) -> list[str]:
    """What the resources are called."""
    return [each["id"] for each in resources]


def said(answer: Any) -> tuple[int, str, str]:
    """Status, code and text of an OperationOutcome."""
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    (issue,) = body["issue"]
    assert issue["severity"] == "error"
    return answer.status_code, issue["code"], issue["details"]["text"]
