"""Rows with a file: where it is kept, and what is known of it."""

import uuid
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients import uploads


def place_of_file(_row: Any, _name: str) -> str:
    """Where a file is kept: under a name that says nothing, in one of 256 folders."""
    name = uuid.uuid4().hex
    return f"documents/{name[:2]}/{name}"


class StoredFile(models.Model):
    """A row with a file of a type that uploads.accept() takes.

    The name under which the file came is not kept: it may hold a patient's name.
    """

    file = models.FileField(_("file"), upload_to=place_of_file)
    media_type = models.CharField(max_length=64, editable=False)
    size = models.PositiveIntegerField(editable=False)
    sha256 = models.CharField(max_length=64, editable=False)

    class Meta:
        abstract = True

    @property
    def type_name(self) -> str:
        """What people call the type of the file; empty where there is none."""
        found = uploads.BY_MEDIA_TYPE.get(self.media_type)
        return found.name if found else ""

    def keep(self, content: Any, accepted: uploads.Accepted) -> None:
        """Take in a file and what uploads.accept() found; save() writes both."""
        self.file, self.media_type = content, accepted.media_type
        self.size, self.sha256 = accepted.size, accepted.sha256

    def share_file_of(self, other: "StoredFile") -> None:
        """Have the same file as another row: nobody changes a stored file or deletes it."""
        self.file, self.media_type = other.file.name, other.media_type
        self.size, self.sha256 = other.size, other.sha256


class AttachedFile(StoredFile):
    """A row that may have a file, and is whole without one."""

    file = models.FileField(
        _("file"), upload_to=place_of_file, blank=True, editable=False
    )
    media_type = models.CharField(max_length=64, blank=True, editable=False)
    size = models.PositiveIntegerField(default=0, editable=False)
    sha256 = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        abstract = True
