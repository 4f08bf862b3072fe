"""The lines and the diagnoses of a claim."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.records import clock
from patients.forms.claims import refuse_what_is_underway
from patients.forms.profile import ProfileForm
from patients.models import Claim, ClaimDiagnosis, ClaimLine
from patients.models.claims import CPT, HCPCS, LETTERS
from patients.revenue import claiming
from staffing.models import staff_of

# CPT: four digits and a digit or a letter; HCPCS level II: a letter and four digits.
_CPT, _HCPCS = re.compile(r"[0-9]{4}[0-9A-Z]"), re.compile(r"[A-V][0-9]{4}")
_MODIFIER = re.compile(r"[0-9A-Z]{2}")
UNITS = [MinValueValidator(1), MaxValueValidator(999)]
MOST_MODIFIERS = MOST_POINTERS = 4


class ClaimPartForm(ProfileForm):
    """A row of a claim, which is changed while the state of the claim allows it."""

    @property
    def claim(self) -> Claim:
        return self.instance.claim

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        # As it is now, behind the lock: somebody may have moved it on.
        self.instance.claim = Claim.objects.get(pk=self.claim.pk)
        refuse_what_is_underway(self.claim)
        return cleaned


class DiagnosisForm(ClaimPartForm):
    """A diagnosis; a new one gets the next letter that is free."""

    class Meta:
        model = ClaimDiagnosis
        fields = ["code", "display"]
        help_texts = {"code": gettext_lazy("Such as I10 or E11.9.")}

    def clean_code(self) -> str:
        """The code in capitals, with its dot."""
        code = claiming.as_icd_10(self.cleaned_data["code"])
        if not code:
            raise ValidationError(_("Write an ICD-10 code, such as E11.9."))
        others = self.claim.diagnoses.filter(removed=None, code=code)
        if others.exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("This diagnosis is on the claim already."))
        return code

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.instance.pk:
            self.instance.letter = self._letter()
        return cleaned

    def _letter(self) -> str:
        taken = self.claim.diagnoses.filter(removed=None).values_list("letter")
        free = [each for each in LETTERS if (each,) not in set(taken)]
        if not free:
            raise ValidationError(_("A claim has room for twelve diagnoses."))
        return free[0]


class LineForm(ClaimPartForm):
    """A service; its diagnoses are named by the letters that they have on this claim."""

    modifiers = forms.CharField(
        label=gettext_lazy("Modifiers"),
        required=False,
        max_length=20,
        help_text=gettext_lazy("Up to four, such as 25 or 59."),
    )
    pointers = forms.CharField(
        label=gettext_lazy("Diagnoses"), required=False, max_length=20
    )

    class Meta:
        model = ClaimLine
        fields = ["code", "description", "modifiers", "units", "charge", "pointers"]
        help_texts = {
            "code": gettext_lazy("Such as 99213 or G0438."),
            "charge": gettext_lazy("For all units together."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["charge"].validators.append(MinValueValidator(0))
        self.fields["units"].validators += UNITS
        self.fields["pointers"].help_text = self._letters_in_words()

    def clean_code(self) -> str:
        """The code in capitals; what kind it is goes into the row."""
        code = self.cleaned_data["code"].strip().upper()
        for system, pattern in ((CPT, _CPT), (HCPCS, _HCPCS)):
            if pattern.fullmatch(code):
                self.instance.system = system
                return code
        raise ValidationError(_("Write a CPT or HCPCS code, such as 99213."))

    def clean_modifiers(self) -> str:
        """The modifiers in capitals, a space between two."""
        found = re.split(r"[\s,]+", self.cleaned_data["modifiers"].strip().upper())
        found = [each for each in found if each]
        if len(found) > MOST_MODIFIERS or not all(map(_MODIFIER.fullmatch, found)):
            sentence = _("Write up to four modifiers of two characters, such as 25 59.")
            raise ValidationError(sentence)
        return " ".join(found)

    def clean_pointers(self) -> str:
        """The letters, the most important first, each of a diagnosis of this claim."""
        found = re.sub(r"[\s,]+", "", self.cleaned_data["pointers"].upper())
        known = set(self._diagnoses().values_list("letter", flat=True))
        if len(found) > MOST_POINTERS or len(set(found)) < len(found):
            raise ValidationError(_("Name up to four diagnoses, each once."))
        if not set(found) <= known:
            raise ValidationError(_("The claim has no diagnosis of this letter."))
        return found

    def _diagnoses(self) -> Any:
        return self.claim.diagnoses.filter(removed=None)

    def _letters_in_words(self) -> str:
        rows = [f"{row.letter} {row.code}" for row in self._diagnoses()]
        if not rows:
            return _("The claim has no diagnosis yet.")
        return _("Their letters, the most important first: %(letters)s.") % {
            "letters": ", ".join(rows)
        }


class TakeOffForm(ClaimPartForm):
    """Why a row is taken off the claim; it is kept with this reason."""

    removed_reason = forms.CharField(
        label=gettext_lazy("Why is it taken off?"), max_length=255
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.instance.removed = clock.now()
        self.instance.removed_by = staff_of(self.actor)
        return cleaned


class TakeOffLineForm(TakeOffForm):
    """Takes a line off."""

    class Meta:
        model = ClaimLine
        fields = ["removed_reason"]


class TakeOffDiagnosisForm(TakeOffForm):
    """Takes a diagnosis off that no line names."""

    class Meta:
        model = ClaimDiagnosis
        fields = ["removed_reason"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        lines = self.claim.lines.filter(removed=None)
        if lines.filter(pointers__contains=self.instance.letter).exists():
            raise ValidationError(
                _("A line names this diagnosis. Change the line first.")
            )
        return cleaned
