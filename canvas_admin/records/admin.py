"""The admin over keyed rows: public keys in addresses, every change in the trail."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from canvas_admin.audit import trail
from canvas_admin.records.addresses import address, linked
from canvas_admin.records.forms import (
    KeyedInlineFormSet,
    SavedAlready,
    SavedOnceForm,
    VersionedForm,
)
from canvas_admin.records.validators import validate_seen
from canvas_admin.records.widgets import Chooser, DateControl, MomentControl

# The only comparisons that the declared filters put into an address.
FILTER_LOOKUPS = {"", "exact", "isnull", "gte", "lt"}
# So much of what is typed into a list's search is looked for.
LONGEST = 100


def _texts(request: HttpRequest) -> list[str]:
    return [text for _name, values in request.GET.lists() for text in values]


def _asks(entry: Any, lookup: str) -> bool:
    """Whether a declared filter puts this lookup into an address."""
    entry = entry[0] if isinstance(entry, tuple) else entry
    if isinstance(entry, str):
        field, _separator, comparison = lookup.partition("__")
        return field == entry and comparison in FILTER_LOOKUPS
    return lookup == entry.parameter_name


class KeyedChangeList(ChangeList):
    """A list whose links carry public keys, under the name of what it lists."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = capfirst(self.opts.verbose_name_plural)

    def url_for_result(self, result: Any) -> str:
        return self.model_admin.url_of(result)


class KeyedFields:
    """What the admin of a model and its inlines share: choices named by public keys.

    Choosers, dates and instants get the controls of records.widgets. A line of text holds
    nothing that does not show.
    """

    formfield_overrides = {
        models.DateField: {"widget": DateControl},
        models.DateTimeField: {
            "form_class": forms.DateTimeField,
            "widget": MomentControl,
        },
    }

    def formfield_for_manytomany(
        self, db_field: models.Field, request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        if db_field.name in self.filter_horizontal:
            kwargs.setdefault("widget", Chooser(db_field.verbose_name))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def formfield_for_dbfield(
        self, db_field: models.Field, request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        related = db_field.remote_field and db_field.remote_field.model
        if related is Group:
            kwargs["to_field_name"] = "name"
        elif related and hasattr(related, "public_field"):
            kwargs["to_field_name"] = related.public_field
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        if isinstance(db_field, models.CharField) and isinstance(
            field, forms.CharField
        ):
            field.validators.append(validate_seen)
        return field

    def get_fieldsets(
        self, request: HttpRequest, obj: Any = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        """The fieldsets; to who may only look, foreign keys link by public keys.

        The admin itself would put the integer id into the link.
        """
        fieldsets = self.fieldsets_for(request, obj)
        if self.has_change_permission(request, obj):
            return list(fieldsets)
        return [
            (title, {**options, "fields": [self._linked(n) for n in options["fields"]]})
            for title, options in fieldsets
        ]

    def fieldsets_for(self, request: HttpRequest, obj: Any) -> Any:
        """The declared fieldsets; a form that depends on its row overrides this."""
        return super().get_fieldsets(request, obj)

    def _linked(self, name: Any) -> Any:
        relations = {f.name: f for f in self.opts.fields if f.is_relation}
        if name not in relations:
            return name

        @admin.display(description=relations[name].verbose_name)
        def link(row: Any) -> str:
            related = getattr(row, name)
            return linked(related, self.admin_site.name) if related else "–"

        return link


class KeyedInline(KeyedFields, admin.TabularInline):
    """Rows of a parent, edited on its page."""

    formset = KeyedInlineFormSet
    extra = 0
    show_change_link = False


class KeyedAdmin(KeyedFields, admin.ModelAdmin):
    """The admin of a keyed model.

    There are no bulk actions, no pop-ups and no lookups but the declared filters. A
    model whose save() and delete() take `by` is told who acts.
    """

    form = VersionedForm
    actions = None
    show_facets = admin.ShowFacets.NEVER
    # The way to it is left out of the site.
    view_on_site = False
    tells_who_acts = False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        try:
            wanted = self.model._meta.get_field(self.model.public_field).to_python(
                object_id
            )
        except ValidationError:
            return None
        if "\x00" in object_id:
            return None
        rows = self.get_queryset(request)
        return rows.filter(**{self.model.public_field: wanted}).first()

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        form = super().get_form(request, obj, change, **kwargs)
        form.refusal = getattr(request, "refusal", None)
        form.actor = request.user
        return form

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form; what was saved before is not saved again."""
        try:
            return self._form_or_refusal(request, object_id, form_url, extra_context)
        except SavedAlready as before:
            return self._saved_already(request, before.row)

    def _form_or_refusal(self, request: HttpRequest, *args: Any) -> HttpResponse:
        """The form; what the save refuses is shown in it, with what was typed."""
        try:
            return super().changeform_view(request, *args)
        except ValidationError as refusal:
            self.record_refusal(request, "save", args[0], refusal)
            request.refusal = refusal
        except IntegrityError:
            request.refusal = ValidationError(
                _("Somebody saved something alike at this moment. Look, and try again.")
            )
        return super().changeform_view(request, *args)

    def record_refusal(
        self, request: HttpRequest, act: str, key: str | None, refusal: ValidationError
    ) -> None:
        """On the trail, when it has a code: a rule refused, not a slip of the pen.

        Call it after the refused transaction was rolled back (DESIGN section 9).
        """
        if code := getattr(refusal, "code", None):
            kind = self.opts.model_name
            trail.refused(
                request, f"{kind}.{act}", reason=code, about=f"{kind}/{key or ''}"
            )

    def get_urls(self) -> list[Any]:
        """Every address has a name; Django's nameless redirect of old ones is left out."""
        return [url for url in super().get_urls() if url.name]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeyedChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        pop_up = {IS_POPUP_VAR, TO_FIELD_VAR} & request.GET.keys()
        if pop_up or any("\x00" in text for text in _texts(request)):
            return HttpResponseRedirect(request.path)
        return super().changelist_view(request, extra_context)

    def lookup_allowed(
        self, lookup: str, value: str, request: HttpRequest | None = None
    ) -> bool:
        return any(_asks(entry, lookup) for entry in self.get_list_filter(request))

    def get_fieldsets(
        self, request: HttpRequest, obj: Any = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        """The declared fieldsets, with the hidden version and token of the form."""
        fieldsets = list(super().get_fieldsets(request, obj))
        shown = {field for _name, options in fieldsets for field in options["fields"]}
        if issubclass(self.form, VersionedForm) and "form_version" not in shown:
            if self.has_change_permission(request, obj):
                fieldsets.append((None, {"fields": ["form_version"]}))
        if issubclass(self.form, SavedOnceForm) and obj is None:
            fieldsets.append((None, {"fields": ["form_token"]}))
        return fieldsets

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet, search_term: str
    ) -> tuple[models.QuerySet, bool]:
        """Django's, for the beginning of the text: SQLite refuses a condition per word
        of a long one."""
        return super().get_search_results(request, queryset, search_term[:LONGEST])

    def url_of(self, obj: Any, page: str = "change") -> str:
        """The address of a row's admin page."""
        return address(obj, self.admin_site.name, page)

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        if self.tells_who_acts:
            obj.save(by=request.user)
        else:
            obj.save()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        if self.tells_who_acts:
            obj.delete(by=request.user)
        else:
            obj.delete()

    def delete_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The delete page; what came to hang on the row meanwhile is said, not a 500."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except IntegrityError:
            sentence = _("Somebody used this at this moment. Nothing is deleted.")
        self.message_user(request, sentence, messages.ERROR)
        return HttpResponseRedirect(request.path)

    def consequences(self, obj: Any) -> list[str]:
        """Sentences for the delete page: what goes with this row."""
        return [str(obj)]

    def protected_by(self, obj: Any) -> list[str]:
        """Sentences for the delete page: why this row cannot be deleted now."""
        return []

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        said = [sentence for obj in objs for sentence in self.consequences(obj)]
        protected = [sentence for obj in objs for sentence in self.protected_by(obj)]
        return said, {}, set(), protected

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._saved(request, obj)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._saved(request, obj)

    def response_delete(
        self, request: HttpRequest, obj_display: str, obj_id: Any
    ) -> HttpResponse:
        words = {"kind": self.opts.verbose_name, "name": obj_display}
        self.message_user(
            request, _("The %(kind)s “%(name)s” is deleted.") % words, messages.SUCCESS
        )
        return HttpResponseRedirect(self._list_url())

    def saved_sentence(self, obj: Any) -> str:
        """What is said after saving."""
        words = {"kind": obj._meta.verbose_name, "name": str(obj)}
        return _("The %(kind)s “%(name)s” is saved.") % words

    def _saved(self, request: HttpRequest, obj: Any) -> HttpResponse:
        self.message_user(request, self.saved_sentence(obj), messages.SUCCESS)
        if "_addanother" in request.POST and self.has_add_permission(request):
            add = f"admin:{self.opts.app_label}_{self.opts.model_name}_add"
            return HttpResponseRedirect(reverse(add))
        if "_continue" in request.POST and self.has_view_permission(request, obj):
            return HttpResponseRedirect(self.url_of(obj))
        return HttpResponseRedirect(self.list_with(obj))

    def _saved_already(self, request: HttpRequest, obj: Any) -> HttpResponse:
        sentence = _("This form was saved before, so nothing was saved again.")
        self.message_user(request, sentence, messages.INFO)
        return HttpResponseRedirect(self.url_of(obj))

    def list_with(self, obj: Any) -> str:
        """The address of the list in which this row is shown."""
        return self._list_url()

    def _list_url(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return self._log(request, obj, ADDITION, "added", message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if message == []:
            return None
        return self._log(request, obj, CHANGE, "changed", message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return [self._log(request, obj, DELETION, "deleted", "") for obj in queryset]

    def _log(
        self, request: HttpRequest, obj: Any, flag: int, verb: str, message: Any
    ) -> LogEntry:
        """The admin's history and the audit trail, both by the public key."""
        kind = obj._meta.model_name
        trail.done(
            request.user,
            f"{kind}.{verb}",
            request=request,
            subject=f"{kind}/{obj.public_id}",
        )
        return self.enter_in_history(request, obj, message, flag)

    def enter_in_history(
        self, request: HttpRequest, obj: Any, message: Any, flag: int = CHANGE
    ) -> LogEntry:
        """The admin's history alone: for an act that the trail has by its own name."""
        return LogEntry.objects.create(
            user_id=request.user.pk,
            content_type=ContentType.objects.get_for_model(
                obj, for_concrete_model=False
            ),
            object_id=obj.public_id,
            object_repr=str(obj)[:200],
            action_flag=flag,
            change_message=json.dumps(message)
            if isinstance(message, list)
            else message,
        )
