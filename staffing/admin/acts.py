"""Pages of the administration that ask before they act, and that show a link once."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from canvas_admin.records.admin import KeyedAdmin
from staffing.accounts import one_time_link
from staffing.models import User

ANSWER, BACK = "confirmed", "_back"
NOT_POSTED_AGAIN = {"csrfmiddlewaretoken", ANSWER, BACK}
MAX_AGE = 15 * 60


class NeedsConfirmation(Exception):
    """The save is allowed, but its author has not yet seen what it opens."""

    def __init__(self, answer: str, sentences: list[str]) -> None:
        super().__init__()
        self.answer = answer
        self.sentences = sentences


def require_confirmation(
    request: HttpRequest, what: list[Any], sentences: list[str]
) -> None:
    """Raise NeedsConfirmation unless this very change was confirmed by this person.

    `what` says whom and what it is about. The answer is signed with it and with the
    sentences, so an answer to another question, an old one and a forged one are no
    answer: what a role gives may change meanwhile (DESIGN section 5).
    """
    about = [request.user.key, *what, *sentences]
    signer = signing.TimestampSigner(salt="staffing.confirmation")
    try:
        given = signer.unsign_object(request.POST.get(ANSWER, ""), max_age=MAX_AGE)
    except (signing.BadSignature, ValueError):
        given = None
    if given != about:
        raise NeedsConfirmation(signer.sign_object(about), sentences)


class Confirming:
    """An admin whose save may ask for a confirmation, by raising NeedsConfirmation."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if BACK in request.POST:
            request.refusal = ValidationError(_("Nothing is saved yet."))
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except NeedsConfirmation as asked:
            return self._ask(request, asked)

    def _ask(self, request: HttpRequest, asked: NeedsConfirmation) -> HttpResponse:
        posted = [
            (name, value)
            for name, values in request.POST.lists()
            if name not in NOT_POSTED_AGAIN
            for value in values
        ]
        return page(
            self,
            request,
            "admin/staffing/confirm.html",
            title=_("Please confirm"),
            sentences=asked.sentences,
            posted=[*posted, (ANSWER, asked.answer)],
        )


def page(
    model_admin: ModelAdmin, request: HttpRequest, template: str, **context: Any
) -> HttpResponse:
    """A page in the frame of the administration."""
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(
        request,
        template,
        {
            **model_admin.admin_site.each_context(request),
            "opts": model_admin.opts,
            **context,
        },
    )


def show_link(
    model_admin: KeyedAdmin, request: HttpRequest, user: User, back: str, **context: Any
) -> HttpResponse:
    """Show a new one-time link: here and now only, for it is stored nowhere.

    Call it inside a transaction: the link is on the trail and in the account's history.
    """
    model_admin.enter_in_history(request, user, _("A sign-in link was made."))
    return page(
        model_admin,
        request,
        "admin/staffing/link.html",
        title=_("Sign-in link for %(name)s") % {"name": user.get_username()},
        link=one_time_link(request, user),
        back=back,
        **context,
    )
