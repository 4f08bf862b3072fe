"""What a browser would post: the fields of a page's form, as they stand."""

from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client

from canvas_admin.records.addresses import address


class _Fields(HTMLParser):
    """Collects the successful controls of the page's forms with method post."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id, self.inside = form_id, False
        self.found: dict[str, list[str]] = {}
        self.select = self.area = ""
        self.options: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        given = dict(attrs)
        if tag == "form":
            self.inside = not self.form_id or given.get("id") == self.form_id
        name = given.get("name")
        if tag == "select":
            self.select, self.options = name or "", []
            self.several = "multiple" in given
        if tag == "option" and self.select:
            self.options.append((given.get("value", ""), "selected" in given))
        if tag == "textarea" and name:
            self.area = name
            self._add(name, "")
        if tag != "input" or not name or "disabled" in given:
            return
        kind = given.get("type", "text")
        if kind == "submit" or (
            kind in ("checkbox", "radio") and "checked" not in given
        ):
            return
        unsaid = "on" if kind in ("checkbox", "radio") else ""
        self._add(name, given.get("value", unsaid))

    def handle_data(self, data: str) -> None:
        if self.area and self.inside:
            self.found[self.area] = [data.removeprefix("\n")]

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.area = ""
        if tag == "form":
            self.inside = False
        if tag == "select" and self.select:
            chosen = [value for value, selected in self.options if selected]
            if not chosen and not self.several and self.options:
                chosen = [self.options[0][0]]
            for value in chosen:
                self._add(self.select, value)
            self.select = ""

    def _add(self, name: str, value: str) -> None:
        if self.inside:
            self.found.setdefault(name, []).append(value)


def fields_of(response: HttpResponse, form_id: str = "") -> dict[str, Any]:
    """The fields of the form with this id, or of every form of the page."""
    parser = _Fields(form_id)
    parser.feed(response.content.decode())
    parser.found.pop("csrfmiddlewaretoken", None)
    return parser.found


def submit(client: Client, url: str, form_id: str, /, **changes: Any) -> HttpResponse:
    """Open a page, change some fields of its form, and post it."""
    data = fields_of(client.get(url), form_id)
    return client.post(url, data | {"_save": "Save"} | changes)


def errors_of(response: HttpResponse) -> str:
    """Every error that a page of the administration shows, as one text."""
    shown = response.context["errors"] if response.context else []
    return " ".join(str(error) for errors in shown for error in errors)


def history_of(client: Client, row: Any) -> list[str]:
    """The sentences in a row's history in the administration, oldest first."""
    answer = client.get(address(row, page="history"))
    return [entry.get_change_message() for entry in answer.context["action_list"]]
