"""What comes in is parsed and validated by `fhir.resources`, R4B (DESIGN section 8)."""

from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from canvas_admin.fhir.bundles import Rejected

DEPTH_LIMIT = 32

# Not imported and not looked at; unknown types among the contained ones would stop the
# library with an error of its own.
LEFT_OUT = ("contained", "text")

# The library parses text that stands for an object; in its words that is bad JSON.
_PLAINER = {"json_invalid": "an object belongs here"}


def validated(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource as the R4B model writes it, every element of its own type.

    Raises Rejected with the element's path, never with its value.
    """
    try:
        return _validated(resource)
    except ValidationError as error:
        raise Rejected(_first(error)) from error


def validated_body(resource: dict[str, Any]) -> dict[str, Any]:
    """The same for the body of a request; what is wrong is said as facts 5.6 have it."""
    try:
        return _validated(resource)
    except ValidationError as error:
        raise Rejected(_as_path(error)) from error


def _validated(resource: dict[str, Any]) -> dict[str, Any]:
    data = {name: value for name, value in resource.items() if name not in LEFT_OUT}
    check_text(data)
    model = get_fhir_model_class(data["resourceType"]).model_validate(data)
    return model.model_dump(mode="json")


def _as_path(error: ValidationError) -> str:
    """Such as `body -> name -> 0 -> family — Field required (type=missing)`."""
    (first, *_more) = error.errors(include_input=False, include_url=False)
    path = " -> ".join(["body", *map(str, first["loc"])])
    words = _PLAINER.get(first["type"], first["msg"]).removeprefix("Value error, ")
    return f"{path} — {words} (type={first['type']})"


def check_text(data: Any, depth: int = 0) -> None:
    """Refuses what no database column takes, at any depth, and bottomless nesting.

    Raises Rejected for a NUL character, half a character pair, or too many levels.
    """
    if depth > DEPTH_LIMIT:
        raise Rejected("is nested too deeply")
    if isinstance(data, dict):
        for name, value in data.items():
            check_text(name)
            check_text(value, depth + 1)
    elif isinstance(data, list):
        for value in data:
            check_text(value, depth + 1)
    elif isinstance(data, str):
        if "\x00" in data:
            raise Rejected("has a NUL character in a text")
        if any("\ud800" <= letter <= "\udfff" for letter in data):
            raise Rejected("has half a character pair in a text")


def _first(error: ValidationError) -> str:
    """The first finding, with its path, and how many more there are."""
    findings = error.errors(include_input=False, include_url=False)
    path = ""
    for part in findings[0]["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    words = _PLAINER.get(findings[0]["type"], findings[0]["msg"])
    words = words.removeprefix("Value error, ")
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"{path.strip('.') or 'the resource'}: {words}{more}"
