"""manage.py who_can PATIENT [ACTION]"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from canvas_admin.audit import trail
from patients import review
from patients.management.finding import find_action, find_patient
from staffing.models import User


class Command(BaseCommand):
    help = (
        "Lists everybody who may do something with a patient, and why. ACTION is "
        + ", ".join(review.actions())
        + ", or a permission such as patients.view_condition."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("patient", help="key or MRN of a patient")
        parser.add_argument("action", nargs="?", default="chart")

    def handle(self, *args: Any, **options: Any) -> None:
        action = find_action(options["action"])
        patient = find_patient(options["patient"])
        asked, able = User.objects.count(), 0
        for user, decision in review.who_can(action, patient):
            able += 1
            mark = _(" (superuser)") if user.is_superuser else ""
            self.stdout.write(f"{user.get_full_name()}, {user.username}{mark}")
            for sentence in decision.reasons:
                self.stdout.write(f"- {sentence}")
        text = ngettext(
            "%(asked)d account was asked; %(able)d may %(action)s.",
            "%(asked)d accounts were asked; %(able)d may %(action)s.",
            asked,
        )
        words = {"asked": asked, "able": able, "action": review.in_words(action)}
        self.stdout.write(text % words)
        trail.done(
            trail.Command("who_can"),
            "access.who_can",
            [(patient.key, "")],
            subject=f"patient/{patient.key}",
            asked=action,
            able=able,
        )
