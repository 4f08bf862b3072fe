"""What every act on an incoming file shares: finding it, and coming too late."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from canvas_admin.records.models import find_row
from patients import linking
from patients.linking import State
from patients.models import IncomingFile


def find_unlinked(request: HttpRequest, key: str, *states: State) -> IncomingFile:
    """The file with this key that is not linked, and in one of these states if any.

    A linked one, whose patient may be out of reach, and a key that no file has are alike:
    raises PermissionDenied, and where something was to be done linking.TakenAlready.
    """
    rows = IncomingFile.objects.unlinked().select_related("assignee", "team")
    row = find_row(rows.filter(state__in=states) if states else rows, key)
    if row is None:
        raise linking.TakenAlready if request.method == "POST" else PermissionDenied
    return row


def or_taken(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view; where somebody was faster, back to the inbox, which shows what is now."""

    @wraps(view)
    def inner(request: HttpRequest, **names: str) -> HttpResponse:
        try:
            return view(request, **names)
        except linking.TakenAlready:
            said = _(
                "Somebody else has worked on this file. Nothing of yours is saved."
            )
            messages.warning(request, said)
            return redirect("patients:data-integration")

    return inner
