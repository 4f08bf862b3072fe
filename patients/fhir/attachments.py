"""What is attached to a FHIR resource, as files that we keep."""

import base64
import binascii

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile

from canvas_admin.fhir.bundles import Rejected
from patients import uploads
from patients.fhir.clinical import Attachment

PDF = "application/pdf"


def decoded(data: str, at: str) -> bytes:
    """The bytes of base64 text. Raises Rejected, naming the element `at`."""
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Rejected(f"{at}: the data is not base64") from error


def pdf(content: bytes, at: str) -> Attachment:
    """A PDF as pages take one. Raises Rejected, naming the element `at`."""
    file = ContentFile(content, name="attachment")
    try:
        accepted = uploads.accept(file)
    except ValidationError as error:
        raise Rejected(f"{at}: {error.messages[0]}") from error
    if accepted.media_type != PDF:
        raise Rejected(f"{at}: is no PDF")
    return Attachment(file, accepted)
