"""Who is signed in, and which model permissions the auth groups give."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.db.models import QuerySet

from canvas_admin.records.lookups import Prepared, Slot
from staffing.models import User


def _given() -> QuerySet:
    rows = Permission.objects.filter(group__user=Slot("user")).order_by()
    return rows.values_list("content_type__app_label", "codename")


GIVEN = Prepared(_given)


class Given:
    """The permissions of an account's groups, as ModelBackend asks its queryset for them.

    Asked at every request, so that the query is compiled once.
    """

    def __init__(self, user: int) -> None:
        self.user = user

    def values_list(self, *_names: str) -> "Given":
        return self

    def order_by(self) -> list[tuple[str, str]]:
        return GIVEN.tuples(user=self.user)


class StaffBackend(ModelBackend):
    """Django's backend, for live accounts only and without permissions of single users.

    Programs have permissions, and no way in: neither password nor session.
    """

    def user_can_authenticate(self, user: Any) -> bool:
        return user.may_sign_in

    def get_user(self, user_id: int) -> User | None:
        user = User.objects.select_related("staff").filter(pk=user_id).first()
        return user if user and user.may_sign_in else None

    def _get_permissions(self, user_obj: Any, obj: Any, from_name: str) -> set[str]:
        live = getattr(user_obj, "live", False)
        return super()._get_permissions(user_obj, obj, from_name) if live else set()

    def _get_group_permissions(self, user_obj: Any) -> "Given":
        return Given(user_obj.pk)

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return set()
