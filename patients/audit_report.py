"""Reports on who saw and changed what, for holders of "Audit read" (security A11, P39).

Of patients a report shows the name and the date of birth, whoever may open them, and
nothing that the trail says of them besides: no detail of an act about a patient.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import sheets
from canvas_admin.records.validators import validate_seen
from canvas_admin.records.widgets import DateControl
from patients.models import Patient
from patients.templatetags.patients import born
from staffing.models import Staff, User

# The trail's word for what a report may show of patients out of reach (A11).
AUDIT = "audit-read"
AT_ONCE = 500

HEADINGS = {
    "recorded": gettext_lazy("When"),
    "actor_name": gettext_lazy("Person"),
    "action": gettext_lazy("Act"),
    "outcome": gettext_lazy("Outcome"),
    "patient": gettext_lazy("Patient"),
    "access_path": gettext_lazy("Opened by"),
    "subject": gettext_lazy("About"),
    "address": gettext_lazy("Address"),
}
BOUNDS = [MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(9000, 1, 1))]


class ReportForm(forms.Form):
    """What a report is about; the patient is chosen beside it, by the picker."""

    since = forms.DateField(
        label=gettext_lazy("From"), widget=DateControl, validators=BOUNDS
    )
    until = forms.DateField(
        label=gettext_lazy("Until, this day included"),
        widget=DateControl,
        validators=BOUNDS,
    )
    person = forms.CharField(
        label=gettext_lazy("Person"),
        help_text=gettext_lazy("A user name, as it is typed to sign in."),
        required=False,
        max_length=150,
        validators=[validate_seen],
    )
    outcome = forms.ChoiceField(
        label=gettext_lazy("What happened"),
        required=False,
        choices=[
            ("", gettext_lazy("everything")),
            (AuditRow.Outcome.SHOWN, gettext_lazy("something was shown")),
            (AuditRow.Outcome.DONE, gettext_lazy("something was done")),
            (AuditRow.Outcome.REFUSED, gettext_lazy("something was refused")),
        ],
    )
    order = forms.ChoiceField(
        label=gettext_lazy("Sort by"), choices=list(HEADINGS.items())
    )
    backwards = forms.BooleanField(label=gettext_lazy("The last first"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors and cleaned["since"] > cleaned["until"]:
            raise ValidationError(_("The first day is later than the last."))
        return cleaned


def usual() -> dict[str, Any]:
    """What the form starts with: the last seven days, the newest first."""
    today = timezone.localdate()
    since = today - timedelta(days=6)
    return {"since": since, "until": today, "order": "recorded", "backwards": True}


def rows_of(asked: dict[str, Any], patient: Patient | None) -> QuerySet[AuditRow]:
    """The rows that a valid form asks for, in its order."""
    rows = AuditRow.objects.filter(
        recorded__gte=_begin(asked["since"]),
        recorded__lt=_begin(asked["until"] + timedelta(days=1)),
    )
    if name := asked["person"]:
        keys = User.objects.filter(username=name).values_list("key", flat=True)
        rows = rows.filter(Q(actor_name=name) | Q(actor__in=list(keys)))
    if asked["outcome"]:
        rows = rows.filter(outcome=asked["outcome"])
    if patient:
        rows = rows.filter(patient=patient.key)
    way = "-" if asked["backwards"] else ""
    if asked["order"] != "patient":
        return rows.order_by(f"{way}{asked['order']}", f"{way}id")
    named = Patient.objects.filter(key=OuterRef("patient")).values("sort_name")[:1]
    rows = rows.annotate(named=Coalesce(Subquery(named), Value("")))
    return rows.order_by(f"{way}named", f"{way}id")


def patients_in(rows: QuerySet[AuditRow]) -> list[tuple[str, str]]:
    """Whom these rows are about, as the trail records who was shown."""
    keys = rows.order_by().exclude(patient="").values("patient").distinct()
    known = Patient.objects.filter(key__in=keys).order_by("pk")
    return [(key, AUDIT) for key in known.values_list("key", flat=True)]


def _begin(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


@dataclass(frozen=True)
class Line:
    """A row of the trail as a report shows it; `patient` and `born` may be empty."""

    recorded: datetime
    person: str
    act: str
    outcome: str
    patient: str
    born: str
    opened_by: str
    about: str
    address: str


def lines(rows: Iterable[AuditRow]) -> list[Line]:
    """These rows, with the names of patients and staff; three queries for all of them."""
    rows = list(rows)
    patients = _by_key(Patient, (row.patient for row in rows))
    about = [row.subject.rpartition("/")[2] for row in rows]
    people = _by_key(Staff, about) | _by_key(User, about)
    return [_line(row, patients.get(row.patient), people) for row in rows]


def _by_key(model: Any, keys: Iterable[str]) -> dict[str, Any]:
    return {row.key: row for row in model.objects.filter(key__in={*keys} - {""})}


def _line(row: AuditRow, patient: Patient | None, people: dict[str, Any]) -> Line:
    unknown = _("unknown") if row.patient else ""
    return Line(
        recorded=timezone.localtime(row.recorded),
        person=row.actor_name,
        act=row.action,
        outcome=row.outcome,
        patient=patient.name if patient else unknown,
        born=born(patient) if patient else "",
        opened_by=row.access_path,
        about=_about(row, people),
        address=row.address or "",
    )


def _about(row: AuditRow, people: dict[str, Any]) -> str:
    """Whom of the staff an act was about, and which group they got or lost."""
    kind, _slash, key = row.subject.partition("/")
    said = [str(people[key])] if key in people else [kind.replace("_", " ")]
    if row.action.startswith("staff.") and isinstance(row.detail, dict):
        said.append(str(row.detail.get("group", "")))
    return ", ".join(filter(None, said))


def as_csv(rows: QuerySet[AuditRow]) -> Iterator[str]:
    """The rows as a file for spreadsheets, piece by piece; few are in memory at a time."""
    heads = [str(heading) for heading in HEADINGS.values()]
    heads.insert(5, _("Date of birth"))
    yield sheets.BEGIN + sheets.as_csv([heads])
    found = rows.iterator(chunk_size=AT_ONCE)
    while some := list(islice(found, AT_ONCE)):
        yield sheets.as_csv(vars(line).values() for line in lines(some))
