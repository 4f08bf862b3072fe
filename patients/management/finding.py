"""What the commands of this room are told, and the rows that it means."""

import re

from django.core.management.base import CommandError

from patients import review
from patients.models import Patient

_KEY = re.compile(r"[0-9a-f]{32}")
_MRN = re.compile(r"[0-9A-Za-z-]{1,12}")


def find_patient(text: str) -> Patient:
    """The patient with this key or MRN; raises CommandError."""
    found = None
    if _KEY.fullmatch(text):
        found = Patient.objects.filter(key=text).first()
    elif _MRN.fullmatch(text):
        found = Patient.objects.filter(mrn=text).first()
    if found is None:
        raise CommandError("No patient has this key or MRN.")
    return found


def find_action(text: str) -> str:
    """The same text when it is an action; raises CommandError, which lists them."""
    try:
        review.check_action(text)
    except LookupError as error:
        raise CommandError(error.args[0]) from error
    return text
