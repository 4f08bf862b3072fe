"""The admin's controls where Django's own cannot be used by everybody (DESIGN section 11).

axe-core finds unlabelled parts in the stock chooser and in the split date and time.
"""

from typing import Any

from django import forms


class Chooser(forms.SelectMultiple):
    """Available on one side, chosen on the other: S2's "move the group".

    Without its script it is the plain list of everything, the chosen marked.
    """

    def __init__(self, plural: Any, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": "chooser", "size": 10} | (attrs or {}))
        self.plural = plural

    class Media:
        js = ("canvas_admin/chooser.js",)

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["attrs"]["data-plural"] = str(self.plural)
        return context


class DateControl(forms.DateInput):
    """The browser's own control for a date."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class MomentControl(forms.DateTimeInput):
    """The browser's own control for an instant, in the clinic's time zone.

    With seconds, so that saving a form changes no instant that nobody touched.
    """

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"step": 1} | (attrs or {}), format="%Y-%m-%dT%H:%M:%S")
