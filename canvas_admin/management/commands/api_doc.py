"""manage.py api_doc: the API as an OpenAPI document, for docs/openapi.json."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from canvas_admin.fhir.openapi import document
from canvas_admin.fhir.resources import RESOURCES


class Command(BaseCommand):
    """Print the OpenAPI document of the FHIR API."""

    help = "Prints the OpenAPI document of the API; docs/openapi.json holds it."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(document(RESOURCES.values()), indent=1))
