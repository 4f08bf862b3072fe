"""The API over HTTP: interactions of FHIR R4 with the resources that are registered.

Errors are OperationOutcomes (outcomes.py). What is missing and what is out of the caller's
reach are answered alike; every answer that shows patients is on the trail before it leaves.
"""

from email.utils import parsedate_to_datetime
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseBase, QueryDict
from django.utils.decorators import method_decorator
from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from canvas_admin.audit import trail
from canvas_admin.fhir import answers, capability, outcomes, paging
from canvas_admin.fhir.bundles import BrokenBundle, parse_json
from canvas_admin.fhir.outcomes import Problem
from canvas_admin.fhir.resources import RESOURCES, Json, Resource, permitted
from canvas_admin.fhir.searching import Search
from canvas_admin.fhir.validation import validated_body

FORM = "application/x-www-form-urlencoded"
NO_ADDRESS = (404, "not-found", "Unknown address")


class FhirJson(JSONRenderer):
    """FHIR's own name for JSON."""

    media_type = "application/fhir+json"
    format = "fhir"


class PlainJson(JSONRenderer):
    """What the original's clients ask for."""

    media_type = "application/json"


class AnyJson(BaseParser):
    """A body is JSON, whatever it is called, and if it is called nothing (facts 3.4)."""

    media_type = "*/*"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> Any:
        try:
            return parse_json(parser_context["request"]._request.body)
        except BrokenBundle as error:
            raise outcomes.invalid(f"body -> {error.reason}") from error


class Negotiation(DefaultContentNegotiation):
    """By Accept; `_format` is looked at by the view, which knows FHIR's words for it."""

    def filter_renderers(self, renderers: Any, format: str) -> Any:
        return renderers


@method_decorator(login_not_required, name="dispatch")
class FhirView(APIView):
    """What all views of the API share."""

    renderer_classes = [FhirJson, PlainJson]
    parser_classes = [AnyJson]
    permission_classes = [IsAuthenticated]
    content_negotiation_class = Negotiation
    schema = None
    http_method_names = ["get", "head", "post", "put"]

    def get_exception_handler(self) -> Any:
        return outcomes.respond

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        wanted = request.query_params.get("_format", "json")
        if wanted not in ("json", PlainJson.media_type, FhirJson.media_type):
            raise outcomes.invalid("_format: only json is supported")

    def permission_denied(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise exceptions.NotAuthenticated

    def finalize_response(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, *args, **kwargs)
        response["fumage-correlation-id"] = getattr(request, "correlation_id", "")
        response["Cache-Control"] = "no-store"
        return response

    def resource(self, name: str, interaction: str) -> Resource:
        """The resource type, for a caller who may do this with it.

        Raises Problem for a type that is not served, an interaction that it does not have,
        and a missing permission; the last is on the trail.
        """
        resource = RESOURCES.get(name)
        if resource is None:
            raise Problem(404, "not-found", f"Unknown resource type '{name[:64]}'")
        if interaction not in resource.permissions:
            raise Problem(*outcomes.NOT_SUPPORTED)
        try:
            permitted(self.request, name, interaction)
        except Problem:
            self.refused(resource, interaction)
            raise
        return resource

    def refused(
        self, resource: Resource, interaction: str, logical_id: str = ""
    ) -> None:
        """A refusal on the trail, after the rollback."""
        about = f"{resource.type}/{logical_id}"[:64] if logical_id else ""
        detail = {"about": about} if about else {}
        trail.refused(self.request, f"fhir:{resource.type}.{interaction}", **detail)

    def find(self, resource: Resource, interaction: str, logical_id: str) -> Any:
        """The row with this id; raises Problem, and records it, where there is none."""
        row = resource.find(self.request, logical_id)
        if row is None:
            self.refused(resource, interaction, _printable(logical_id))
            raise outcomes.unknown(resource.type, logical_id)
        return row


class Metadata(FhirView):
    """The CapabilityStatement, which needs no token (facts 5.5)."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        base = answers.base(request)
        return Response(capability.statement(base, RESOURCES.values()))


class TypeView(FhirView):
    """/Task: search, and create."""

    def get(self, request: Request, name: str) -> Response:
        return self.search(name, request.query_params)

    def post(self, request: Request, name: str) -> Response:
        resource = self.resource(name, "create")
        data = body(request, resource)
        try:
            row = resource.create(request, data)
        except PermissionDenied:
            # Whom it is about left the caller's reach meanwhile.
            self.refused(resource, "create")
            raise
        response = answers.written(request, resource, row, 201)
        response["Location"] = (
            f"{answers.base(request)}/{resource.type}/{resource.id_of(row)}"
        )
        return response

    def search(self, name: str, query: QueryDict) -> Response:
        """Search a type by these parameters."""
        request, resource = self.request, self.resource(name, "search")
        search = Search.read(query, resource.parameter, resource.sorts)
        if search.ignored and "handling=strict" in request.headers.get("Prefer", ""):
            raise outcomes.invalid(f"unknown parameters: {', '.join(search.ignored)}")
        found = resource.matches(request, search)
        last = paging.last_shown(request, resource, search)
        rows = found.page(search.offset, last, search.count + 1)
        total = paging.total(found, search, len(rows))
        shown = [] if search.summary == "count" else rows[: search.count]
        included = answers.included(request, resource, search, shown)
        seen = dict(resource.seen(request, shown))
        for other, others in included:
            seen |= dict(other.seen(request, others))
        trail.shown(request, f"fhir:{name}.search", seen.items(), rows=len(shown))
        bundle = answers.bundle(request, resource, search, shown, included, total)
        links = paging.links(query, search, resource, rows)
        return Response(answers.linked(request, resource, bundle, links))


class SearchView(TypeView):
    """/Task/_search: the same search, its parameters in the body."""

    http_method_names = ["post"]

    def post(self, request: Request, name: str) -> Response:
        if not (request.content_type or "").startswith(FORM):
            raise outcomes.invalid(f"_search: the body is {FORM}")
        query = request.query_params.copy()
        for key, values in QueryDict(request._request.body).lists():
            query.setlistdefault(key).extend(values)
        return self.search(name, query)


class InstanceView(FhirView):
    """/Task/<id>: read, and update."""

    def get(self, request: Request, name: str, logical_id: str) -> Response:
        resource = self.resource(name, "read")
        row = self.find(resource, "read", logical_id)
        trail.shown(
            request,
            f"fhir:{name}.read",
            resource.seen_in_read(request, row),
            about=f"{name}/{resource.id_of(row)}"[:64],
        )
        return answers.read(request, resource, row)

    def put(self, request: Request, name: str, logical_id: str) -> Response:
        resource = self.resource(name, "update")
        data = body(request, resource)
        row = self.find(resource, "update", logical_id)
        if data.get("id", logical_id) != logical_id:
            raise outcomes.invalid(
                "Logical Id in URL must match logical Id in resource"
            )

        def check(current: Any) -> None:
            _unchanged(request, resource, current)

        try:
            row = resource.update(request, row, data, check)
        except PermissionDenied as error:
            # It left the caller's reach meanwhile.
            self.refused(resource, "update", _printable(logical_id))
            raise outcomes.unknown(resource.type, logical_id) from error
        return answers.written(request, resource, row, 200)


class FileView(FhirView):
    """/Consent/<id>/files/sourceAttachment: a file, whatever media type is accepted."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        return super().perform_content_negotiation(request, force=True)

    def get(
        self, request: Request, name: str, logical_id: str, element: str
    ) -> HttpResponseBase:
        resource = self.resource(name, "read")
        if element not in resource.files:
            raise Problem(*NO_ADDRESS)
        if not request.user.has_perms(resource.files[element]):
            self.refused(resource, "read", _printable(logical_id))
            raise Problem(*outcomes.FORBIDDEN)
        row = self.find(resource, "read", logical_id)
        try:
            answer = resource.file(request, row, element)
        except Http404 as error:
            self.refused(resource, "read", logical_id)
            raise Problem(404, "not-found", "There is no such file") from error
        trail.shown(
            request,
            f"fhir:{name}.read",
            resource.seen(request, [row]),
            about=f"{name}/{resource.id_of(row)}"[:64],
            file=element,
        )
        return answer


class OperationView(FhirView):
    """/Practitioner/<id>/$send-reset-password-email, with Parameters, of which none counts."""

    http_method_names = ["post"]

    def post(
        self, request: Request, name: str, logical_id: str, operation: str
    ) -> Response:
        if name not in RESOURCES or operation not in RESOURCES[name].operations:
            raise Problem(*NO_ADDRESS)
        resource = self.resource(name, "update")
        data = request.data
        if not isinstance(data, dict) or data.get("resourceType") != "Parameters":
            raise outcomes.invalid("body -> resourceType — is not Parameters")
        row = self.find(resource, "update", logical_id)
        resource.operate(request, row, operation)
        return Response()


class Unknown(FhirView):
    """Every other address below the API's."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise Problem(*NO_ADDRESS)


def body(request: Request, resource: Resource) -> Json:
    """The resource that was sent, valid by the R4 definitions. Raises Problem otherwise."""
    data = request.data
    if not isinstance(data, dict):
        raise outcomes.invalid("body -> an object belongs here")
    if data.get("resourceType") != resource.type:
        raise outcomes.invalid(f"body -> resourceType — is not {resource.type}")
    return validated_body(data)


def _unchanged(request: Request, resource: Resource, row: Any) -> None:
    """Raises Problem (412) where the caller has seen an older version."""
    changed = resource.modified(row)
    since = request.headers.get("If-Unmodified-Since")
    if since and changed:
        try:
            asked = parsedate_to_datetime(since)
        except ValueError as error:
            raise outcomes.invalid("If-Unmodified-Since: is no HTTP date") from error
        if asked.tzinfo is None or changed.replace(microsecond=0) > asked:
            raise Problem(*outcomes.CHANGED)
    matched = request.headers.get("If-Match")
    if matched and answers.etag(changed) not in [
        each.strip() for each in matched.split(",")
    ]:
        raise Problem(*outcomes.CHANGED)


def _printable(text: str) -> str:
    return "".join(
        c if c.isascii() and (c.isalnum() or c in "-.") else "?" for c in text
    )
