"""What the API answers: resources, bundles and their links, headers (facts 5.5)."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from canvas_admin.audit import trail
from canvas_admin.fhir import outcomes
from canvas_admin.fhir.resources import RESOURCES, Json, Resource, permitted
from canvas_admin.fhir.searching import Search

# What every resource keeps, whatever _elements leaves out.
ALWAYS = {"resourceType", "id", "meta"}
SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}
# So many resources a _revinclude brings.
MOST_INCLUDED = 1_000
Included = list[tuple[Resource, Sequence[Any]]]


def base(request: Request) -> str:
    """The address of the API, without a slash at its end."""
    return request.build_absolute_uri(reverse("fhir:base")).rstrip("/")


def file_address(request: Request, kind: str, logical_id: str, element: str) -> str:
    """Where a file of a resource is had, with a token (facts 5.1)."""
    place = reverse("fhir:file", args=[kind, logical_id, element])
    return request.build_absolute_uri(place)


def absolute(request: Request) -> bool:
    """Whether links are absolute: for FHIR's own media type (DESIGN section 8)."""
    return request.accepted_media_type.startswith("application/fhir+json")


def etag(changed: datetime | None) -> str:
    """Which state of a resource this is: that of a moment; "" where it is not known."""
    return f'W/"{changed.timestamp() * 1e6:.0f}"' if changed else ""


def read(request: Request, resource: Resource, row: Any) -> Response:
    """One resource."""
    return _headed(Response(resource.read(request, row)), resource, row)


def written(request: Request, resource: Resource, row: Any, status: int) -> Response:
    """The answer to a write: empty, or the resource if that is preferred (DESIGN 8)."""
    if "return=representation" not in request.headers.get("Prefer", ""):
        return _headed(Response(status=status), resource, row)
    seen = resource.seen_in_read(request, row)
    trail.shown(request, f"fhir:{resource.type}.read", seen)
    response = read(request, resource, row)
    response.status_code = status
    return response


def _headed(response: Response, resource: Resource, row: Any) -> Response:
    if changed := resource.modified(row):
        response["Last-Modified"] = format_datetime(changed, usegmt=True)
        response["ETag"] = etag(changed)
    return response


def bundle(
    request: Request,
    resource: Resource,
    search: Search,
    rows: Sequence[Any],
    included: Included,
    total: int | None,
) -> Json:
    """A searchset of these matches and what goes with them."""
    entries = list(_entries(request, resource, rows, search.elements, "match"))
    for other, others in included:
        entries += _entries(request, other, others, (), "include")
    found: Json = {"resourceType": "Bundle", "type": "searchset"}
    if total is not None:
        found["total"] = total
    if search.summary != "count":
        found["entry"] = entries
    return found


def linked(
    request: Request, resource: Resource, found: Json, links: dict[str, str]
) -> Json:
    """The bundle with its links; an empty one has none (facts 5.5)."""
    if not found.get("entry"):
        return found
    before = base(request) if absolute(request) else ""
    return found | {
        "link": [
            {"relation": relation, "url": f"{before}/{resource.type}?{query}"}
            for relation, query in links.items()
        ]
    }


def _entries(
    request: Request,
    resource: Resource,
    rows: Sequence[Any],
    elements: Sequence[str],
    mode: str,
) -> Iterator[Json]:
    for data in resource.to_fhir(request, rows):
        entry: Json = {"resource": _subset(data, elements)}
        if absolute(request):
            entry["fullUrl"] = f"{base(request)}/{resource.type}/{data['id']}"
        if absolute(request) or mode == "include":
            entry["search"] = {"mode": mode}
        yield entry


def _subset(data: Json, elements: Sequence[str]) -> Json:
    if not elements:
        return data
    kept = {k: v for k, v in data.items() if k in ALWAYS or k in elements}
    meta = dict(kept.get("meta") or {})
    meta["tag"] = [*meta.get("tag", []), SUBSETTED]
    return kept | {"meta": meta}


def included(
    request: Request, resource: Resource, search: Search, rows: Sequence[Any]
) -> Included:
    """What _include and _revinclude bring: of types that the caller may search.

    Raises Problem for a reference that nobody knows and for a missing permission.
    """
    found: dict[str, dict[Any, None]] = {}
    for text in search.include:
        source, name, target = _asked(text)
        follow = resource.includes.get(name)
        if source != resource.type or follow is None or target not in ("", follow.type):
            raise outcomes.invalid(f"_include: '{text[:60]}' is not supported")
        other = permitted(request, follow.type)
        keys = {key for row in rows for key in _keys(row, follow.path)}
        others = other.rows(request).filter(pk__in=keys)
        found.setdefault(follow.type, {}).update(dict.fromkeys(others))
    for text in search.revinclude:
        source, name, _target = _asked(text)
        other = RESOURCES.get(source)
        follow = other.includes.get(name) if other else None
        if follow is None or follow.type != resource.type:
            raise outcomes.invalid(f"_revinclude: '{text[:60]}' is not supported")
        permitted(request, source)
        pks = [row.pk for row in rows]
        others = other.referring(request, follow.path, pks, MOST_INCLUDED)
        found.setdefault(source, {}).update(dict.fromkeys(others))
    return [(RESOURCES[kind], list(others)) for kind, others in found.items()]


def _asked(text: str) -> tuple[str, str, str]:
    parts = [*text.split(":"), "", ""]
    return parts[0], parts[1], parts[2]


def _keys(row: Any, path: str) -> Iterator[Any]:
    for part in path.split("__")[:-1]:
        row = getattr(row, part, None)
    key = getattr(row, f"{path.rpartition('__')[2] or path}_id", None)
    if key is not None:
        yield key
