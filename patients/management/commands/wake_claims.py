"""manage.py wake_claims: tasks for the claims that were snoozed until today."""

from typing import Any

from django.core.management.base import BaseCommand

from patients.revenue import snoozing


class Command(BaseCommand):
    help = (
        "Makes a task for each claim that was snoozed until today or before. Run it every "
        "morning; running it twice makes nothing twice."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        woken = sum(1 for _each in snoozing.wake())
        self.stdout.write(f"Claims that were snoozed until now: {woken}.")
