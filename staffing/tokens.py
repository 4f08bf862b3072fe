"""Bearer tokens: who acts by one, for which application, narrowed to what (RFC 6750).

Asked at every request of every program, so that a token found is one query that is
compiled once, and nothing of it is kept: what is revoked or switched off is refused at
the next request, in every process.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import DEFAULT_DB_ALIAS, models
from oauth2_provider.models import AccessToken
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from canvas_admin.records import clock
from canvas_admin.records.lookups import Prepared, Slot
from staffing.models import Application, Staff, User
from staffing.scopes import Scopes

_TOKEN = re.compile(r"[0-9A-Za-z]{20,64}")


@dataclass(frozen=True)
class Bearer:
    """A token that is good at this moment: `request.auth` of a request that brought it.

    `account` acts: the application's service staff, or the person who consented. Of it,
    of its staff member and of the application only what is asked at every request is
    read; the rest follows when it is asked for.
    """

    pk: int
    scope: str
    application: Application
    account: User

    def allows(self, kind: str, interaction: str) -> bool:
        """Whether the scopes let this be done with this FHIR type.

        `interaction` is a name of scopes.INTERACTIONS. Asked are the token's scopes and
        the application's, as they are now; where neither has any, all is let through.
        """
        return all(
            Scopes.read(text).allow(kind, interaction)
            for text in (self.scope, self.application.scopes)
        )

    def expires(self) -> datetime:
        """When it ends by itself."""
        return AccessToken.objects.values_list("expires", flat=True).get(pk=self.pk)


class BearerToken(BaseAuthentication):
    """Authorization: Bearer, and no other way: no address and no body holds a token."""

    def authenticate(self, request: Request) -> tuple[User, Bearer] | None:
        """The account that acts, and its Bearer; None without the header.

        Raises AuthenticationFailed for a token that is not good, and for one in the
        address, whatever the header holds.
        """
        if "access_token" in request.GET:
            raise AuthenticationFailed
        kind, _space, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        bearer = find(text.strip())
        if bearer is None:
            raise AuthenticationFailed
        return bearer.account, bearer

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def find(text: str) -> Bearer | None:
    """Who acts by this token; None for one that is not good now: one query.

    Good is what is not expired, of an application that is switched on, whose service staff
    is live, and so is whoever acts.
    """
    if not _TOKEN.fullmatch(text):
        return None
    checksum = sha256(text.encode()).hexdigest()
    found = FOUND.tuples(checksum=checksum, now=clock.now())
    return _read(found[0]) if found else None


class Part:
    """Some columns of a model, selected beside others, and made into a row of it."""

    def __init__(self, model: type[models.Model], path: str, *names: str) -> None:
        fields = [f for f in model._meta.concrete_fields if f.attname in names]
        self.model = model
        self.names = [field.attname for field in fields]
        self.columns = [f"{path}__{name}" for name in self.names]
        self.truths = [isinstance(field, models.BooleanField) for field in fields]

    def row(self, values: Sequence[Any]) -> Any:
        """The row; its other columns are read when they are asked for."""
        pairs = zip(values, self.truths, strict=True)
        # SQLite says 0 and 1.
        told = [bool(value) if truth else value for value, truth in pairs]
        return self.model.from_db(DEFAULT_DB_ALIAS, self.names, told)


class Account:
    """The parts of an account and of its staff member."""

    def __init__(self, user: str, staff: str) -> None:
        self.user = Part(User, user, *USER)
        self.staff = Part(Staff, staff, *STAFF)
        self.columns = [*self.user.columns, *self.staff.columns]

    def row(self, values: Sequence[Any]) -> User:
        """The account, with its staff member if it has one."""
        of_user, of_staff = _cut(values, self.user)
        user = self.user.row(of_user)
        if of_staff[0] is None:
            User._meta.get_field("staff").set_cached_value(user, None)
        else:
            user.staff = self.staff.row(of_staff)
        return user


USER = ("id", "key", "username", "is_active", "is_superuser")
STAFF = ("id", "key", "user_id", "first_name", "last_name", "active", "service")
APPLICATION = Part(
    Application, "application", "id", "key", "name", "active", "scopes", "staff_id"
)
SERVICE = Account("application__staff__user", "application__staff")
PERSON = Account("user", "user__staff")


def _found() -> models.QuerySet:
    """A token that has not expired, with everybody whom it concerns."""
    tokens = AccessToken.objects.filter(
        token_checksum=Slot("checksum"),
        expires__gt=Slot("now", models.DateTimeField()),
        application__isnull=False,
    )
    concerned = (*APPLICATION.columns, *SERVICE.columns, *PERSON.columns)
    return tokens.order_by().values_list("pk", "scope", "user", *concerned)


FOUND = Prepared(_found)


def _read(row: Sequence[Any]) -> Bearer | None:
    """What a row of _found() says, if all of them count."""
    (pk, scope, consented), rest = row[:3], row[3:]
    of_application, rest = _cut(rest, APPLICATION)
    of_service, of_person = _cut(rest, SERVICE)
    application, account = APPLICATION.row(of_application), SERVICE.row(of_service)
    application.staff = account.staff
    if not (application.active and account.live):
        return None
    if consented is not None:
        account = PERSON.row(of_person)
    return Bearer(pk, scope, application, account) if account.live else None


def _cut(values: Sequence[Any], part: Any) -> tuple[Sequence[Any], Sequence[Any]]:
    """What belongs to a part, and the rest."""
    length = len(part.columns)
    return values[:length], values[length:]
