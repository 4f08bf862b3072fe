"""Combinations of auth groups that cannot work, as data, each with its sentence."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _

from staffing.groups import ALL_PATIENTS, AREA_CODES, describe

# Stands for the auth group of any patient group that is used for permissions now.
PATIENT_GROUP = "patient-group"
REACH = frozenset({ALL_PATIENTS, PATIENT_GROUP})


@dataclass(frozen=True)
class Combination:
    """Holding one of `having` and none of `without` deserves this warning."""

    code: str
    having: frozenset[str]
    without: frozenset[str]
    warning: Any

    def applies(self, held: frozenset[str]) -> bool:
        """Whether somebody who holds groups of these codes should be warned."""
        return bool(self.having & held) and not self.without & held


# S2, "Model permissions": what each group needs beside it. "Patient create" and
# "Clinical read" open the profile too, so "Profile write" works with either.
COMBINATIONS = (
    Combination(
        "profile-write-only",
        frozenset({"profile-write"}),
        frozenset({"profile-read", "clinical-read", "patient-create"}),
        _("“Profile write” opens no profile by itself; add “Profile read”."),
    ),
    Combination(
        "clinical-write-only",
        frozenset({"clinical-write"}),
        frozenset({"clinical-read"}),
        _("“Clinical write” opens no chart by itself; add “Clinical read”."),
    ),
    Combination(
        "document-write-only",
        frozenset({"document-write"}),
        frozenset({"document-read"}),
        _("“Document write” opens no documents by itself; add “Document read”."),
    ),
    Combination(
        "cannot-link-files",
        frozenset({"data-integration-access"}),
        frozenset({"clinical-write"}),
        _(
            "“Data integration access” alone cannot link a file to a patient; add "
            "“Clinical write”."
        ),
    ),
    Combination(
        "clinical-without-profile",
        frozenset({"clinical-read"}),
        frozenset({"profile-read"}),
        _(
            "“Clinical read” opens the profile as well; add “Profile read”, so that "
            "the list says so."
        ),
    ),
    Combination(
        "everyone-for-nothing",
        frozenset({ALL_PATIENTS}),
        AREA_CODES,
        _(
            "“All Patients” says whose data, not which. Without a group such as "
            "“Profile read” it opens no screen."
        ),
    ),
    Combination(
        "patients-for-nothing",
        frozenset({PATIENT_GROUP}),
        AREA_CODES,
        _(
            "A patient group says whose data, not which. Without a group such as "
            "“Profile read” it opens no screen."
        ),
    ),
    Combination(
        "nobody-to-see",
        AREA_CODES,
        REACH,
        _(
            "No patient group in use and no “All Patients” is chosen, so no patient "
            "can be opened."
        ),
    ),
)


def in_use(group: Group) -> bool:
    """Whether an auth group opens something now: a patient group may be switched off."""
    patient_group = getattr(group, "patient_group", None)
    return patient_group is None or patient_group.use_for_permissions


def codes_of(groups: Iterable[Group]) -> frozenset[str]:
    """The codes by which COMBINATIONS knows these groups; groups not in use have none."""
    return frozenset(
        declared.code if (declared := describe(group)) else PATIENT_GROUP
        for group in groups
        if in_use(group)
    )


def warnings(groups: Iterable[Group]) -> list[str]:
    """What to tell somebody who is about to give exactly these groups."""
    held = codes_of(groups)
    return [str(entry.warning) for entry in COMBINATIONS if entry.applies(held)]
