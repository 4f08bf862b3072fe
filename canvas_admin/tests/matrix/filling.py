"""Every form that a person meets, found by reading the pages, and filled in.

What a form asks for is read from its HTML: a new page's forms take part by themselves.
Where the first guess is no good value, `GOOD` says one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import Resolver404, resolve

TEXTS = {"text", "textarea", "search", "tel", "url"}
GUESSES = {
    "date": "2026-01-02",
    "time": "10:00",
    "datetime-local": "2031-01-02T10:00",
    "number": "1",
    "email": "someone@example.org",
    "tel": "555-0100",
}
FIRST = object()
# Values for which a guess is no good, by address and field; FIRST is the first choice.
GOOD: dict[str, dict[str, Any]] = {
    "patients:addresses-add": {"city": "Salem"},
    "patients:ask-review": {"assignee": FIRST, "team": ""},
    "patients:book": {"start_date": "2031-01-02"},
    "patients:claim-diagnosis-add": {"code": "E11.9"},
    "patients:claim-line-add": {"code": "99213"},
    "patients:claim-line-change": {"code": "99214"},
    "patients:claim-snooze": {"until": f"{date.today() + timedelta(days=30)}"},
    "patients:claim-state": {"to": FIRST, "reason": "it is complete"},
    "patients:hand-over": {"assignee": FIRST, "team": ""},
    "patients:immunizations-add": {"status": FIRST, "given": "2026-01-02"},
    "patients:names-add": {"use": "maiden", "family": "Ruiz"},
    "patients:record-refill": {"kind": "change", "proposal": "Another strength"},
    "patients:refill": {"note": "Seen in a visit first"},
    "patients:telecom-add": {"value": "555-0100"},
    "protocols:snooze": {"days": FIRST},
    "tasks:bulk": {"all": "on"},
    "tasks:create": {"assignee": FIRST, "team": ""},
    "tasks:create-for": {"assignee": FIRST, "team": ""},
    "tasks:hand-over": {"assignee": FIRST, "team": ""},
}
# These forms end the session, or belong to the account; nothing printed has one.
NOT_READ = ("account_", "mfa_", "usersessions_", "admin:", "patients:print-")


@dataclass
class Control:
    """A control of a form: `options` of a select or of radio buttons."""

    name: str
    kind: str
    value: str = ""
    required: bool = False
    options: list[str] = field(default_factory=list)

    @property
    def keyed(self) -> bool:
        """Whether it may name a row: a choice, or a hidden value that is no token."""
        hidden = self.kind in ("hidden", "submit") and len(self.value) >= 32
        return self.kind in ("select", "radio") or (hidden and "token" not in self.name)


@dataclass
class Form:
    """A form with method post, and where it leads."""

    page: str
    action: str
    controls: list[Control] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name of the address that it leads to."""
        return resolve(urlsplit(self.action).path).view_name

    def filled(self, **changes: Any) -> dict[str, Any]:
        """What a person posts who fills in what must be, and changes something."""
        data = {c.name: _filled(c) for c in self.controls if c.name}
        data = {name: value for name, value in data.items() if value is not None}
        data |= _changed(self.controls) | GOOD.get(self.name, {}) | changes
        for control in self.controls:
            if data.get(control.name) is FIRST:
                data[control.name] = next((o for o in control.options if o), "")
        return data


def _filled(control: Control) -> Any:
    if control.value or control.kind in ("checkbox", "hidden"):
        return control.value or None
    if control.kind == "file":
        return SimpleUploadedFile("card.pdf", b"%PDF-1.4 a card\n%%EOF")
    if control.kind in ("select", "radio"):
        return next((o for o in reversed(control.options) if o), "")
    if not control.required:
        return ""
    return GUESSES.get(control.kind, "Filled in")


def _changed(controls: list[Control]) -> dict[str, str]:
    """A change of what is there already: the first text, else the first choice."""
    for control in controls:
        if control.kind in TEXTS and control.value:
            return {control.name: f"{control.value}x"}
    for control in controls:
        others = [o for o in control.options if o not in ("", control.value)]
        if control.value and others:
            return {control.name: others[0]}
    return {}


class Reader(HTMLParser):
    """A page's forms and links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.form: Form | None = None
        self.control: Control | None = None

    def handle_starttag(self, tag: str, attrs: list) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and given.get("href", "").startswith("/"):
            self.links.append(given["href"])
        if tag == "form" and given.get("method") == "post":
            action = given.get("action") or self.page
            self.form = Form(self.page, action)
            self.forms.append(self.form)
        if self.form is None:
            return
        if tag in ("input", "select", "textarea", "button") and "disabled" not in given:
            self._take(tag, given)
        elif tag == "option" and self.control:
            self.control.options.append(given.get("value", ""))
            if "selected" in given:
                self.control.value = given.get("value", "")

    def _take(self, tag: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text") if tag in ("input", "button") else tag
        name = given.get("name", "")
        required = "required" in given
        if not name or name == "csrfmiddlewaretoken":
            return
        known = next((c for c in self.form.controls if c.name == name), None)
        if kind == "radio" and known:
            known.options.append(given.get("value", ""))
            known.value = given["value"] if "checked" in given else known.value
            return
        value = given.get("value", "")
        if kind in ("radio", "checkbox"):
            value = (value or "on") if "checked" in given else ""
        if kind == "submit" and known:
            return
        options = [given.get("value", "")] if kind == "radio" else []
        self.control = Control(name, kind, value, required, options)
        self.form.controls.append(self.control)

    def handle_data(self, data: str) -> None:
        if self.control and self.control.kind == "textarea" and data.strip():
            self.control.value = data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("select", "textarea"):
            self.control = None
        if tag == "form":
            self.form = self.control = None


def read(session: Client, pages: Iterable[str], also: Iterable[str] = ()) -> list[Form]:
    """The forms of these pages, and of those to which they lead: one of each kind.

    `also` are read although there is another page of their kind.
    """
    left, met = [*also, *pages], set()
    again = set(also)
    found: dict[tuple[str, tuple[str, ...]], Form] = {}
    while left:
        page = left.pop(0)
        kind = _kind(page)
        if kind is None or (kind in met and page not in again):
            continue
        if page not in again:
            met.add(kind)
        again.discard(page)
        answer = session.get(page)
        if answer.status_code != 200 or "text/html" not in answer["Content-Type"]:
            continue
        reader = Reader(page)
        reader.feed(answer.content.decode())
        left += reader.links
        for form in _ours(reader.forms):
            names = tuple(sorted({control.name for control in form.controls}))
            found.setdefault((form.name, names), form)
    return list(found.values())


def _ours(forms: Iterable[Form]) -> Iterator[Form]:
    return (f for f in forms if not f.name.startswith(NOT_READ))


def _kind(page: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """Pages of one kind have one address but for keys and dates; None is not read."""
    parts = urlsplit(page)
    try:
        name = resolve(parts.path).view_name
    except Resolver404:
        return None
    if name.startswith(NOT_READ) or name == "home":
        return None
    codes = ((n, v if v.isalpha() else "") for n, v in parse_qsl(parts.query))
    return name, tuple(sorted(codes))
