"""Abstract bases: a public key set once, and a version that every save raises."""

import re
import uuid
from typing import Any

from django.db import models, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock

_KEY = re.compile(r"[0-9a-f]{32}")


def new_key() -> str:
    """A new public identifier: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def key_from_form(model: type[models.Model], actor: Any, token: str) -> str:
    """The key of the row that one form of one person makes, however often it is sent.

    Nobody can foretell it. `token` names the form, `actor` is the person's account.
    """
    about = f"{model._meta.label}:{actor.key}:{token}"
    digest = salted_hmac("records.key_from_form", about, algorithm="sha256")
    return digest.hexdigest()[:32]


def find_row(rows: models.QuerySet, key: str) -> Any:
    """The row with this key among these, or None; also for a text that is no key."""
    return rows.filter(key=key).first() if _KEY.fullmatch(key) else None


class BytewiseCharField(models.CharField):
    """Text compared byte by byte on both databases.

    PostgreSQL gets the "C" collation; SQLite compares bytes already and does not know
    a collation of that name (DESIGN section 6).
    """

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters


class Keyed(models.Model):
    """A row known outside the database by its key; the integer id stays inside.

    Raises ValueError when a saved row's key is changed: it is set once.
    """

    key = models.CharField(
        _("key"), max_length=32, unique=True, default=new_key, editable=False
    )
    public_field = "key"

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str, field_names: Any, values: Any) -> "Keyed":
        row = super().from_db(db, field_names, values)
        row._public_id_in_database = row.__dict__.get(cls.public_field)
        return row

    def save(self, *args: Any, **kwargs: Any) -> None:
        before = getattr(self, "_public_id_in_database", None)
        if before is not None and before != getattr(self, self.public_field):
            raise ValueError(f"The {self.public_field} of a saved row cannot change.")
        super().save(*args, **kwargs)
        self._public_id_in_database = getattr(self, self.public_field)

    @property
    def public_id(self) -> str:
        """What URLs, forms and the API call this row."""
        return str(getattr(self, self.public_field))


class Versioned(Keyed):
    """A row that people edit: every save raises the version by one, and tells when.

    Forms post the version they were made from; see records.forms.VersionedForm.
    """

    version = models.PositiveIntegerField(default=0, editable=False)
    modified = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        fields = kwargs.get("update_fields")
        with transaction.atomic():
            super().save(*args, **kwargs)
            if fields is None or fields:
                self._raise_version()

    def _raise_version(self) -> None:
        rows = type(self)._base_manager.filter(pk=self.pk)
        rows.update(version=F("version") + 1, modified=clock.now())
        self.version, self.modified = rows.values_list("version", "modified").get()
