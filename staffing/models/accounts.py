"""The account with which a person signs in."""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import (
    AbstractBaseUser,
    BaseUserManager,
    PermissionsMixin,
)
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from canvas_admin.records.models import Keyed


def is_live(is_active: bool, is_superuser: bool, staff_active: bool | None) -> bool:
    """Whether an account counts for anything at all (DESIGN section 4).

    `staff_active` is None for an account without a staff member: then only a superuser's
    counts. Every other spelling of this rule asks it or is tested against it.
    """
    return is_active and (is_superuser if staff_active is None else staff_active)


class UserQuerySet(models.QuerySet):
    """Questions about accounts."""

    def live(self) -> "UserQuerySet":
        """Accounts that count: see is_live."""
        return self.filter(
            Q(staff__active=True) | Q(staff__isnull=True, is_superuser=True),
            is_active=True,
        )

    def people(self) -> "UserQuerySet":
        """Accounts of people: not those of programs."""
        return self.filter(Q(staff__service=False) | Q(staff__isnull=True))

    def able_to_sign_in(self) -> "UserQuerySet":
        """Live accounts of people that have a password.

        Before the first link is used they have none.
        """
        unusable = Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)
        return self.live().people().exclude(Q(password="") | unusable)


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):
    """Makes accounts. None has a password until its person chooses one."""

    def create_user(self, username: str, email: str = "", **fields: Any) -> "User":
        """A new account without a password; a one-time link lets the person choose it."""
        user = self.model(
            username=self.model.normalize_username(username).lower(),
            email=self.normalize_email(email),
            **fields,
        )
        user.set_unusable_password()
        user.save(using=self._db)
        return user

    def create_superuser(
        self, username: str, email: str = "", password: str | None = None, **fields: Any
    ) -> "User":
        """An operator's account: only `createsuperuser`, at the shell, makes one."""
        user = self.create_user(username, email, is_superuser=True, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(Keyed, AbstractBaseUser, PermissionsMixin):
    """An account. What it may do comes from auth groups alone.

    There are no permissions of single users, and `is_staff` is not used: the admin asks
    for an administration group. An account that is not live has no permission, whatever
    rows exist.
    """

    username = models.CharField(
        _("user name"),
        max_length=150,
        unique=True,
        validators=[UnicodeUsernameValidator()],
        help_text=_("What the person types to sign in, for example “nora.vega”."),
        error_messages={"unique": _("An account with this user name exists already.")},
    )
    email = models.EmailField(
        _("e-mail address"),
        blank=True,
        help_text=_("Where a link is sent when the person forgets the password."),
    )
    is_active = models.BooleanField(_("active"), default=True, editable=False)
    date_joined = models.DateTimeField(
        _("made on"), default=timezone.now, editable=False
    )
    session_epoch = models.PositiveIntegerField(default=0, editable=False)

    user_permissions = None

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    objects = UserManager()

    class Meta:
        verbose_name = _("account")
        ordering = ["username"]
        permissions = [("open_administration", "Can open the administration")]

    def __str__(self) -> str:
        return self.username

    @property
    def live(self) -> bool:
        """Whether the account counts for anything: see is_live."""
        staff = staff_of(self)
        return is_live(
            self.is_active, self.is_superuser, staff.active if staff else None
        )

    @property
    def may_sign_in(self) -> bool:
        """Whether a person may come in by this account: a program's has no such door."""
        staff = staff_of(self)
        return self.live and not (staff and staff.service)

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.live and super().has_perm(perm, obj)

    def has_module_perms(self, app_label: str) -> bool:
        return self.live and super().has_module_perms(app_label)

    async def ahas_perm(self, perm: str, obj: Any = None) -> bool:
        return await sync_to_async(self.has_perm)(perm, obj)

    async def ahas_module_perms(self, app_label: str) -> bool:
        return await sync_to_async(self.has_module_perms)(app_label)

    def get_full_name(self) -> str:
        staff = staff_of(self)
        return staff.name if staff else self.username

    def get_short_name(self) -> str:
        return self.username

    def end_sessions(self) -> None:
        """Make every session of this account invalid, in every process, at once.

        With them go the tokens that programs have to act for it.
        """
        type(self).objects.filter(pk=self.pk).update(
            session_epoch=F("session_epoch") + 1
        )
        self.refresh_from_db(fields=["session_epoch"])
        self.end_tokens()

    def end_tokens(self) -> None:
        """End what programs have to act for this person; they have to be asked again."""
        for tokens in (
            self.oauth2_provider_grant,
            self.oauth2_provider_refreshtoken,
            self.oauth2_provider_accesstoken,
        ):
            tokens.all().delete()

    def get_session_auth_hash(self) -> str:
        return self._session_hash()

    def get_session_auth_fallback_hash(self) -> Any:
        return iter(())

    def _session_hash(self) -> str:
        """Changes with the password and with every end_sessions()."""
        return salted_hmac(
            "staffing.User.session",
            f"{self.password}:{self.session_epoch}",
            algorithm="sha256",
        ).hexdigest()


def staff_of(account: Any) -> Any:
    """The staff member behind whoever acts; None for a command and for an anonymous user."""
    return getattr(account, "staff", None)
