"""manage.py load_demo: the demo clinic, in demonstration mode alone."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from canvas_admin.management import demo_loading


class Command(BaseCommand):
    help = "Makes the demo clinic, or what is missing of it. Run: make demo"

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError(
                "Refused: demo people are made in demonstration mode alone, never "
                "beside real patients. Run: make demo"
            )
        demo_loading.load()
