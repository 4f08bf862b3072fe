"""manage.py why STAFF PATIENT [ACTION]"""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from canvas_admin.audit import trail
from patients import review
from patients.decisions import ACCESS, Decision
from patients.management.finding import find_action, find_patient
from patients.models import Patient
from staffing.management.finding import find_staff
from staffing.models import User


class Command(BaseCommand):
    help = (
        "Says whether somebody may do something with a patient, and why. ACTION is "
        + ", ".join(review.actions())
        + ", or a permission such as patients.view_condition."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("staff", help="user name, or the key of a staff member")
        parser.add_argument("patient", help="key or MRN of a patient")
        parser.add_argument("action", nargs="?", default="chart")

    def handle(self, *args: Any, **options: Any) -> None:
        action = find_action(options["action"])
        patient = find_patient(options["patient"])
        name, user = _find_person(options["staff"])
        decision = review.answer(user or AnonymousUser(), action, patient)
        trail.done(
            trail.Command("why"),
            "access.why",
            [(patient.key, "")],
            subject=f"patient/{patient.key}",
            about=user.username if user else name,
            asked=action,
            allowed=decision.allowed,
        )
        verdict = _("Yes: %(name)s may %(action)s.")
        if not decision.allowed:
            verdict = _("No: %(name)s may not %(action)s.")
        self.stdout.write(verdict % {"name": name, "action": review.in_words(action)})
        for sentence in _sentences(user, decision, patient):
            self.stdout.write(f"- {sentence}")


def _sentences(user: User | None, decision: Decision, patient: Patient) -> list[str]:
    """The reasons of a decision, and for somebody out of reach what would help."""
    if user is None:
        return [_("There is no account, so nothing is open.")]
    if ACCESS in decision.missing and user.live:
        return [*decision.reasons, *review.what_would_open(user, patient)]
    return decision.reasons


def _find_person(text: str) -> tuple[str, User | None]:
    """A person's name and account, by user name or staff key; raises CommandError."""
    lone = User.objects.filter(staff__isnull=True)
    if text.isprintable() and (user := lone.filter(username=text).first()):
        return user.username, user
    staff = find_staff(text)
    return staff.name, staff.user
