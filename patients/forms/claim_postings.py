"""Posting a payment or an adjustment on a claim, and reversing one."""

import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.records import clock
from patients.forms.fields import DayField
from patients.forms.profile import ProfileForm
from patients.models import Claim, ClaimPosting, ClaimState
from patients.revenue import claiming
from patients.revenue.balances import ADJUSTMENTS
from patients.revenue.claim_states import PAYER_PAYS
from staffing.models import staff_of


class MoneyPostedForm(ProfileForm):
    """A posting, new or to be reversed: the claim is looked at behind the lock."""

    @property
    def claim(self) -> Claim:
        return self.instance.claim

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.instance.claim = Claim.objects.get(pk=self.claim.pk)
        if self.claim.state == ClaimState.TRASH:
            raise ValidationError(_("Nothing is posted on a claim in the trash."))
        return cleaned

    def save(self, commit: bool = True) -> ClaimPosting:
        posting = super().save(commit)
        claiming.settle(posting.claim)
        return posting


class PostingForm(MoneyPostedForm):
    """Money that came in, or that nobody has to pay."""

    date = DayField(label=gettext_lazy("Date"))

    class Meta:
        model = ClaimPosting
        fields = ["kind", "amount", "date", "method", "reference", "flag"]
        help_texts = {
            "method": gettext_lazy("How it was paid; empty for an adjustment."),
            "reference": gettext_lazy("Such as the number of a check."),
            "flag": gettext_lazy(
                "What is odd about it: a task is made for who reviews postings. Empty "
                "when nothing is."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.posted_by = staff_of(self.actor)
        self.initial["date"] = clock.today()

    def clean_amount(self) -> Decimal:
        """The amount, above zero."""
        amount = self.cleaned_data["amount"]
        if amount <= 0:
            raise ValidationError(_("Write an amount above zero."))
        return amount

    def clean_date(self) -> datetime.date:
        """The date, not one to come."""
        day = self.cleaned_data["date"]
        if day > clock.today():
            raise ValidationError(_("This day has not come yet."))
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        kind, amount = cleaned.get("kind"), cleaned.get("amount")
        if kind in ADJUSTMENTS:
            cleaned["method"] = ""
            if amount and amount > claiming.balance(self.claim):
                self.add_error("amount", _("This is more than the balance."))
        elif kind and not cleaned.get("method"):
            self.add_error("method", _("Say how it was paid."))
        if kind == ClaimPosting.Kind.PAYER and self.claim.state not in PAYER_PAYS:
            self.add_error("kind", _("This claim was not filed with a payer."))
        return cleaned

    def save(self, commit: bool = True) -> ClaimPosting:
        posting = super().save(commit)
        if posting.flag:
            posting.raise_flag(self.actor)
        return posting


class ReversalForm(MoneyPostedForm):
    """Why a posting is reversed; it is kept, and counts no more."""

    reversed_reason = forms.CharField(
        label=gettext_lazy("Why is it reversed?"), max_length=255
    )

    class Meta:
        model = ClaimPosting
        fields = ["reversed_reason"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.instance.reversed = clock.now()
        self.instance.reversed_by = staff_of(self.actor)
        return cleaned

    def save(self, commit: bool = True) -> ClaimPosting:
        posting = super().save(commit)
        posting.end_tasks(self.actor, "CLOSED", _("Closed: the posting was reversed."))
        return posting
