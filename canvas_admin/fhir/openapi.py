"""The API as an OpenAPI document, from what the resources say of themselves."""

from collections.abc import Iterable
from typing import Any

from canvas_admin.fhir.capability import sorted_by_type
from canvas_admin.fhir.resources import Json, Resource

MEDIA = "application/fhir+json"
# What every search takes besides the parameters of its type.
RESULTS = {
    "_count": "How many on a page: 10, at most 100",
    "_offset": "How many to leave out: at most 10000",
    "_sort": "Names of an order, with a minus sign backwards",
    "_total": "none, or accurate to count above 10000",
    "_summary": "count for the number alone",
    "_elements": "The elements to return",
    "_include": "References to follow, such as Task:patient",
    "_revinclude": "Resources that refer to the matches",
}
ERRORS = {
    "400": "Malformed",
    "401": "No valid token",
    "403": "The account lacks a permission",
    "404": "Missing, or out of reach",
    "405": "Not supported",
    "406": "Another media type than JSON",
    "412": "Changed since it was read",
    "413": "Too large",
    "422": "Against a rule of the clinic's",
    "503": "The audit trail cannot be written",
}
_BY_ID = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]


def document(resources: Iterable[Resource]) -> Json:
    """An OpenAPI 3.0 document of these resources."""
    paths: Json = {
        "/metadata": {
            "get": {
                "summary": "What the API can do",
                "security": [],
                "responses": {"200": _answer("CapabilityStatement")},
            }
        }
    }
    for resource in sorted_by_type(resources):
        paths |= _paths(resource)
    return {
        "openapi": "3.0.3",
        "info": {"title": "Canvas Admin, FHIR R4", "version": "1"},
        "servers": [{"url": "/fhir"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Resource": {
                    "type": "object",
                    "required": ["resourceType"],
                    "properties": {"resourceType": {"type": "string"}},
                }
            },
        },
    }


def _paths(resource: Resource) -> Json:
    kind, may = resource.type, resource.permissions
    of_type, of_one = {}, {}
    if "search" in may:
        of_type["get"] = _operation(
            f"Search {kind}", {"200": _answer("Bundle")}, _searched(resource)
        )
    if "create" in may:
        of_type["post"] = _written(f"Create a {kind}", {"201": _empty()}, kind)
    if "read" in may:
        of_one["get"] = _operation(f"Read a {kind}", {"200": _answer(kind)})
    if "update" in may:
        of_one["put"] = _written(f"Update a {kind}", {"200": _empty()}, kind)
    found: Json = {f"/{kind}": of_type, f"/{kind}/{{id}}": of_one}
    for name, summary in resource.operations.items():
        done = _written(summary, {"200": _empty()}, "Parameters")
        found[f"/{kind}/{{id}}/${name}"] = {"post": done, "parameters": _BY_ID}
    for element in resource.files:
        read = _operation(f"The {element} of a {kind}", {"200": _file()})
        found[f"/{kind}/{{id}}/files/{element}"] = {"get": read, "parameters": _BY_ID}
    if of_one:
        of_one["parameters"] = _BY_ID
    return {path: operations for path, operations in found.items() if operations}


def _searched(resource: Resource) -> list[Json]:
    said = {name: p.documentation for name, p in resource.parameters.items()} | RESULTS
    return [
        {
            "name": name,
            "in": "query",
            "schema": _text(),
            **({"description": text} if text else {}),
        }
        for name, text in said.items()
    ]


def _operation(
    summary: str, answers: Json, parameters: Iterable[Json] = (), **more: Any
) -> Json:
    errors = {code: _answer("OperationOutcome", text) for code, text in ERRORS.items()}
    found: Json = {"summary": summary, "responses": answers | errors, **more}
    return found | ({"parameters": list(parameters)} if parameters else {})


def _written(summary: str, answers: Json, kind: str) -> Json:
    body = {"required": True, "content": _content(kind)}
    return _operation(summary, answers, requestBody=body)


def _answer(kind: str, text: str = "") -> Json:
    return {"description": text or f"A {kind}", "content": _content(kind)}


def _empty() -> Json:
    return {"description": "Done; the body is empty unless it is preferred"}


def _file() -> Json:
    schema = {"type": "string", "format": "binary"}
    return {"description": "The file", "content": {"*/*": {"schema": schema}}}


def _content(kind: str) -> Json:
    named = {"properties": {"resourceType": {"type": "string", "enum": [kind]}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Resource"}, named]}
    return {media: {"schema": schema} for media in (MEDIA, "application/json")}


def _text() -> Json:
    return {"type": "string"}
