"""What a claim is made of, as data: lines, diagnoses, postings, and the forms of each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from patients import areas, gate
from patients.forms.claim_parts import (
    DiagnosisForm,
    LineForm,
    TakeOffDiagnosisForm,
    TakeOffLineForm,
)
from patients.forms.claim_postings import PostingForm, ReversalForm
from patients.forms.profile import ProfileForm
from patients.models import Claim
from patients.templatetags.patients import money
from patients.views.claims.showing import open_claim, saved, show_form


@dataclass(frozen=True)
class Part:
    """Rows of a claim under `related`: made by `form`, ended by `end_form` with a reason.

    `ended` is the field that says when one was ended, `end` how that is called, `warning`
    what follows from it; `words` says which row it is.
    """

    code: str
    related: str
    one: Any
    form: type[ProfileForm]
    end_form: type[ProfileForm]
    ended: str
    end: Any
    warning: Any
    words: Callable[[Any], str]
    changeable: bool = True

    @property
    def model(self) -> Any:
        return self.form._meta.model

    def open_row(self, claim: Claim, key: str) -> Any:
        """The claim's row of this key that is not ended; others' are like missing ones."""
        rows = getattr(claim, self.related).filter(**{self.ended: None})
        row = gate.open_row(rows.select_related("patient"), key, claim.patient)
        row.claim = claim
        return row


LINES = Part(
    "line",
    "lines",
    gettext_lazy("Line"),
    LineForm,
    TakeOffLineForm,
    "removed",
    gettext_lazy("Take off"),
    gettext_lazy(
        "The line no longer counts. It is kept on the claim, with this reason."
    ),
    words=lambda row: f"{row.code} {row.description}, {money(row.charge)}",
)
DIAGNOSES = Part(
    "diagnosis",
    "diagnoses",
    gettext_lazy("Diagnosis"),
    DiagnosisForm,
    TakeOffDiagnosisForm,
    "removed",
    gettext_lazy("Take off"),
    gettext_lazy("The diagnosis is kept on the claim as taken off, with this reason."),
    words=lambda row: f"{row.code} {row.display}",
)
POSTINGS = Part(
    "posting",
    "postings",
    gettext_lazy("Payment or adjustment"),
    PostingForm,
    ReversalForm,
    "reversed",
    gettext_lazy("Reverse"),
    gettext_lazy("The amount is owed again. The posting is kept, with this reason."),
    words=lambda row: f"{row.get_kind_display()}, {money(row.amount)}",
    changeable=False,
)
PARTS = (DIAGNOSES, LINES, POSTINGS)


@require_http_methods(["GET", "HEAD", "POST"])
def add_part(request: HttpRequest, key: str, claim: str, part: Part) -> HttpResponse:
    """A new row of a claim."""
    patient = gate.open_patient(request, key, *areas.WRITE_CLAIMS)
    row = part.model(claim=open_claim(request, patient, claim), patient=patient)
    heading = _("%(what)s (new)") % {"what": part.one}
    return _edit(request, part, part.form, row, "add", heading)


@require_http_methods(["GET", "HEAD", "POST"])
def change_part(
    request: HttpRequest, key: str, claim: str, row: str, part: Part
) -> HttpResponse:
    """A row of a claim that is there."""
    patient = gate.open_patient(request, key, *areas.WRITE_CLAIMS)
    found = part.open_row(open_claim(request, patient, claim), row)
    return _edit(request, part, part.form, found, "change", part.one)


@require_http_methods(["GET", "HEAD", "POST"])
def end_part(
    request: HttpRequest, key: str, claim: str, row: str, part: Part
) -> HttpResponse:
    """Take a line or a diagnosis off, or reverse a posting, with a reason."""
    patient = gate.open_patient(request, key, *areas.WRITE_CLAIMS)
    found = part.open_row(open_claim(request, patient, claim), row)
    heading = f"{part.end}: {part.one}"
    about = {"end": part.end, "warning": part.warning, "what": part.words(found)}
    return _edit(request, part, part.end_form, found, "end", heading, **about)


def _edit(
    request: HttpRequest,
    part: Part,
    form_class: type[ProfileForm],
    row: Any,
    verb: str,
    heading: Any,
    **about: Any,
) -> HttpResponse:
    """The form; once it is saved, the claim again."""
    patient, claim = row.claim.patient, row.claim
    form = form_class(request.POST or None, actor=request.user, instance=row)
    if request.method == "POST":
        said = _("“%(what)s” is saved.") % {"what": part.one}
        act = f"claim.{part.code}.{verb}"
        answer = saved(request, form, act, said, lambda row: row.claim)
        if answer:
            return answer
    return show_form(request, patient, form, str(heading), claim, **about)
