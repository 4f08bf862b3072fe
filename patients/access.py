"""The access rule: whose patients a person may see. There is no second spelling.

The rule is the short list PATHS. A path answers three questions about an account's
standing: which patients (`rows`), from which ordered sources a list can propose them
(`streams`), and why this patient (`reasons`). Everything else asks these (DESIGN 4).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from django.apps import apps
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from patients import grants
from staffing.explanations import how_held, shown_date
from staffing.models import User
from staffing.standing import Standing

if TYPE_CHECKING:
    from patients.models import Patient, PatientGroupMember


@dataclass(frozen=True)
class Stream:
    """An ordered source of candidates: one patient group's, or everyone (None).

    It proposes; the rule decides over what it proposes.
    """

    patient_group: int | None


class Path(Protocol):
    """One way in which a patient comes within reach."""

    code: str

    def rows(self, standing: Standing) -> "QuerySet[Patient]":
        """The patients that this path opens; all() and none() say so plainly."""

    def streams(self, standing: Standing) -> list[Stream]:
        """Sources that together hold at least rows()."""

    def reasons(self, standing: Standing, patient: "Patient") -> list[str]:
        """Sentences, with the row they rest on, why this path opens the patient."""


class Superuser:
    """An active superuser reaches everything, audited as such."""

    code = "superuser"

    def rows(self, standing: Standing) -> "QuerySet[Patient]":
        return _all_or_none(standing.superuser)

    def streams(self, standing: Standing) -> list[Stream]:
        return [Stream(None)] if standing.superuser else []

    def reasons(self, standing: Standing, patient: "Patient") -> list[str]:
        return [_("It is a superuser's account: every patient is open.")]


class AllPatients:
    """S2: "If a staff member has access to the “All Patients” auth group, they will have
    access to all patients, even though it is not tied to an underlying patient group."
    """

    code = "all-patients"

    def rows(self, standing: Standing) -> "QuerySet[Patient]":
        return _all_or_none(standing.everyone)

    def streams(self, standing: Standing) -> list[Stream]:
        return [Stream(None)] if standing.everyone else []

    def reasons(self, standing: Standing, patient: "Patient") -> list[str]:
        user = User.objects.get(pk=standing.user)
        group = user.groups.get(managed__code=self.code)
        return [
            _("Every patient is open through %(held)s.")
            % {"held": how_held(user, group)}
        ]


class PatientGroups:
    """The auth group of a permission patient group of which the patient is a member now."""

    code = "patient-group"

    def rows(self, standing: Standing) -> "QuerySet[Patient]":
        return patients_of(standing.auth_groups)

    def streams(self, standing: Standing) -> list[Stream]:
        opened = grants.opened_by(standing.auth_groups)
        return [Stream(pk) for pk in opened.order_by("pk").values_list("pk", flat=True)]

    def reasons(self, standing: Standing, patient: "Patient") -> list[str]:
        user = User.objects.get(pk=standing.user)
        memberships = (
            patient.group_memberships.in_force()
            .filter(patient_group__in=grants.opened_by(standing.auth_groups))
            .select_related("patient_group__auth_group")
            .order_by("patient_group__name", "pk")
        )
        return [
            _(
                "The patient is in the patient group “%(group)s” since %(since)s, which "
                "is open through %(held)s."
            )
            % {
                "group": row.patient_group.name,
                "since": shown_date(row.start_date),
                "held": how_held(user, row.patient_group.auth_group),
            }
            for row in memberships
        ]


PATHS: tuple[Path, ...] = (Superuser(), AllPatients(), PatientGroups())


def reach(user: Any, field: str) -> Q:
    """The rule as a condition: `field` is a patient that some path opens to this account.

    One query for the standing; the condition itself is asked when it is used.
    """
    return condition(Standing.of(user), field)


def condition(standing: Standing, field: str) -> Q:
    """The rule for a standing that was read a moment ago; see reach()."""
    found = Q(pk__in=())
    for path in PATHS:
        rows = path.rows(standing)
        if _is_everything(rows):
            return Q()
        if not rows.query.is_empty():
            # Correlated, so that one patient costs an index probe and not the whole of
            # a group: SQLite would otherwise list every member first.
            found |= Q(Exists(rows.filter(pk=OuterRef(field))))
    return found


def streams(user: Any) -> list[Stream]:
    """The sources from which lists and search propose patients to this account."""
    standing = Standing.of(user)
    found = dict.fromkeys(s for path in PATHS for s in path.streams(standing))
    return [Stream(None)] if Stream(None) in found else list(found)


def paths_to(user: Any, patients: Collection["Patient"]) -> list[tuple[str, str]]:
    """(patient key, code of the first path that opens it) for the audit trail.

    A patient that no path opens has the path "" (out of reach).
    """
    standing = Standing.of(user)
    found: dict[int, str] = {}
    for path in PATHS:
        rows = path.rows(standing)
        left = {patient.pk for patient in patients} - found.keys()
        if not left or rows.query.is_empty():
            continue
        opened = (
            left
            if _is_everything(rows)
            else rows.filter(pk__in=left).values_list("pk", flat=True)
        )
        found |= dict.fromkeys(opened, path.code)
    return [(patient.key, found.get(patient.pk, "")) for patient in patients]


def patients_of(auth_groups: Collection[int]) -> "QuerySet[Patient]":
    """The patients that holding these auth groups opens, by membership now."""
    patients = apps.get_model("patients", "Patient").objects
    if not auth_groups:
        return patients.none()
    opening = memberships_opening(auth_groups)
    return patients.filter(Exists(opening.filter(member=OuterRef("pk"))))


def memberships_opening(auth_groups: Collection[int]) -> "QuerySet[PatientGroupMember]":
    """The memberships on which patients_of() rests: the short way to count them."""
    members = apps.get_model("patients", "PatientGroupMember").objects.in_force()
    return members.filter(patient_group__in=grants.opened_by(auth_groups))


def _all_or_none(everything: bool) -> "QuerySet[Patient]":
    patients = apps.get_model("patients", "Patient").objects
    return patients.all() if everything else patients.none()


def _is_everything(rows: QuerySet) -> bool:
    return not rows.query.where
