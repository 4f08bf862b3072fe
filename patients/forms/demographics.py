"""The patient's own fields: birth, sex, gender, and whether active and living."""

from datetime import date, datetime, time
from typing import Any

from django.core.signing import Signer
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from canvas_admin.records.forms import VersionedForm
from patients.forms.fields import BirthDateField, DayField
from patients.forms.profile import HIDDEN
from patients.models import Patient

# What takes a patient out of lists and first results.
ENDS = {"active": False, "deceased": True}


class DemographicsForm(VersionedForm):
    """Making a patient inactive or deceased asks for a confirmation, and can be undone."""

    birth_date = BirthDateField(label=_("Date of birth"))
    died_on = DayField(
        label=_("Date of death"),
        required=False,
        help_text=_("Empty where it is not known."),
    )

    class Meta:
        model = Patient
        fields = [
            "birth_date",
            "birth_date_precision",
            "sex_at_birth",
            "gender",
            "active",
            "deceased",
        ]
        labels = {"birth_date_precision": _("Date of birth is known to the")}
        help_texts = {
            "birth_date_precision": _(
                "Where only the month or the year is known, take any day in it."
            ),
            "active": _("Lists and first results leave inactive patients out."),
            "deceased": _("Lists and first results leave deceased patients out."),
        }

    def __init__(self, *args: Any, actor: Any = None, **kwargs: Any) -> None:
        self.actor = actor
        super().__init__(*args, **kwargs)
        if died := self.instance.deceased_at:
            self.initial["died_on"] = timezone.localdate(died)

    @property
    def patient(self) -> Patient:
        """Whose demographics they are."""
        return self.instance

    @property
    def changed(self) -> list[str]:
        """The names of the fields that were changed, as the audit trail has them."""
        return [name for name in self.changed_data if name not in HIDDEN]

    @property
    def ends(self) -> list[str]:
        """What of "active" and "deceased" the form sets so that the patient leaves lists."""
        data = self.cleaned_data
        return [n for n, v in ENDS.items() if n in self.changed and data.get(n) is v]

    @property
    def unconfirmed(self) -> bool:
        """Whether the person has still to be told that the patient leaves lists."""
        if not self.ends:
            return False
        return not constant_time_compare(
            self.data.get("confirmation", ""), self.confirmation
        )

    @property
    def confirmation(self) -> str:
        """What the confirming button sends: good for this version and this change alone."""
        about = (self.actor.key, self.instance.key, str(self.instance.version))
        return Signer(salt="patients.off_the_lists").signature(
            "|".join((*about, *self.ends))
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if born := cleaned.get("birth_date"):
            born = _known(born, cleaned.get("birth_date_precision"))
            cleaned["birth_date"] = born
        died = cleaned.get("died_on")
        if died and not cleaned.get("deceased"):
            self.add_error("died_on", _("Tick “deceased”, or leave this empty."))
        elif died and died > clock.today():
            self.add_error("died_on", _("The date of death lies in the future."))
        elif died and born and died < born:
            self.add_error("died_on", _("The date of death lies before the birth."))
        return cleaned

    def save(self, commit: bool = True) -> Patient:
        """Save; a time of death that an import knew stays unless its day was changed."""
        if "died_on" in self.changed_data:
            died = self.cleaned_data["died_on"]
            midnight = died and datetime.combine(died, time())
            self.instance.deceased_at = midnight and timezone.make_aware(midnight)
        return super().save(commit)


def _known(born: date, precision: str | None) -> date:
    """The day with what is not known of it as 01 (facts 4)."""
    if precision == Patient.Precision.YEAR:
        return born.replace(month=1, day=1)
    if precision == Patient.Precision.MONTH:
        return born.replace(day=1)
    return born
