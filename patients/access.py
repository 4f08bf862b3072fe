"""The access rule: whose patients a person may see. There is no second spelling.

The rule is the short list PATHS. A path answers three questions about what an account
reaches through: which patients (`rows`, and `among` some of them), from which ordered
sources a list can propose them (`streams`), and why this patient (`reasons`). Turned
round, it tells which of some accounts it opens a patient to (`openers`). Everything else
asks these (DESIGN 4).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Protocol

from django.apps import apps
from django.db.models import (
    BooleanField,
    Case,
    DateTimeField,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    When,
)
from django.utils.translation import gettext as _

from canvas_admin.records import clock
from canvas_admin.records.lookups import ManySlot, Prepared, Slot
from patients import grants
from staffing.explanations import how_held, shown_date
from staffing.models import User
from staffing.standing import Standing

if TYPE_CHECKING:
    from patients.models import Patient, PatientGroupMember


@dataclass(frozen=True)
class Reach:
    """What an account reaches through: good for one request, never kept beyond it.

    `at` is the instant that counts, now unless told; a prepared query gives a Slot.
    """

    standing: Standing
    at: Any = None

    @classmethod
    def of(cls, account: Any) -> "Reach":
        """The reach of an account or an anonymous visitor, read in one query.

        A Standing that nobody has to have is taken as well; a Reach is returned as it is.
        Raises TypeError for any other object.
        """
        if isinstance(account, Reach):
            return account
        known = isinstance(account, Standing)
        return cls(account if known else Standing.of(account))

    def read(self) -> "Reach":
        """The same, its groups read now: for whoever asks more than one question."""
        if not (self.standing.superuser or self.standing.everyone):
            self.opened  # noqa: B018
        return self

    @cached_property
    def opened(self) -> list[int]:
        """The primary keys of the patient groups that its auth groups open: a query."""
        if not self.standing.auth_groups:
            return []
        held = self.standing.auth_groups
        opened = OPENED_GROUPS if len(held) <= FEW_GROUPS else OPENED_BY_MANY
        rows = opened.tuples(held=held)
        return sorted([pk for (pk,) in rows])

    @cached_property
    def found(self) -> dict[int, str]:
        """The patients (primary keys) whom opened() has found to be open to it so far, and
        by which path."""
        return {}

    def memberships(self, **of: Any) -> "QuerySet[PatientGroupMember]":
        """The memberships now through which patients are reached.

        The opened groups are part of the same query, or as they were read before.
        """
        if "opened" in self.__dict__:
            of["patient_group__among"] = self.opened
        else:
            of["patient_group__in"] = grants.opened_by(self.standing.auth_groups)
        members = apps.get_model("patients", "PatientGroupMember").objects
        return members.in_force(self.at, **of)


# No patient's primary key: about nobody the rule is asked too, where the time that a
# question takes must not tell that there is nobody.
NOBODY = 0

# An ordered source of candidates: the primary key of a patient group, or None for everyone.
# It proposes; the rule decides over what it proposes.
Stream = int | None


class Path(Protocol):
    """One way in which a patient comes within reach."""

    code: str

    def rows(self, reach: Reach) -> "QuerySet[Patient]":
        """The patients that this path opens; all() and none() say so plainly."""

    def among(self, reach: Reach, patients: Collection[int]) -> "Iterable[Patient]":
        """Those of these patients (primary keys) whom rows() has."""

    def streams(self, reach: Reach) -> list[Stream]:
        """Sources that together hold at least rows()."""

    def reasons(self, reach: Reach, patient: "Patient") -> list[str]:
        """Sentences, with the row they rest on, why this path opens the patient."""

    def openers(
        self, standings: Collection[Standing], patients: Collection[int]
    ) -> dict[int, list[Standing]]:
        """For each of these patients (primary keys) whom rows() opens to some of these
        accounts, to which; at most one query."""


class Everything:
    """A way to all patients or to none."""

    def among(self, reach: Reach, patients: Collection[int]) -> "Iterable[Patient]":
        return self.rows(reach).filter(pk__among=patients).order_by()

    def openers(
        self, standings: Collection[Standing], patients: Collection[int]
    ) -> dict[int, list[Standing]]:
        able = [each for each in standings if _is_everything(self.rows(Reach(each)))]
        return dict.fromkeys(patients, able)


class Superuser(Everything):
    """An active superuser reaches everything, audited as such."""

    code = "superuser"

    def rows(self, reach: Reach) -> "QuerySet[Patient]":
        return _all_or_none(reach.standing.superuser)

    def streams(self, reach: Reach) -> list[Stream]:
        return [None] if reach.standing.superuser else []

    def reasons(self, reach: Reach, patient: "Patient") -> list[str]:
        return [_("It is a superuser's account: every patient is open.")]


class AllPatients(Everything):
    """S2: "If a staff member has access to the “All Patients” auth group, they will have
    access to all patients, even though it is not tied to an underlying patient group."
    """

    code = "all-patients"

    def rows(self, reach: Reach) -> "QuerySet[Patient]":
        return _all_or_none(reach.standing.everyone)

    def streams(self, reach: Reach) -> list[Stream]:
        return [None] if reach.standing.everyone else []

    def reasons(self, reach: Reach, patient: "Patient") -> list[str]:
        user = User.objects.get(pk=reach.standing.user)
        group = user.groups.get(managed__code=self.code)
        return [
            _("Every patient is open through %(held)s.")
            % {"held": how_held(user, group)}
        ]


class PatientGroups:
    """The auth group of a permission patient group of which the patient is a member now."""

    code = "patient-group"

    def rows(self, reach: Reach) -> "QuerySet[Patient]":
        if not reach.standing.auth_groups:
            return _all_or_none(everything=False)
        patients = apps.get_model("patients", "Patient").objects
        return patients.filter(Exists(reach.memberships(member=OuterRef("pk"))))

    def among(self, reach: Reach, patients: Collection[int]) -> "Iterable[Patient]":
        if not reach.standing.auth_groups:
            return ()
        return OPENED_PATIENTS.rows(
            patients=patients, groups=reach.opened, now=clock.now()
        )

    def streams(self, reach: Reach) -> list[Stream]:
        return list(reach.opened)

    def reasons(self, reach: Reach, patient: "Patient") -> list[str]:
        user = User.objects.get(pk=reach.standing.user)
        memberships = (
            reach.memberships(member=patient)
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

    def openers(
        self, standings: Collection[Standing], patients: Collection[int]
    ) -> dict[int, list[Standing]]:
        held = frozenset[int]().union(*(each.auth_groups for each in standings))
        if not held:
            return {}
        together = Reach(Standing(auth_groups=held))
        rows = together.memberships(member__among=patients)
        keys: dict[int, set[int]] = {}
        for patient, key in rows.values_list("member", "patient_group__auth_group"):
            keys.setdefault(patient, set()).add(key)
        return {
            patient: [each for each in standings if opening & each.auth_groups]
            for patient, opening in keys.items()
        }


def _opened_by(held: Slot) -> "QuerySet[Any]":
    """Reach.opened, with a slot."""
    return grants.opened_by(held).order_by().values_list("pk")


def _opened_patients() -> "QuerySet[Patient]":
    """PatientGroups.rows() of some patients, with slots, for lists and search.

    The CASE is there for PostgreSQL: a bare EXISTS it may turn round, and go through all
    members of a group to find these patients among them.
    """
    members = apps.get_model("patients", "PatientGroupMember").objects.in_force(
        Slot("now", DateTimeField()),
        patient_group__among=Slot("groups"),
        member=OuterRef("pk"),
    )
    reached = Case(
        When(Exists(members), then=True), default=False, output_field=BooleanField()
    )
    patients = apps.get_model("patients", "Patient").objects
    return patients.filter(reached, pk__among=Slot("patients")).order_by()


# Of so many auth groups each is looked up by itself.
FEW_GROUPS = 32
OPENED_GROUPS = Prepared(partial(_opened_by, Slot("held")))
OPENED_BY_MANY = Prepared(partial(_opened_by, ManySlot("held")))
OPENED_PATIENTS = Prepared(_opened_patients)

PATHS: tuple[Path, ...] = (Superuser(), AllPatients(), PatientGroups())


def condition(account: Any, field: str) -> Q:
    """The rule as a condition: `field` is a patient that some path opens to this account.

    `account` is whatever Reach.of() takes; the condition is asked when it is used.
    """
    reach = Reach.of(account)
    found = Q(pk__in=())
    for path in PATHS:
        rows = path.rows(reach)
        if _is_everything(rows):
            return Q()
        if not rows.query.is_empty():
            # Correlated, so that one patient costs an index probe and not the whole of
            # a group: SQLite would otherwise list every member first.
            found |= Q(Exists(rows.filter(pk=OuterRef(field))))
    return found


def streams(account: Any) -> list[Stream]:
    """The sources from which lists and search propose patients to this account."""
    reach, found = Reach.of(account), {}
    for path in PATHS:
        found |= dict.fromkeys(path.streams(reach))
        if None in found:
            return [None]
    return list(found)


def opened(account: Any, patients: Iterable[int]) -> "dict[Patient, str]":
    """Those of these patients (primary keys) whom a path opens, and which path first.

    A path is named by its code, as the audit trail names it. One query for each path that
    opens anything to the account.
    """
    reach, left = Reach.of(account), set(patients)
    found: dict[Patient, str] = {}
    for path in PATHS:
        if not left:
            break
        found |= dict.fromkeys(path.among(reach, left), path.code)
        left -= {patient.pk for patient in found}
    reach.found.update((patient.pk, path) for patient, path in found.items())
    return found


def reaches(account: Any, patient: "Patient") -> bool:
    """Whether a path opens this patient to the account; a Reach remembers those it opens."""
    reach = Reach.of(account)
    return patient.pk in reach.found or bool(opened(reach, [patient.pk]))


def who_reaches(standings: Collection[Standing], patient: "Patient") -> set[int]:
    """The accounts (primary keys) among these standings that reach the patient now.

    Of live accounts, as Standing.of_each() gives them. One query, however many they are.
    """
    return who_reaches_each(standings, [patient.pk])[patient.pk]


def who_reaches_each(
    standings: Collection[Standing], patients: Collection[int]
) -> dict[int, set[int]]:
    """who_reaches() for each of these patients (primary keys): one query for them all."""
    found: dict[int, set[int]] = {patient: set() for patient in patients}
    for path in PATHS:
        for patient, able in path.openers(standings, patients).items():
            found[patient] |= {each.user for each in able}
    return found


def paths_to(account: Any, patients: Collection["Patient"]) -> list[tuple[str, str]]:
    """(patient key, code of the first path that opens it) for the audit trail.

    A patient that no path opens has the path "" (out of reach). A Reach remembers those it
    opens.
    """
    reach = Reach.of(account)
    if left := {patient.pk for patient in patients} - reach.found.keys():
        opened(reach, left)
    return [(patient.key, reach.found.get(patient.pk, "")) for patient in patients]


def _all_or_none(everything: bool) -> "QuerySet[Patient]":
    patients = apps.get_model("patients", "Patient").objects
    return patients.all() if everything else patients.none()


def _is_everything(rows: QuerySet) -> bool:
    return not rows.query.where
