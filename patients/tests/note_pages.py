"""What the tests of notes over HTTP share: addresses, and one post of a form just opened."""

from typing import Any

from django.test import Client

from staffing.tests.pages import fields_of, submit

FORM = "note_form"


def at(patient: Any, *parts: str) -> str:
    """at(ada, note.key, "sign"): the address of a page about a patient's notes."""
    return "/".join(["/patient", patient.key, "notes", *parts, ""])


def of(command: Any, kind: str, *parts: str) -> str:
    """of(plan, "plan", "commit"): the address of a page about a command."""
    return at(command.patient, command.note.key, "commands", kind, command.key, *parts)


def post(client: Client, url: str, **values: Any) -> Any:
    """Open a form, fill it in, and post it."""
    return submit(client, url, FORM, **values)


def opened(client: Client, url: str) -> dict[str, Any]:
    """The fields of a form just opened."""
    return fields_of(client.get(url), FORM)
