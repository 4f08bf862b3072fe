"""What nothing that people type may be, on the site and in the administration."""

import re
from datetime import date

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock

# Control characters, and those that turn the direction of the text around them.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def validate_seen(text: str) -> None:
    """Raises ValidationError for a character that does not show on paper."""
    if _UNSEEN.search(text):
        raise ValidationError(_("This holds a character that cannot be saved."))


def validate_has_come(day: date) -> None:
    """Raises ValidationError for a day that lies in the future."""
    if day > clock.today():
        raise ValidationError(_("This day has not come yet."))
