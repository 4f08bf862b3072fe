"""Forms over keyed, versioned rows: public keys as values, and no lost update."""

import re
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import formats, timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from canvas_admin.records.models import key_from_form

_TOKEN = re.compile(r"[0-9A-Za-z]{32}")


class KeyedForm(forms.ModelForm):
    """A model form whose choices are named by public keys, never by integer ids."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            single = isinstance(field, forms.ModelChoiceField) and not isinstance(
                field, forms.ModelMultipleChoiceField
            )
            if single and field.to_field_name and self.instance.pk:
                self.initial[name] = getattr(self.instance, name, None)


class SavedAlready(Exception):
    """The form was sent before; `row` is what it made then."""

    def __init__(self, row: Any) -> None:
        super().__init__()
        self.row = row


class VersionedForm(KeyedForm):
    """Posts the version it was made from; refused when the row changed meanwhile.

    The refusal shows both versions, field by field; sending the form again saves it
    over the version that was shown (DESIGN section 3, "Two people editing").
    """

    form_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    # What an earlier attempt to save this very post was refused for; see KeyedAdmin.
    refusal: ValidationError | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "form_version" in self.fields:
            self.initial["form_version"] = self.instance.version

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.refusal:
            raise self.refusal
        if self.instance.pk:
            self._refuse_a_stale_version()
        return cleaned

    def _refuse_a_stale_version(self) -> None:
        rows = type(self.instance)._base_manager.filter(pk=self.instance.pk)
        with transaction.atomic():
            current = rows.select_for_update().get()
        if self.cleaned_data.get("form_version") == current.version:
            return
        self.data = self.data.copy()
        self.data[self.add_prefix("form_version")] = str(current.version)
        raise ValidationError(
            [
                _(
                    "Somebody saved this while you were editing. Nothing of yours is "
                    "saved yet. Compare the two and save again to replace theirs."
                ),
                *self._differences(current),
            ],
        )

    def _differences(self, current: Any) -> list[str]:
        theirs = type(self)(instance=current)
        return [
            _("%(field)s: yours is “%(yours)s”, saved is “%(theirs)s”.")
            % {
                "field": self.fields[name].label or name,
                "yours": _shown(self.cleaned_data.get(name)),
                "theirs": _shown(theirs.initial.get(name)),
            }
            for name in self.changed_data
            if not self.fields[name].widget.is_hidden
            and _shown(self.cleaned_data.get(name)) != _shown(theirs.initial.get(name))
        ]


class SavedOnceForm(VersionedForm):
    """A form that makes one row, however often it is sent (two tabs, a double click).

    A new row's unique key follows from the form's token and from `actor`, the account
    that fills it in; nobody can foretell it. Cleaning raises SavedAlready when the same
    form of the same person made its row before: before anything else, because what it
    made then (a user name) is in its own way now. A form that says something else now is
    refused instead, and its next sending is that of a new form.
    """

    form_token = forms.CharField(widget=forms.HiddenInput, required=False)
    actor: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["form_token"]
        else:
            self.initial["form_token"] = get_random_string(32)

    def clean(self) -> dict[str, Any]:
        if not self.instance.pk:
            self._take_the_key()
        return super().clean()

    def _take_the_key(self) -> None:
        token = self.cleaned_data.get("form_token", "")
        if not _TOKEN.fullmatch(token):
            raise ValidationError(_("This form is damaged. Open a new one."))
        rows = type(self.instance)._base_manager
        self.instance.key = key_from_form(type(self.instance), self.actor, token)
        if earlier := rows.filter(key=self.instance.key).first():
            if not self._differs_from(earlier):
                raise SavedAlready(earlier)
            self.data = self.data.copy()
            self.data[self.add_prefix("form_token")] = get_random_string(32)
            raise ValidationError(
                _(
                    "This form was sent before, and what it said then is saved. What it "
                    "says now is not saved: send it again to save it as another one."
                )
            )

    def _differs_from(self, earlier: Any) -> bool:
        """Whether something filled in here is not what the row has."""
        fields = earlier._meta.concrete_fields
        names = [f.name for f in fields if not isinstance(f, models.FileField)]
        said = {name: self.cleaned_data.get(name) for name in names}
        return any(
            _alike(value) != _alike(getattr(earlier, name))
            for name, value in said.items()
            if value not in (None, "")
        )


def _alike(value: Any) -> Any:
    """A text without what saving may change in it: case and space."""
    return " ".join(value.casefold().split()) if isinstance(value, str) else value


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return formats.date_format(timezone.localtime(value), "DATETIME_FORMAT")
    if isinstance(value, date):
        return formats.date_format(value)
    if isinstance(value, str):
        return value
    try:
        return ", ".join(sorted(str(item) for item in value)) or "–"
    except TypeError:
        return str(value)


class KeyedInlineFormSet(forms.BaseInlineFormSet):
    """An inline formset whose hidden row ids are public keys.

    A key of a row that is not in this formset's own queryset counts as no row at all,
    so a forged post cannot reach a foreign one.
    """

    def add_fields(self, form: forms.ModelForm, index: int | None) -> None:
        super().add_fields(form, index)
        key = form.instance.key if form.instance.pk else None
        form.fields[self.model._meta.pk.name] = _OwnRowField(
            self.get_queryset(), initial=key
        )
        # The parent is known from the address; its integer id need not be in the page.
        form.fields[self.fk.name].initial = None
        form.initial.pop(self.fk.name, None)

    def _get_to_python(self, field: Any) -> Any:
        rows = {row.key: row.pk for row in self.get_queryset()}

        def pk_of(key: str) -> int:
            if key not in rows:
                raise ValidationError(_("There is no such row here."))
            return rows[key]

        return pk_of


class _OwnRowField(forms.ModelChoiceField):
    """The hidden key of a formset's row."""

    def __init__(self, queryset: Any, **kwargs: Any) -> None:
        super().__init__(
            queryset,
            to_field_name="key",
            required=False,
            widget=forms.HiddenInput,
            **kwargs,
        )
